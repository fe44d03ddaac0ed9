// What a box is given: memory files and, without namespaces, a folder of the machine.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "judge/sandbox/box.hpp"

namespace ponder {

// A file without a name that holds `bytes`, at its beginning; invalid with errno on failure.
Fd memory_file(const char* name, std::string_view bytes, bool executable = false);
// The whole of a memory file, at most `limit` bytes.
std::string content_of(const Fd& file, int64_t limit);
// The same descriptor, moved above those that a helper is started with.
Fd moved_up(Fd fd);

// A folder in the machine's folder for temporary files, removed with whatever a guest put there.
class BoxFolder {
 public:
  BoxFolder() = default;
  static Result<BoxFolder> create();
  BoxFolder(BoxFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  BoxFolder& operator=(BoxFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~BoxFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What the helper reads: see job.hpp. `secret` for a probe.
struct JobText {
  box::JobHeader header;
  const BoxJob& job;
  const std::vector<std::string>& read_paths;
  const std::vector<std::string>& variables;
  std::string folder, secret;
  std::string text() const;
};

}  // namespace ponder
