#include "io/hub_download.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/file.hpp"
#include "io/printable.hpp"
#include "io/sha256.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLargestUnannounced = 64 << 20;  // of a file whose size nobody tells
constexpr int kMostAttempts = 20;                   // each must bring some bytes
constexpr size_t kPiece = 1 << 20;

Failure system_failure(const std::string& what, const std::filesystem::path& path) {
  const int code = errno;
  return Failure{{.what = what + ": " + std::strerror(code),
                  .where = path.string(),
                  .mend = code == ENOSPC || code == EDQUOT ? "free some space" : ""}};
}

Failure stopped() { return Failure{{.what = "stopped"}}; }

// TARGET.partial: what has arrived. Locked, so that two downloads do not mix.
class PartialFile {
 public:
  static Result<PartialFile> open(const std::filesystem::path& path) {
    PartialFile file(path);
    constexpr int kFlags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    file.descriptor_ = ::open(path.c_str(), kFlags, 0644);
    if (file.descriptor_ < 0) return system_failure("cannot create", path);
    if (::flock(file.descriptor_, LOCK_EX | LOCK_NB) != 0) {
      return Failure{{.what = "another download is writing this file",
                      .where = path.string(),
                      .mend = "wait for it, or stop it"}};
    }
    struct stat status {};
    if (::fstat(file.descriptor_, &status) != 0) return system_failure("cannot stat", path);
    file.size_ = static_cast<uint64_t>(status.st_size);
    return file;
  }

  PartialFile(PartialFile&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        size_(other.size_) {}
  ~PartialFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  uint64_t size() const { return size_; }

  Result<void> append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_failure("cannot write", path_);
      size_ += static_cast<uint64_t>(count);
      bytes = bytes.subspan(static_cast<size_t>(count));
    }
    return {};
  }

  Result<void> clear() {
    if (::ftruncate(descriptor_, 0) != 0) return system_failure("cannot empty", path_);
    size_ = 0;
    return {};
  }

  Result<void> move_to(const std::filesystem::path& target) {
    if (::fsync(descriptor_) != 0) return system_failure("cannot flush", path_);
    if (::rename(path_.c_str(), target.c_str()) != 0) return system_failure("cannot rename", path_);
    return {};
  }

 private:
  explicit PartialFile(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

// SHA-256 of a file, read in pieces so that the memory of the process does not grow.
Result<std::string> hash_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_failure("cannot open", path);
  Sha256 hash;
  std::vector<std::byte> piece(kPiece);
  ssize_t count = 1;
  while (count > 0) {
    count = ::read(descriptor, piece.data(), piece.size());
    if (count > 0) hash.update(std::span<const std::byte>(piece).first(static_cast<size_t>(count)));
    if (count < 0 && errno == EINTR) count = 1;
  }
  const auto failure = system_failure("cannot read", path);
  ::close(descriptor);
  if (count < 0) return failure;
  return hash.hex();
}

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct ContentRange {
  uint64_t first = 0;
  uint64_t total = 0;
};

// "bytes 100-999/1000", which must reach the end of the file.
std::optional<ContentRange> parse_content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  if (dash == text.npos || slash == text.npos || dash > slash) return std::nullopt;
  const auto first = parse_number(text.substr(0, dash));
  const auto last = parse_number(text.substr(dash + 1, slash - dash - 1));
  const auto total = parse_number(text.substr(slash + 1));
  if (!first || !last || !total || *last >= *total || *last + 1 != *total) return std::nullopt;
  return ContentRange{*first, *total};
}

class Download {
 public:
  Download(const DownloadRequest& request, PartialFile partial)
      : request_(request),
        size_(request.file.size),
        sha256_(request.file.sha256),
        partial_(std::move(partial)) {}

  // Brings the partial file to its full size.
  Result<void> fetch();
  // Verifies it and puts it in its place.
  Result<void> finish(const std::filesystem::path& partial_path);

 private:
  Failure failure(std::string what, std::string mend = "try again") const {
    return Failure{
        {.what = std::move(what), .where = request_.url.text(), .mend = std::move(mend)}};
  }

  Result<void> prepare();
  Result<void> attempt();
  Result<void> on_head(const HttpHead& response);
  Result<void> on_body(std::span<const std::byte> bytes);

  const DownloadRequest& request_;
  std::optional<uint64_t> size_;  // as announced by the listing or by the answer
  std::string sha256_;
  PartialFile partial_;
  bool refused_ = false;  // by us: another attempt would end the same way
};

// Drops what cannot be continued; makes sure that the rest has room.
Result<void> Download::prepare() {
  if (request_.file.sha256.empty() || (size_ && partial_.size() > *size_)) {
    PONDER_TRY(partial_.clear());
  }
  if (!size_) return {};
  std::error_code code;
  const auto space = std::filesystem::space(request_.target.parent_path(), code);
  const uint64_t needed = *size_ - partial_.size();
  if (!code && space.available < needed) {
    return Failure{{.what = std::to_string(needed) + " bytes are needed, " +
                            std::to_string(space.available) + " are free",
                    .where = request_.target.string(),
                    .mend = "free some space, or choose another folder (PONDER_CACHE)"}};
  }
  return {};
}

Result<void> Download::fetch() {
  PONDER_TRY(prepare());
  for (int i = 0; !size_ || partial_.size() < *size_; ++i) {
    const uint64_t before = partial_.size();
    auto result = attempt();
    if (result.ok()) break;
    const bool progress = !request_.file.sha256.empty() && partial_.size() > before;
    if (refused_ || !progress || i + 1 >= kMostAttempts) {
      return Failure{std::move(result).take_error()};
    }
  }
  if (size_ && partial_.size() != *size_) {
    return failure("the file ended after " + std::to_string(partial_.size()) + " of " +
                   std::to_string(*size_) + " bytes");
  }
  return {};
}

Result<void> Download::attempt() {
  HttpGet request;
  request.url = request_.url;
  request.token = request_.token;
  request.patience = request_.patience;
  if (partial_.size() > 0) request.first_byte = partial_.size();
  const auto guarded = [this](Result<void> result) {
    refused_ = refused_ || !result.ok();
    return result;
  };
  return http_get(
      request, {.head = [&](const HttpHead& response) { return guarded(on_head(response)); },
                .body = [&](std::span<const std::byte> bytes) { return guarded(on_body(bytes)); }});
}

Result<void> Download::on_head(const HttpHead& response) {
  std::optional<uint64_t> announced = parse_number(response.header("x-linked-size"));
  if (response.status == 206) {
    const auto range = parse_content_range(response.header("content-range"));
    if (!range || range->first != partial_.size()) {
      return failure("the hub sent another part than asked for: Content-Range " +
                     printable(response.header("content-range")));
    }
    announced = range->total;
  } else if (response.status == 200 || response.status == 416) {
    // The hub sends all of it, or what is here is longer than its file.
    PONDER_TRY(partial_.clear());
    if (response.status == 416) return failure("what was downloaded before does not fit");
    if (!announced) announced = response.length;
  } else {
    return status_failure(response, request_.url);
  }
  if (size_ && announced && *size_ != *announced) {
    return failure("the hub lists " + std::to_string(*size_) + " bytes and sends " +
                   std::to_string(*announced));
  }
  if (!size_) size_ = announced;
  if (sha256_.empty()) sha256_ = sha256_from(response.header("x-linked-etag")).value_or("");
  if (sha256_.empty()) sha256_ = sha256_from(response.header("etag")).value_or("");
  return {};
}

Result<void> Download::on_body(std::span<const std::byte> bytes) {
  if (bytes.size() > size_.value_or(kLargestUnannounced) - partial_.size()) {
    return failure("the hub sends more than the " +
                   std::to_string(size_.value_or(kLargestUnannounced)) + " bytes expected");
  }
  PONDER_TRY(partial_.append(bytes));
  if (request_.progress && !request_.progress(partial_.size())) return stopped();
  return {};
}

Result<void> Download::finish(const std::filesystem::path& partial_path) {
  if (!sha256_.empty()) {
    const std::string found = PONDER_TRY(hash_file(partial_path));
    if (found != sha256_) {
      PONDER_TRY(partial_.clear());
      return failure("the SHA-256 is " + found + ", not " + sha256_ + "; the download was deleted");
    }
  }
  return partial_.move_to(request_.target);
}

Result<bool> is_complete(const DownloadRequest& request) {
  std::error_code code;
  const uint64_t size = std::filesystem::file_size(request.target, code);
  if (code || size != request.file.size) return false;
  if (request.file.sha256.empty()) return true;
  return PONDER_TRY(hash_file(request.target)) == request.file.sha256;
}

}  // namespace

Failure status_failure(const HttpHead& response, const Url& url) {
  std::string mend = "check the name and the address of the hub";
  if (response.status == 401 || response.status == 403) {
    mend = "check the name; if the model is restricted, set HF_TOKEN to a token with access to it";
  }
  if (response.status == 429 || response.status >= 500) mend = "try again later";
  return Failure{{.what = "the hub answers with status " + std::to_string(response.status),
                  .where = url.text(),
                  .mend = std::move(mend)}};
}

Result<void> download(const DownloadRequest& request) {
  if (PONDER_TRY(is_complete(request))) {
    const bool go_on = !request.progress || request.progress(*request.file.size);
    return go_on ? Result<void>() : stopped();
  }
  auto partial_path = request.target;
  partial_path += ".partial";
  Download download(request, PONDER_TRY(PartialFile::open(partial_path)));
  PONDER_TRY(download.fetch());
  return download.finish(partial_path);
}

}  // namespace ponder
