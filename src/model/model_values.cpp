// A model made of values instead of files.
#include <new>

#include "model/model.hpp"
#include "model/tensor_source.hpp"

namespace ponder {

// Walks the parameters, keeping the first error.
class ValueLoader {
 public:
  ValueLoader(const Context& context, const Model::ParamValues& values)
      : context_(context), values_(values) {}

  Result<Model> load(const Config& config, bool with_mtp) {
    model_.config_ = config;
    model_.isa_ = context_.isa;
    model_.params_.layers.resize(static_cast<size_t>(config.layers));
    model_.params_.mtp.resize(with_mtp ? 1 : 0);
    Result<void> status;
    for_each_param(config, model_.params_, [&](const ParamInfo& info, auto& member) {
      if (status.ok() && !is_shared(info.kind)) status = set(info, member);
    });
    PONDER_TRY(std::move(status));
    return std::move(model_);
  }

 private:
  static bool is_shared(ParamKind kind) {
    return kind == ParamKind::kMtpEmbedding || kind == ParamKind::kMtpOutput;
  }

  Result<Buffer<float>> take(const ParamInfo& info) {
    Buffer<float> values = PONDER_TRY(values_(info));
    PONDER_CHECK(static_cast<int64_t>(values.size()) == info.shape.elements());
    model_.owned_bytes_ += values.size() * sizeof(float);
    return values;
  }

  Weight weight_of(const Buffer<float>& values, const Shape& shape) const {
    const int64_t stack = shape.rank == 3 ? shape[0] : 1;
    return Weight::from_floats(context_, values.data(), stack, shape[shape.rank - 2],
                               shape[shape.rank - 1]);
  }

  Result<void> set(const ParamInfo& info, Linear& weight) {
    weight = weight_of(PONDER_TRY(take(info)), info.shape);
    return {};
  }

  Result<void> set(const ParamInfo& info, Buffer<float>& vector) {
    vector = PONDER_TRY(take(info));
    return {};
  }

  Result<void> set(const ParamInfo& info, TensorView& table) {
    Buffer<float> values = PONDER_TRY(take(info));
    if (model_.config_.tied) {
      model_.params_.output = weight_of(values, info.shape);
      return {};
    }
    model_.embedding_ = std::move(values);
    table = {.dtype = DType::kF32,
             .shape = info.shape,
             .bytes = std::as_bytes(model_.embedding_.span())};
    return {};
  }

  Result<void> set(const ParamInfo& info, KvB<Linear>& kv_b) {
    const AttentionConfig& a = model_.config_.attention;
    const KvBFloats halves = split_kv_b(a, PONDER_TRY(take(info)));
    kv_b.keys = weight_of(halves.keys, gguf_k_b_shape(a));
    kv_b.values = weight_of(halves.values, gguf_v_b_shape(a));
    return {};
  }

  const Context& context_;
  const Model::ParamValues& values_;
  Model model_;
};

Result<Model> Model::from_values(const Config& config, const Context& context, bool with_mtp,
                                 const ParamValues& values) {
  try {
    return ValueLoader(context, values).load(config, with_mtp);
  } catch (const std::bad_alloc&) {
    return Failure{{.what = "not enough memory for the weights in f32",
                    .mend = "train a smaller model, or train it with LoRA"}};
  }
}

}  // namespace ponder
