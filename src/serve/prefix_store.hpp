// Beginnings of conversations that outlive the server: the keys and values of each in a file of its
// own, MODEL/NAME.prefix in a folder.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "serve/served_model.hpp"

namespace ponder {

struct StoredPrefixFile {
  std::string model;  // its folder: characters that do not belong into a name are '_'
  std::string name;
  uint64_t bytes = 0;
};

class PrefixStore {
 public:
  // An empty folder: nothing can be saved.
  explicit PrefixStore(std::filesystem::path folder);
  ~PrefixStore();
  // What is not saved yet fails, and models are used no more. Engines may still call back: the
  // store must outlive them.
  void stop();

  bool on() const { return !folder_.empty(); }

  // Computes what of `tokens` the cache does not have, writes all, and calls `done` with how many
  // tokens that are, from another thread. A prefix of the same name is replaced. Errors: the name,
  // the engine refuses (`where` is "engine"), too many prefixes, the file.
  using Done = std::function<void(Result<int64_t>)>;
  void save(std::shared_ptr<const ServedModel> model, const std::string& name,
            std::vector<int32_t> tokens, Done done);

  std::vector<StoredPrefixFile> list() const;  // by model and name
  bool remove(std::string_view model, std::string_view name);

 private:
  struct Writing;
  void work();

  std::filesystem::path folder_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<const Writing>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

// Puts all prefixes of the model into its cache, in the order of their names. What cannot be used,
// because it is damaged or of another model, is logged and left alone. Returns their number.
int64_t load_prefixes(const std::filesystem::path& folder, const std::string& model,
                      Backend& backend);

}  // namespace ponder
