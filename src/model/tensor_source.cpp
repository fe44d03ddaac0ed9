#include "model/tensor_source.hpp"

#include <algorithm>
#include <cstring>

#include "base/checked_math.hpp"
#include "quant/codec.hpp"
#include "quant/formats.hpp"

namespace ponder {
namespace {

constexpr int64_t kScaleBlock = 128;  // rows and columns that share an FP8 scale

// The shape without leading ones: some writers keep them, and (1, N) holds what (N) holds.
bool same_shape(const Shape& a, const Shape& b) {
  const auto first = [](const Shape& s) {
    int i = 0;
    while (i + 1 < s.rank && s[i] == 1) ++i;
    return i;
  };
  int i = first(a), j = first(b);
  if (a.rank - i != b.rank - j) return false;
  for (; i < a.rank; ++i, ++j)
    if (a[i] != b[j]) return false;
  return true;
}

Shape without_experts(const Shape& shape) { return Shape::of({shape[1], shape[2]}); }

}  // namespace

bool TensorSource::has(const ParamInfo& info) const {
  const std::string name = naming_ == Naming::kGguf ? gguf_name(info) : hf_name(info);
  return tensors_->find(name) != nullptr;
}

Result<TensorView> TensorSource::scale_of(const SourceTensor& tensor) const {
  if (tensor.view.dtype != DType::kF8E4M3 || tensor.view.shape.rank != 2) return TensorView{};
  const std::string name = tensor.name + "_scale_inv";
  const TensorView* scale = tensors_->find(name);
  const Shape expected = Shape::of(
      {ceil_div(tensor.view.shape[0], kScaleBlock), ceil_div(tensor.view.shape[1], kScaleBlock)});
  if (scale != nullptr && scale->dtype == DType::kF32 && scale->shape == expected) return *scale;
  return Failure{
      {.what = scale == nullptr
                   ? "has no scales: '" + name + "' is missing"
                   : "its scales '" + name + "' are " + std::string(dtype_name(scale->dtype)) +
                         " " + scale->shape.text() + ", expected f32 " + expected.text(),
       .where = tensors_->where(tensor.name),
       .mend = "FP8 weights must have f32 scales of 128×128 blocks, as DeepSeek's have"}};
}

Result<SourceTensor> TensorSource::find(const std::string& name, const Shape& shape) const {
  const TensorView* view = tensors_->find(name);
  if (view == nullptr) {
    return Failure{{.what = "is missing; the configuration asks for " + shape.text(),
                    .where = tensors_->where(name),
                    .mend = "get all files of the model again"}};
  }
  if (!same_shape(view->shape, shape)) {
    return Failure{{.what = "has the shape " + view->shape.text() +
                            ", but the configuration asks for " + shape.text(),
                    .where = tensors_->where(name),
                    .mend = "get configuration and weights from the same place"}};
  }
  if (!is_format(view->dtype)) {
    return Failure{{.what = "has the format " + std::string(dtype_name(view->dtype)) +
                            ", which weights cannot have",
                    .where = tensors_->where(name),
                    .mend = "get the file again"}};
  }
  SourceTensor tensor{name, *view, {}};
  tensor.view.shape = shape;
  tensor.block_scale = PONDER_TRY(scale_of(tensor));
  return tensor;
}

Result<SourceParam> TensorSource::find(const ParamInfo& info) const {
  SourceParam param{{}, info.shape};
  const bool separate = info.is_experts() && naming_ == Naming::kHuggingFace;
  if (!separate) {
    const std::string name = naming_ == Naming::kGguf ? gguf_name(info) : hf_name(info);
    param.tensors.push_back(PONDER_TRY(find(name, info.shape)));
    return param;
  }
  for (int64_t e = 0; e < info.shape[0]; ++e) {
    param.tensors.push_back(PONDER_TRY(find(hf_name(info, e), without_experts(info.shape))));
    if (param.tensors.back().view.dtype == param.tensors[0].view.dtype) continue;
    return Failure{{.what = "has another format than the first expert's",
                    .where = tensors_->where(param.tensors.back().name),
                    .mend = "all experts of a layer must have the same format"}};
  }
  return param;
}

void TensorSource::release(const SourceParam& param) const {
  for (const SourceTensor& tensor : param.tensors) tensors_->release(tensor.name);
}

uint64_t TensorSource::bytes(const SourceParam& param) const {
  uint64_t sum = 0;
  for (const SourceTensor& tensor : param.tensors)
    sum += tensor.view.bytes.size() + tensor.block_scale.bytes.size();
  return sum;
}

void decode_rows(const SourceTensor& tensor, int64_t begin, int64_t end, float* out) {
  const TensorView& view = tensor.view;
  const int64_t cols = view.shape[view.shape.rank - 1];
  const auto bytes = static_cast<int64_t>(*row_bytes(view.dtype, static_cast<uint64_t>(cols)));
  for (int64_t row = begin; row < end; ++row) {
    float* values = out + (row - begin) * cols;
    decode_row(view.dtype, view.bytes.data() + row * bytes, cols, values);
    if (tensor.block_scale.empty()) continue;
    const std::byte* scales = tensor.block_scale.bytes.data() +
                              row / kScaleBlock * tensor.block_scale.shape[1] * sizeof(float);
    for (int64_t c = 0; c < cols; ++c) {
      float scale;
      std::memcpy(&scale, scales + c / kScaleBlock * sizeof(float), sizeof(float));
      values[c] *= scale;
    }
  }
}

KvBFloats split_kv_b(const AttentionConfig& config, const Buffer<float>& whole) {
  const MlaConfig& m = *config.mla;
  const int64_t dn = m.nope_dim, dv = m.value_dim, rk = m.kv_rank;
  KvBFloats halves{Buffer<float>(static_cast<size_t>(config.heads * rk * dn)),
                   Buffer<float>(static_cast<size_t>(config.heads * dv * rk))};
  for (int64_t i = 0; i < config.heads; ++i) {
    const float* head = whole.data() + i * (dn + dv) * rk;
    float* keys = halves.keys.data() + i * rk * dn;
    for (int64_t j = 0; j < dn; ++j)
      for (int64_t c = 0; c < rk; ++c) keys[c * dn + j] = head[j * rk + c];
    std::copy_n(head + dn * rk, dv * rk, halves.values.data() + i * dv * rk);
  }
  return halves;
}

Buffer<float> join_kv_b(const AttentionConfig& config, const KvBFloats& halves) {
  const MlaConfig& m = *config.mla;
  const int64_t dn = m.nope_dim, dv = m.value_dim, rk = m.kv_rank;
  Buffer<float> whole(static_cast<size_t>(config.heads * (dn + dv) * rk));
  for (int64_t i = 0; i < config.heads; ++i) {
    float* head = whole.data() + i * (dn + dv) * rk;
    const float* keys = halves.keys.data() + i * rk * dn;
    for (int64_t j = 0; j < dn; ++j)
      for (int64_t c = 0; c < rk; ++c) head[j * rk + c] = keys[c * dn + j];
    std::copy_n(halves.values.data() + i * dv * rk, dv * rk, head + dn * rk);
  }
  return whole;
}

}  // namespace ponder
