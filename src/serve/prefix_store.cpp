#include "serve/prefix_store.hpp"

#include <algorithm>
#include <system_error>

#include "base/log.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kMostCharacters = 64;  // of a name
constexpr size_t kMostPrefixes = 256;   // of all models
constexpr std::string_view kExtension = ".prefix";

bool belongs(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

Result<void> check_name(const std::string& name) {
  const bool good = !name.empty() && name.size() <= kMostCharacters && name[0] != '.' &&
                    std::all_of(name.begin(), name.end(), belongs);
  if (good) return {};
  return Failure{{.what = printable(name) + " is no name for a prefix",
                  .where = "name",
                  .mend = "use up to 64 letters, digits, '-', '_' and '.'"}};
}

// Where a model's prefixes lie.
std::filesystem::path model_folder(const std::filesystem::path& folder, std::string_view model) {
  std::string name(model.substr(0, kMostCharacters));
  for (char& c : name)
    if (!belongs(c)) c = '_';
  if (name.starts_with('.')) name[0] = '_';
  return folder / name;
}

std::filesystem::path prefix_path(const std::filesystem::path& folder, std::string_view model,
                                  std::string_view name) {
  return model_folder(folder, model) / (std::string(name) + std::string(kExtension));
}

Failure stops() { return {{.what = "the server stops", .where = "engine"}}; }

// Waits for the engine to have computed the prompt.
class ComputedSink : public GenerationSink {
 public:
  explicit ComputedSink(std::function<void(Result<void>)> done) : done_(std::move(done)) {}
  bool on_token(const TokenEvent&) override { return false; }
  void on_finish(const FinishEvent& event) override {
    if (event.reason == FinishReason::kCancelled) return done_(stops());
    done_({});
  }
  void on_error(const Error& error) override { done_(Failure{error}); }

 private:
  std::function<void(Result<void>)> done_;
};

}  // namespace

// A prefix on its way.
struct PrefixStore::Writing {
  std::shared_ptr<const ServedModel> model;
  std::filesystem::path path;
  std::vector<int32_t> tokens;
  Done done;

  Result<int64_t> write() const {
    std::error_code failed;
    std::filesystem::create_directories(path.parent_path(), failed);
    return model->backend->save_prefix(tokens, path);
  }
};

PrefixStore::PrefixStore(std::filesystem::path folder) : folder_(std::move(folder)) {
  if (on()) thread_ = std::thread([this] { work(); });
}

PrefixStore::~PrefixStore() { stop(); }

void PrefixStore::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void PrefixStore::save(std::shared_ptr<const ServedModel> model, const std::string& name,
                       std::vector<int32_t> tokens, Done done) {
  PONDER_CHECK(on());
  if (const auto good = check_name(name); !good.ok()) return done(Failure{good.error()});
  const std::filesystem::path path = prefix_path(folder_, model->name, name);
  std::error_code failed;
  if (!std::filesystem::exists(path, failed) && list().size() >= kMostPrefixes)
    return done(Failure{{.what = "there are " + std::to_string(kMostPrefixes) + " prefixes already",
                         .where = "name",
                         .mend = "delete some"}});
  auto writing = std::make_shared<Writing>(
      Writing{std::move(model), path, std::move(tokens), std::move(done)});
  const auto computed = [this, writing](Result<void> result) {
    if (!result.ok()) return writing->done(Failure{result.error()});
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_) {
        tasks_.push_back(writing);
        wake_.notify_one();
        return;
      }
    }
    writing->done(stops());
  };
  const Submitted submitted =
      writing->model->backend->submit(GenerationRequest{.prompt = writing->tokens, .max_tokens = 1},
                                      std::make_shared<ComputedSink>(computed));
  if (submitted.error == SubmitError::kNone) return;
  Error why = submitted.why;
  why.where = "engine";
  writing->done(Failure{std::move(why)});
}

void PrefixStore::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const auto writing = std::move(tasks_.front());
    tasks_.pop_front();
    const bool stopping = stopping_;
    lock.unlock();
    writing->done(stopping ? stops() : writing->write());
    lock.lock();
  }
}

std::vector<StoredPrefixFile> PrefixStore::list() const {
  std::vector<StoredPrefixFile> files;
  if (!on()) return files;
  std::error_code failed;
  for (const auto& model : std::filesystem::directory_iterator(folder_, failed)) {
    for (const auto& entry : std::filesystem::directory_iterator(model.path(), failed)) {
      if (entry.path().extension() != kExtension) continue;
      files.push_back({model.path().filename().string(), entry.path().stem().string(),
                       static_cast<uint64_t>(entry.file_size(failed))});
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) {
    return std::tie(a.model, a.name) < std::tie(b.model, b.name);
  });
  return files;
}

bool PrefixStore::remove(std::string_view model, std::string_view name) {
  if (!on() || !check_name(std::string(name)).ok()) return false;
  std::error_code failed;
  return std::filesystem::remove(prefix_path(folder_, model, name), failed);
}

int64_t load_prefixes(const std::filesystem::path& folder, const std::string& model,
                      Backend& backend) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(model_folder(folder, model), failed))
    if (entry.path().extension() == kExtension) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  int64_t loaded = 0;
  for (const auto& file : files) {
    const auto tokens = backend.load_prefix(file);
    loaded += tokens.ok() ? 1 : 0;
    if (!tokens.ok()) log(LogLevel::kWarning, tokens.error().message());
  }
  return loaded;
}

}  // namespace ponder
