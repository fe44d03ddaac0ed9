#include "ops/matmul/matmul_ref.hpp"

#include <vector>

#include "base/checked_math.hpp"
#include "ops/matmul/matmul_kernel.hpp"
#include "quant/codec.hpp"

namespace ponder::ref {

namespace {

// Rows of one matrix of a weight as f32.
class RowReader {
 public:
  RowReader(const Weight& weight, int64_t matrix)
      : raw_(weight.raw(matrix)),
        block_scale_(weight.block_scale(matrix)),
        stride_(static_cast<int64_t>(*row_bytes(raw_.dtype, static_cast<uint64_t>(weight.cols())))),
        row_(static_cast<size_t>(weight.cols())) {}

  const std::vector<float>& read(int64_t n) {
    const auto cols = std::ssize(row_);
    decode_row(raw_.dtype, raw_.bytes.data() + n * stride_, cols, row_.data());
    if (block_scale_ != nullptr) {
      const float* scale = block_scale_ + n / 128 * ceil_div<int64_t>(cols, 128);
      for (int64_t k = 0; k < cols; ++k) row_[static_cast<size_t>(k)] *= scale[k / 128];
    }
    return row_;
  }

 private:
  const TensorView& raw_;
  const float* block_scale_;
  int64_t stride_;
  std::vector<float> row_;
};

}  // namespace

void matmul_rows(const Product& product, int64_t begin, int64_t end) {
  const int64_t cols = product.weight->cols();
  RowReader reader(*product.weight, product.matrix);
  for (int64_t n = begin; n < end; ++n) {
    const std::vector<float>& row = reader.read(n);
    for (int64_t t = 0; t < product.input->count; ++t) {
      const float* x = product.input->column(t);
      double sum = product.bias == nullptr ? 0.0 : product.bias[n];
      for (int64_t k = 0; k < cols; ++k)
        sum += static_cast<double>(row[static_cast<size_t>(k)]) * x[k];
      product.y[t * product.y_stride + n] = static_cast<float>(sum);
    }
  }
}

void backward_input_row(const InputGradient& gradient, int64_t t) {
  const Weight& weight = *gradient.weight;
  const float* dy = gradient.dy.column(t);
  float* dx = gradient.dx + t * gradient.dx_stride;
  RowReader reader(weight, gradient.matrix);
  std::vector<double> sums(static_cast<size_t>(weight.cols()));
  for (int64_t n = 0; n < weight.rows(); ++n) {
    const std::vector<float>& row = reader.read(n);
    for (size_t k = 0; k < sums.size(); ++k)
      sums[k] += static_cast<double>(dy[n]) * static_cast<double>(row[k]);
  }
  for (size_t k = 0; k < sums.size(); ++k) {
    const double before = gradient.accumulate ? static_cast<double>(dx[k]) : 0.0;
    dx[k] = static_cast<float>(before + sums[k]);
  }
}

void backward_weight_row(const WeightGradient& gradient, int64_t n) {
  const int64_t cols = gradient.weight->cols();
  float* dw = gradient.dw + (gradient.matrix * gradient.weight->rows() + n) * cols;
  std::vector<double> sums(static_cast<size_t>(cols));
  for (int64_t t = 0; t < gradient.x.count; ++t) {
    const double dy = static_cast<double>(gradient.dy.column(t)[n]);
    const float* x = gradient.x.column(t);
    for (size_t k = 0; k < sums.size(); ++k) sums[k] += dy * static_cast<double>(x[k]);
  }
  for (size_t k = 0; k < sums.size(); ++k)
    dw[k] = static_cast<float>(static_cast<double>(dw[k]) + sums[k]);
}

MatmulKernels matmul_kernels() { return {}; }
GemmKernels gemm_kernels() { return {}; }

}  // namespace ponder::ref
