// Files: read-only mappings, whole small files, and writes that appear complete or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ponder {

// A read-only mapping of a whole file. Movable; unmapped on destruction.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

  // Tells the system that these bytes, of any MappedFile, are not needed soon; they stay readable.
  static void release(std::span<const std::byte> range);
  // Asks the system to read these bytes ahead.
  void will_need(std::span<const std::byte> range) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  std::filesystem::path path_;
};

// The whole of a small file; an error if it is larger than `limit` bytes.
Result<std::string> read_file(const std::filesystem::path& path, uint64_t limit);

// A file that appears under its name only when commit() succeeds: written to a temporary file in
// the same folder, fsynced, renamed. Destroyed without commit(): the temporary file is removed.
class AtomicFile {
 public:
  static Result<AtomicFile> create(const std::filesystem::path& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  ~AtomicFile();

  Result<void> write(std::span<const std::byte> bytes);
  Result<void> write(std::string_view text);
  uint64_t offset() const { return offset_; }  // bytes written so far
  Result<void> commit();

 private:
  AtomicFile() = default;
  int descriptor_ = -1;
  uint64_t offset_ = 0;
  std::filesystem::path path_, temporary_;
};

// AtomicFile in one call.
Result<void> write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace ponder
