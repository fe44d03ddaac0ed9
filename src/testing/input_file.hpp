// A file in memory, for code that opens files by path.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/macros.hpp"

namespace ponder::testing {

class InputFile {
 public:
  InputFile(const uint8_t* data, size_t size) : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
    PONDER_CHECK(descriptor_ >= 0);
    PONDER_CHECK(::write(descriptor_, data, size) == static_cast<ssize_t>(size));
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { ::close(descriptor_); }

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

// Reads every byte, so that a sanitizer sees a view that reaches too far.
template <typename Bytes>
unsigned touch(const Bytes& bytes) {
  unsigned sum = 0;
  for (const auto byte : bytes) sum += static_cast<unsigned>(byte);
  return sum;
}

// Keeps what was computed.
inline void keep(unsigned value) { asm volatile("" : : "r"(value)); }

}  // namespace ponder::testing
