// What each instruction set implements of matmul and moe, and of their gradients.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.hpp"
#include "ops/matmul/gemm.hpp"

namespace ponder {

// Groups [group_begin, group_end) of 16 outputs of one packed matrix, for all `count` columns.
struct MatmulTask {
  const std::byte* weight = nullptr;  // packed matrix: groups of group_bytes
  int64_t group_bytes = 0;
  int64_t group_begin = 0, group_end = 0;
  int64_t rows = 0;                        // N
  int64_t cols = 0;                        // K
  const float* block_scale = nullptr;      // (⌈N/128⌉, ⌈K/128⌉), kF8E4M3 only, or nullptr
  const std::byte* activations = nullptr;  // packed, see packed.hpp and panel.hpp
  int64_t count = 0;                       // T
  float* y = nullptr;                      // (T, N), row t at y + t·y_stride
  int64_t y_stride = 0;
  const float* bias = nullptr;  // (N) or nullptr
};

// One column to be packed.
struct ActivationTask {
  const float* x = nullptr;     // (K): the row of x that becomes the column
  int64_t cols = 0;             // K
  int64_t column = 0;           // which …
  int64_t count = 0;            // … of how many
  std::byte* packed = nullptr;  // of all columns
};

struct MatmulKernels {
  using Kernel = void (*)(const MatmulTask&) noexcept;
  using Packer = void (*)(const ActivationTask&) noexcept;

  Kernel int8[kDTypeCount] = {};    // by weight format; null where there is none (plain formats)
  Kernel floats[kDTypeCount] = {};  // null for types that weights cannot have
  Packer pack_int8 = nullptr;       // rounds: K is a multiple of 32
  Packer pack_floats = nullptr;
  int64_t (*int8_column_bytes)(int64_t cols) = nullptr;  // of a packed column in the int8 form
};

// For f32, many columns, and gradients.
struct GemmKernels {
  void (*multiply)(const GemmTask&) noexcept = nullptr;
  void (*pack_lines)(const LinesTask&) noexcept = nullptr;
  void (*transpose[kDTypeCount])(const TransposeTask&) noexcept = {};  // by weight format
};

// The reference has no kernels of these kinds (all null): matmul_ref.hpp works on the file's own
// bytes.
namespace ref {
MatmulKernels matmul_kernels();
GemmKernels gemm_kernels();
}  // namespace ref
namespace avx2 {
MatmulKernels matmul_kernels();
GemmKernels gemm_kernels();
}  // namespace avx2
namespace avx512 {
MatmulKernels matmul_kernels();
GemmKernels gemm_kernels();
}  // namespace avx512
namespace avx512_vnni {
MatmulKernels matmul_kernels();
}

}  // namespace ponder
