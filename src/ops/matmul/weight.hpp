// A weight matrix as the products use it: a stack of S matrices (1, or one per expert or head),
// each (N, K) = (out, in), in the file's own format, packed for the chosen instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/buffer.hpp"
#include "core/tensor_view.hpp"
#include "device/context.hpp"

namespace ponder {

class Weight {
 public:
  Weight() = default;

  // `view`: (N, K), or (S, N, K). For kF8E4M3 `block_scale` holds (S, ⌈N/128⌉, ⌈K/128⌉) f32
  // factors. The reference keeps the view and reads it in place; the other ISAs copy it, packed,
  // after which the view's memory is not needed any more (owns() is true): `done` is told of each
  // part, so that a file's pages need not stay in memory beside the copy.
  using BytesDone = std::function<void(std::span<const std::byte>)>;
  static Weight pack(const Context& context, const TensorView& view,
                     const float* block_scale = nullptr, const BytesDone& done = {});
  // Several (N, K) views of one format and shape, packed as a stack (experts in separate tensors).
  static Weight pack(const Context& context, const std::vector<TensorView>& views,
                     const std::vector<const float*>& block_scales = {},
                     const BytesDone& done = {});
  // Same, but the raw data itself is owned (converted or transposed at load).
  static Weight from_floats(const Context& context, const float* values, int64_t stack,
                            int64_t rows,
                            int64_t cols);  // values (S, N, K)

  bool empty() const { return rows_ == 0; }
  DType dtype() const { return dtype_; }
  int64_t stack() const { return stack_; }
  int64_t rows() const { return rows_; }  // N
  int64_t cols() const { return cols_; }  // K
  bool owns() const { return packed_.size() > 0 || floats_.size() > 0; }
  int64_t bytes() const;  // memory owned

  // The numbers of a kF32 weight that owns them (made by from_floats, or by pack but on the
  // reference), as one flat array that an optimiser may change in place. Its layout depends on the
  // instruction set alone: (S, N, K) on the reference, else (S, ⌈N/16⌉, K, 16) with row 16·g + i in
  // lane i of group g, and zeros in the lanes past N. Gradients have it too.
  std::span<float> values();
  std::span<const float> values() const;
  // Between that layout and (S, N, K).
  void values_to_rows(std::span<const float> values, float* rows) const;
  void rows_to_values(const float* rows, std::span<float> values) const;

  // For kernels.
  const std::byte* packed(int64_t index) const { return packed_.data() + index * packed_stride_; }
  int64_t group_bytes() const { return group_bytes_; }  // of 16 packed rows
  const TensorView& raw(int64_t index) const { return raw_[static_cast<size_t>(index)]; }
  const float* block_scale(int64_t index) const;  // (⌈N/128⌉, ⌈K/128⌉) or nullptr

 private:
  int64_t place_of_value(int64_t i) const;
  int64_t scale_elements() const;  // of one matrix's block scales
  void pack_matrices(const Context& context, const BytesDone& done);

  DType dtype_ = DType::kF32;
  int64_t stack_ = 0, rows_ = 0, cols_ = 0;
  int64_t group_bytes_ = 0, packed_stride_ = 0;  // packed_stride_: bytes of one packed matrix
  Buffer<std::byte> packed_;
  std::vector<TensorView> raw_;  // the matrices as given; kept by the reference only
  Buffer<float> block_scale_;    // (S, ⌈N/128⌉, ⌈K/128⌉) or empty
  Buffer<float> floats_;         // what raw_ views when made by from_floats
};

}  // namespace ponder
