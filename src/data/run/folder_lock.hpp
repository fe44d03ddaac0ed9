// Keeps two processes from doing the same part of a step at once: one that was started again while
// the one before still ends would otherwise write into its files.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace ponder {

class FolderLock {
 public:
  // Takes the lock for `rank` in the folder of a step, which is created; waits up to 20 s for a
  // process that holds it. The system gives it back when the process ends, however it ends. Where
  // a file system knows no locks there is none.
  static Result<FolderLock> take(const std::filesystem::path& folder, int rank);

  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace ponder
