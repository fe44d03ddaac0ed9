#include "ops/matmul/weight.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked_math.hpp"
#include "ops/matmul/pack.hpp"
#include "ops/matmul/packed.hpp"
#include "quant/formats.hpp"

namespace ponder {
namespace {

constexpr int64_t kScaleBlock = 128;      // rows and columns that share an FP8 scale
constexpr int64_t kPackBytes = 16 << 20;  // packed between two calls of `done`

// Matrix `index` of a stack (S, N, K), or the matrix (N, K) itself.
TensorView matrix_of(const TensorView& view, int64_t index) {
  if (view.shape.rank == 2) return view;
  const int64_t rows = view.shape[1], cols = view.shape[2];
  const auto bytes =
      static_cast<size_t>(rows) * *row_bytes(view.dtype, static_cast<uint64_t>(cols));
  return {.dtype = view.dtype,
          .shape = Shape::of({rows, cols}),
          .bytes = view.bytes.subspan(static_cast<size_t>(index) * bytes, bytes)};
}

}  // namespace

Weight Weight::pack(const Context& context, const TensorView& view, const float* block_scale,
                    const BytesDone& done) {
  PONDER_CHECK(view.shape.rank == 2 || view.shape.rank == 3);
  const int64_t stack = view.shape.rank == 3 ? view.shape[0] : 1;
  std::vector<TensorView> views;
  for (int64_t i = 0; i < stack; ++i) views.push_back(matrix_of(view, i));
  const int64_t rows = views[0].shape[0], cols = views[0].shape[1];
  const int64_t per_matrix = ceil_div(rows, kScaleBlock) * ceil_div(cols, kScaleBlock);
  std::vector<const float*> scales;
  if (block_scale != nullptr) {
    for (int64_t i = 0; i < stack; ++i) scales.push_back(block_scale + i * per_matrix);
  }
  return pack(context, views, scales, done);
}

Weight Weight::pack(const Context& context, const std::vector<TensorView>& views,
                    const std::vector<const float*>& block_scales, const BytesDone& done) {
  PONDER_CHECK(!views.empty() && (block_scales.empty() || block_scales.size() == views.size()));
  Weight weight;
  weight.dtype_ = views[0].dtype;
  weight.stack_ = static_cast<int64_t>(views.size());
  weight.rows_ = views[0].shape[0];
  weight.cols_ = views[0].shape[1];
  for (const auto& view : views) {
    PONDER_CHECK(is_format(view.dtype) && view.dtype == weight.dtype_ && view.shape.rank == 2 &&
                 view.shape == views[0].shape);
  }
  if (!block_scales.empty()) {
    const auto count = static_cast<size_t>(weight.scale_elements());
    weight.block_scale_ = Buffer<float>(count * views.size());
    for (size_t i = 0; i < views.size(); ++i)
      std::memcpy(weight.block_scale_.data() + i * count, block_scales[i], count * sizeof(float));
  }
  weight.raw_ = views;
  if (context.isa != Isa::kRef) weight.pack_matrices(context, done);
  return weight;
}

Weight Weight::from_floats(const Context& context, const float* values, int64_t stack, int64_t rows,
                           int64_t cols) {
  const auto bytes = std::as_bytes(std::span(values, static_cast<size_t>(stack * rows * cols)));
  Buffer<float> floats;
  TensorView view{.dtype = DType::kF32, .shape = Shape::of({stack, rows, cols}), .bytes = bytes};
  if (context.isa == Isa::kRef) {
    floats = Buffer<float>(bytes.size() / sizeof(float));
    std::memcpy(floats.data(), bytes.data(), bytes.size());
    view.bytes = std::as_bytes(floats.span());
  }
  Weight weight = pack(context, view);
  weight.floats_ = std::move(floats);
  return weight;
}

void Weight::pack_matrices(const Context& context, const BytesDone& done) {
  group_bytes_ = packed_group_bytes(dtype_, cols_);
  const int64_t groups = weight_groups(rows_);
  packed_stride_ = groups * group_bytes_;
  packed_ = Buffer<std::byte>(static_cast<size_t>(stack_ * packed_stride_));
  prefer_huge_pages(packed_.data(), packed_.size());
  const int64_t step = std::max<int64_t>(1, kPackBytes / group_bytes_);
  const auto row = *row_bytes(dtype_, static_cast<uint64_t>(cols_));
  for (int64_t first = 0; first < stack_ * groups; first += step) {
    const int64_t last = std::min(first + step, stack_ * groups);
    context.pool->run(last - first, [&](int64_t task, int) {
      const int64_t at = first + task;
      pack_group(raw(at / groups), at % groups, packed_.data() + at * group_bytes_);
    });
    if (!done) continue;
    for (int64_t matrix = first / groups; matrix * groups < last; ++matrix) {
      const int64_t begin = std::max(first - matrix * groups, int64_t{0}) * kGroupRows;
      const int64_t end = std::min((last - matrix * groups) * kGroupRows, rows_);
      done(raw(matrix).bytes.subspan(static_cast<size_t>(begin) * row,
                                     static_cast<size_t>(end - begin) * row));
    }
  }
  raw_.clear();
}

std::span<const float> Weight::values() const {
  PONDER_CHECK(dtype_ == DType::kF32 && owns());
  if (floats_.size() > 0) return floats_.span();
  return {reinterpret_cast<const float*>(packed_.data()), packed_.size() / sizeof(float)};
}

std::span<float> Weight::values() {
  const auto values = std::as_const(*this).values();
  return {const_cast<float*>(values.data()), values.size()};
}

void Weight::values_to_rows(std::span<const float> values, float* rows) const {
  PONDER_CHECK(values.size() == this->values().size());
  for (int64_t i = 0; i < stack_ * rows_ * cols_; ++i)
    rows[i] = values[static_cast<size_t>(place_of_value(i))];
}

void Weight::rows_to_values(const float* rows, std::span<float> values) const {
  PONDER_CHECK(values.size() == this->values().size());
  std::fill(values.begin(), values.end(), 0.0f);
  for (int64_t i = 0; i < stack_ * rows_ * cols_; ++i)
    values[static_cast<size_t>(place_of_value(i))] = rows[i];
}

// Where element i of (S, N, K) lies in values().
int64_t Weight::place_of_value(int64_t i) const {
  if (group_bytes_ == 0) return i;
  const int64_t matrix = i / cols_ / rows_, n = i / cols_ % rows_, k = i % cols_;
  const int64_t group = matrix * weight_groups(rows_) + n / kGroupRows;
  return (group * cols_ + k) * kGroupRows + n % kGroupRows;
}

int64_t Weight::scale_elements() const {
  return ceil_div(rows_, kScaleBlock) * ceil_div(cols_, kScaleBlock);
}

const float* Weight::block_scale(int64_t index) const {
  return block_scale_.size() == 0 ? nullptr : block_scale_.data() + index * scale_elements();
}

int64_t Weight::bytes() const {
  return static_cast<int64_t>(packed_.size() +
                              sizeof(float) * (block_scale_.size() + floats_.size()));
}

}  // namespace ponder
