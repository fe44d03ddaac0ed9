#include "ops/matmul/matmul_ref.hpp"

#include <vector>

#include "base/checked_math.hpp"
#include "ops/matmul/matmul_kernel.hpp"
#include "quant/codec.hpp"

namespace ponder::ref {

void matmul_rows(const Product& product, int64_t begin, int64_t end) {
  const Weight& weight = *product.weight;
  const TensorView& raw = weight.raw(product.matrix);
  const int64_t cols = weight.cols();
  const auto stride = static_cast<int64_t>(*row_bytes(raw.dtype, static_cast<uint64_t>(cols)));
  const float* block_scale = weight.block_scale(product.matrix);
  std::vector<float> row(static_cast<size_t>(cols));
  for (int64_t n = begin; n < end; ++n) {
    decode_row(raw.dtype, raw.bytes.data() + n * stride, cols, row.data());
    if (block_scale != nullptr) {
      const float* scale = block_scale + n / 128 * ceil_div<int64_t>(cols, 128);
      for (int64_t k = 0; k < cols; ++k) row[static_cast<size_t>(k)] *= scale[k / 128];
    }
    for (int64_t t = 0; t < product.input->count; ++t) {
      const float* x = product.input->column(t);
      double sum = product.bias == nullptr ? 0.0 : product.bias[n];
      for (int64_t k = 0; k < cols; ++k)
        sum += static_cast<double>(row[static_cast<size_t>(k)]) * x[k];
      product.y[t * product.y_stride + n] = static_cast<float>(sum);
    }
  }
}

MatmulKernels matmul_kernels() { return {}; }

}  // namespace ponder::ref
