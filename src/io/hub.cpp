#include "io/hub.hpp"

#include <algorithm>
#include <numeric>

#include "base/env.hpp"
#include "base/file.hpp"
#include "io/hub_download.hpp"
#include "io/hub_listing.hpp"
#include "io/json.hpp"
#include "io/sha256.hpp"

namespace ponder {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLargestListing = 32 << 20;
constexpr uint64_t kLargestRecord = 4 << 20;
constexpr auto kReportEvery = std::chrono::milliseconds(50);

fs::path folder_of(const fs::path& cache, const PullName& name) {
  return cache / name.owner / name.repository;
}

// The record of a finished pull, so that the next one need not ask the hub.
fs::path record_path(const fs::path& folder, const PullName& name) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(name.choice)));
  return folder / (".pulled-" + hash.hex() + ".json");
}

// What a record says of a pull that is still complete.
struct Pulled {
  std::string hub;
  fs::path path;  // to load
};

std::optional<Pulled> pulled_before(const fs::path& folder, const fs::path& record_at) {
  std::error_code code;
  if (!fs::exists(record_at, code)) return std::nullopt;
  const auto text = read_file(record_at, kLargestRecord);
  if (!text.ok()) return std::nullopt;
  const auto record = parse_json(text.value(), record_at.string());
  if (!record.ok()) return std::nullopt;
  const auto hub = text_field(record.value(), "hub", "");
  const auto load = text_field(record.value(), "load", "");
  const Json* files = find_field(record.value(), "files");
  if (!hub.ok() || !load.ok() || files == nullptr) return std::nullopt;
  for (const auto& file : *files) {
    const auto name = text_field(file, "name", "");
    const auto size = integer_field(file, "size", "");
    if (!name.ok() || !size.ok()) return std::nullopt;
    const auto found = fs::file_size(folder / name.value(), code);
    if (code || found != static_cast<uint64_t>(size.value())) return std::nullopt;
  }
  return Pulled{hub.value(), load.value().empty() ? folder : folder / load.value()};
}

Result<void> write_record(const fs::path& folder, const fs::path& record_at, const std::string& hub,
                          const HubChoice& choice) {
  Json record = {{"hub", hub}, {"load", choice.load}, {"files", Json::array()}};
  for (const auto& file : choice.files) {
    std::error_code code;
    const auto size = fs::file_size(folder / file.name, code);
    if (code) return Failure{{.what = code.message(), .where = (folder / file.name).string()}};
    record["files"].push_back({{"name", file.name}, {"size", size}, {"sha256", file.sha256}});
  }
  return write_file(record_at, record.dump(1) + "\n");
}

// The text behind an address; empty if the hub has none and `may_lack`.
Result<std::string> get_text(const PullOptions& options, const Url& url, bool may_lack) {
  std::string text;
  bool lacking = false;
  HttpGet request;
  request.url = url;
  request.token = options.token;
  request.patience = options.patience;
  const auto on_head = [&](const HttpHead& response) -> Result<void> {
    lacking = may_lack && response.status == 404;
    if (response.status == 200 || lacking) return {};
    return status_failure(response, url);
  };
  const auto on_body = [&](std::span<const std::byte> bytes) -> Result<void> {
    if (text.size() + bytes.size() > kLargestListing) {
      return Failure{
          {.what = "the answer is longer than " + std::to_string(kLargestListing) + " bytes",
           .where = url.text()}};
    }
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  };
  PONDER_TRY(http_get(request, {.head = on_head, .body = on_body}));
  return lacking ? std::string() : text;
}

// Reports the bytes of all files of a pull, not too often.
class Meter {
 public:
  Meter(const ProgressSink& sink, const std::vector<HubFile>& files) : sink_(sink) {
    for (const auto& file : files) total_ += file.size.value_or(0);
  }

  void begin(const HubFile& file) {
    before_ += current_;
    current_ = 0;
    what_ = "downloading " + file.name;
  }

  bool report(uint64_t done) {
    current_ = done;
    const auto now = std::chrono::steady_clock::now();
    const bool last = before_ + current_ >= total_;
    if (!sink_ || (!last && now - reported_ < kReportEvery)) return true;
    reported_ = now;
    return sink_({what_, before_ + current_, std::max(total_, before_ + current_), "B"});
  }

 private:
  const ProgressSink& sink_;
  std::string what_;
  uint64_t total_ = 0, before_ = 0, current_ = 0;
  std::chrono::steady_clock::time_point reported_{};
};

Result<void> make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (!code) return {};
  return Failure{{.what = "cannot make the folder: " + code.message(),
                  .where = folder.string(),
                  .mend = "choose another one with PONDER_CACHE"}};
}

}  // namespace

PullOptions PullOptions::from_environment(std::string name) {
  PullOptions options;
  options.name = std::move(name);
  options.token = environment("HF_TOKEN").value_or("");
  options.cache = cache_folder();
  return options;
}

Result<fs::path> pull(const PullOptions& options) {
  const PullName name = PONDER_TRY(PullName::parse(options.name));
  std::string hub = options.hub;
  while (hub.ends_with('/')) hub.pop_back();
  const Url model_url = PONDER_TRY(Url::parse(hub + "/api/models/" + name.text()));
  const Url tree_url = PONDER_TRY(Url::parse(model_url.text() + "/tree/main?recursive=true"));
  const bool plain = std::all_of(options.token.begin(), options.token.end(),
                                 [](char c) { return c > ' ' && c < 0x7F; });
  if (!plain) {
    return Failure{{.what = "the token holds a space or an unprintable character",
                    .where = "HF_TOKEN",
                    .mend = "copy the token again"}};
  }

  const fs::path folder = folder_of(options.cache, name);
  const fs::path record = record_path(folder, name);
  if (auto before = pulled_before(folder, record); before && before->hub == hub) {
    return before->path;
  }

  const std::string model = PONDER_TRY(get_text(options, model_url, false));
  const std::string tree = PONDER_TRY(get_text(options, tree_url, true));
  const auto files = PONDER_TRY(parse_listing(model, tree, model_url.text()));
  const HubChoice choice = PONDER_TRY(choose_files(name, files));

  Meter meter(options.progress, choice.files);
  for (const auto& file : choice.files) {
    const fs::path target = folder / file.name;
    PONDER_TRY(make_folder(target.parent_path()));
    meter.begin(file);
    DownloadRequest request;
    request.file = file;
    request.url = PONDER_TRY(
        Url::parse(hub + "/" + name.text() + "/resolve/main/" + percent_encode(file.name)));
    request.token = options.token;
    request.target = target;
    request.patience = options.patience;
    request.progress = [&](uint64_t done) { return meter.report(done); };
    PONDER_TRY(download(request));
  }
  PONDER_TRY(write_record(folder, record, hub, choice));
  return choice.load.empty() ? folder : folder / choice.load;
}

fs::path find_pulled(const fs::path& cache, const std::string& text) {
  const auto name = PullName::parse(text);
  if (!name.ok()) return {};
  const fs::path folder = folder_of(cache, name.value());
  const auto before = pulled_before(folder, record_path(folder, name.value()));
  return before ? before->path : fs::path();
}

}  // namespace ponder
