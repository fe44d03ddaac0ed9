#include "base/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ponder {
namespace {

Failure system_failure(const std::string& what, const std::filesystem::path& path) {
  const int code = errno;
  std::string mend;
  if (code == ENOENT) mend = "check the path";
  if (code == EACCES || code == EPERM) mend = "check the permissions";
  if (code == ENOSPC) mend = "free some space";
  return Failure{{.what = what + ": " + std::strerror(code), .where = path.string(), .mend = mend}};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_failure("cannot open", path);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    const auto failure = system_failure("cannot stat", path);
    ::close(descriptor);
    return failure;
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return Failure{{.what = "not a regular file", .where = path.string()}};
  }
  MappedFile file;
  file.path_ = path;
  file.size_ = static_cast<size_t>(status.st_size);
  if (file.size_ > 0) {
    void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED) {
      const auto failure = system_failure("cannot map", path);
      ::close(descriptor);
      file.size_ = 0;
      return failure;
    }
    file.data_ = static_cast<const std::byte*>(data);
  }
  ::close(descriptor);
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      path_(std::move(other.path_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

namespace {

// madvise on the whole pages inside `range`.
void advise(std::span<const std::byte> range, int advice) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(range.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(range.data() + range.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

}  // namespace

void MappedFile::release(std::span<const std::byte> range) { advise(range, MADV_DONTNEED); }
void MappedFile::will_need(std::span<const std::byte> range) const { advise(range, MADV_WILLNEED); }

Result<std::string> read_file(const std::filesystem::path& path, uint64_t limit) {
  const auto file = PONDER_TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  if (bytes.size() > limit) {
    return Failure{{.what = "file of " + std::to_string(bytes.size()) +
                            " bytes is larger than the limit of " + std::to_string(limit),
                    .where = path.string()}};
  }
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path) {
  static std::atomic<int> counter{0};
  AtomicFile file;
  file.path_ = path;
  file.temporary_ = path;
  file.temporary_ += ".tmp" + std::to_string(::getpid()) + "." + std::to_string(counter++);
  file.descriptor_ = ::open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file.descriptor_ < 0) return system_failure("cannot create", file.temporary_);
  return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      offset_(other.offset_),
      path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(offset_, other.offset_);
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  return *this;
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

Result<void> AtomicFile::write(std::span<const std::byte> bytes) {
  PONDER_CHECK(descriptor_ >= 0);
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return system_failure("cannot write", path_);
    }
    offset_ += static_cast<uint64_t>(count);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

Result<void> AtomicFile::write(std::string_view text) {
  return write(std::as_bytes(std::span(text.data(), text.size())));
}

Result<void> AtomicFile::commit() {
  PONDER_CHECK(descriptor_ >= 0);
  if (::fsync(descriptor_) != 0) return system_failure("cannot flush", path_);
  if (::close(std::exchange(descriptor_, -1)) != 0) {
    const auto failure = system_failure("cannot close", path_);
    ::unlink(temporary_.c_str());
    return failure;
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const auto failure = system_failure("cannot rename", path_);
    ::unlink(temporary_.c_str());
    return failure;
  }
  return {};
}

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
  auto file = PONDER_TRY(AtomicFile::create(path));
  PONDER_TRY(file.write(text));
  return file.commit();
}

}  // namespace ponder
