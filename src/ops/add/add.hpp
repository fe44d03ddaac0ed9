// Sum of two arrays: y = a + b (residual connections).
#pragma once

#include <cstdint>

#include "device/context.hpp"

namespace ponder {

struct AddArgs {
  const float* a = nullptr;  // (N)
  const float* b = nullptr;  // (N)
  float* y = nullptr;        // (N); may be a or b
  int64_t count = 0;
};

// Elements [begin, end).
using AddKernel = void (*)(const AddArgs&, int64_t begin, int64_t end) noexcept;

void add(const Context& context, const AddArgs& args);

// The kernels of each instruction set, for ops/kernel_table.cpp.
namespace ref {
void add(const AddArgs& args, int64_t begin, int64_t end) noexcept;
}
namespace avx2 {
void add(const AddArgs& args, int64_t begin, int64_t end) noexcept;
}
namespace avx512 {
void add(const AddArgs& args, int64_t begin, int64_t end) noexcept;
}

}  // namespace ponder
