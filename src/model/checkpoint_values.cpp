#include "model/checkpoint_values.hpp"

#include <algorithm>

namespace ponder {
namespace {

Buffer<float> decode_all(const SourceParam& param) {
  Buffer<float> values(static_cast<size_t>(param.shape.elements()));
  const int64_t cols = param.shape[param.shape.rank - 1];
  float* out = values.data();
  for (const SourceTensor& tensor : param.tensors) {
    const int64_t elements = tensor.view.shape.elements();
    decode_rows(tensor, 0, elements / cols, out);
    out += elements;
  }
  return values;
}

// Llama of GGUF has the rows of q and k permuted for interleaved rotation: row 2j + b of a head
// there is row b·d/2 + j of Hugging Face's (model-spec §14).
Buffer<float> unpermute(const Buffer<float>& values, int64_t heads, const Shape& shape) {
  const int64_t dim = shape[0] / heads, cols = shape[1], half = dim / 2;
  Buffer<float> result(values.size());
  for (int64_t row = 0; row < shape[0]; ++row) {
    const int64_t head = row / dim, j = row % dim / 2, b = row % 2;
    std::copy_n(values.data() + row * cols, cols,
                result.data() + (head * dim + b * half + j) * cols);
  }
  return result;
}

bool same_values(const Buffer<float>& a, const Buffer<float>& b) {
  return std::equal(a.data(), a.data() + a.size(), b.data(), b.data() + b.size());
}

}  // namespace

bool is_llama_gguf(const ModelFiles& files) {
  return files.config.architecture == Architecture::kLlama &&
         files.naming == TensorSource::Naming::kGguf;
}

Result<Buffer<float>> CheckpointValues::take(const ParamInfo& info) const {
  const AttentionConfig& a = files_.config.attention;
  if (info.kind == ParamKind::kKvB && files_.naming == TensorSource::Naming::kGguf &&
      !source_.has(info)) {
    return join_kv_b(a, {PONDER_TRY(half(gguf_k_b_name(info.layer), gguf_k_b_shape(a))),
                         PONDER_TRY(half(gguf_v_b_name(info.layer), gguf_v_b_shape(a)))});
  }
  const SourceParam param = PONDER_TRY(source_.find(info));
  Buffer<float> values = decode_all(param);
  source_.release(param);
  if (is_llama_gguf(files_) && (info.kind == ParamKind::kQ || info.kind == ParamKind::kK))
    return unpermute(values, info.kind == ParamKind::kQ ? a.heads : a.kv_heads, info.shape);
  return values;
}

Result<void> CheckpointValues::check_shared() const {
  const Config& c = files_.config;
  const Shape shape = Shape::of({c.vocab, c.hidden});
  const ParamKind own_output = c.tied ? ParamKind::kEmbedding : ParamKind::kOutput;
  for (const auto& [copy, own] : {std::pair(ParamKind::kMtpEmbedding, ParamKind::kEmbedding),
                                  std::pair(ParamKind::kMtpOutput, own_output)}) {
    const ParamInfo info{copy, c.layers, shape};
    if (!source_.has(info)) continue;
    if (same_values(PONDER_TRY(take(info)), PONDER_TRY(take({own, -1, shape})))) continue;
    return Failure{{.what = "is not the model's own, which training supposes",
                    .where = files_.tensors.where(hf_name(info)),
                    .mend = "train it without the multi-token-prediction block"}};
  }
  return {};
}

Result<Buffer<float>> CheckpointValues::half(const std::string& name, const Shape& shape) const {
  return decode_all({{PONDER_TRY(source_.find(name, shape))}, shape});
}

}  // namespace ponder
