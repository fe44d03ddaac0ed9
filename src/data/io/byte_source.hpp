// Bytes of a file or of standard input, as they are or unpacked from gzip or zstd, in order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"

namespace ponder {

class ByteSource {
 public:
  // How a file is packed is seen in its first bytes, not in its name. "-": standard input.
  static Result<std::unique_ptr<ByteSource>> open(const std::filesystem::path& path);
  virtual ~ByteSource() = default;

  // Fills at most bytes.size() bytes; 0 at the end. A damaged or truncated file is an error, after
  // all that could be unpacked before the damage has been given.
  virtual Result<size_t> read(std::span<char> bytes) = 0;
  // Leaves out the next `count` bytes (of the unpacked text).
  virtual Result<void> skip(uint64_t count);
  virtual bool packed() const { return true; }
};

}  // namespace ponder
