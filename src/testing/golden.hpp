// Golden tensors for tests: safetensors files under tests/golden/, written by tools/golden/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/macros.hpp"
#include "core/dtype.hpp"

namespace ponder::testing {

struct GoldenTensor {
  DType dtype;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  // The elements in order; T must have the size of the stored elements.
  template <typename T>
  std::vector<T> values() const {
    PONDER_CHECK(dtype_info(dtype).block_bytes == sizeof(T));
    std::vector<T> result(bytes.size() / sizeof(T));
    std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
  }
};

// All tensors of a file by name. Aborts if the file is missing or damaged: a test without its
// golden values must not pass. `path` is relative to the root of the repository, where tests run.
std::map<std::string, GoldenTensor> load_golden(const std::string& path);

}  // namespace ponder::testing
