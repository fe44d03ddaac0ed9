#include "data/run/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

namespace ponder {
namespace {

constexpr int kTries = 200;
constexpr std::chrono::milliseconds kPause{100};

}  // namespace

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder, int rank) {
  const std::filesystem::path hidden = folder / ".ponder";
  std::error_code error;
  std::filesystem::create_directories(hidden, error);
  if (error) return Failure{{.what = error.message(), .where = hidden.string()}};
  const auto path = hidden / ("lock-" + std::to_string(rank));
  FolderLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.descriptor_ < 0) return Failure{{.what = std::strerror(errno), .where = path.string()}};
  for (int i = 0; ::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0; ++i) {
    if (errno != EWOULDBLOCK && errno != EINTR) break;
    if (i == kTries)
      return Failure{{.what = "another process works in this folder",
                      .where = folder.string(),
                      .mend = "wait for it, or end it"}};
    std::this_thread::sleep_for(kPause);
  }
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace ponder
