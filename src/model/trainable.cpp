#include "model/trainable.hpp"

#include <algorithm>
#include <cmath>

#include "base/rng.hpp"
#include "model/model_files.hpp"
#include "model/tensor_source.hpp"

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

bool is_llama_gguf(const ModelFiles& files) {
  return files.config.architecture == Architecture::kLlama &&
         files.naming == TensorSource::Naming::kGguf;
}

bool same_values(const Buffer<float>& a, const Buffer<float>& b) {
  return std::equal(a.data(), a.data() + a.size(), b.data(), b.data() + b.size());
}

// The parameters of a checkpoint as f32 in Hugging Face's order.
class CheckpointValues {
 public:
  explicit CheckpointValues(const ModelFiles& files)
      : files_(files), source_(files.tensors, files.naming) {}

  Result<Buffer<float>> take(const ParamInfo& info) const {
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

  // The MTP block's embedding and output must be the copies that they usually are.
  Result<void> check_shared() const {
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

 private:
  Result<Buffer<float>> half(const std::string& name, const Shape& shape) const {
    return decode_all({{PONDER_TRY(source_.find(name, shape))}, shape});
  }

  const ModelFiles& files_;
  TensorSource source_;
};

bool is_output_of_layer(ParamKind kind) {
  return kind == ParamKind::kO || kind == ParamKind::kDown || kind == ParamKind::kExpertDown ||
         kind == ParamKind::kSharedDown;
}

// What an untrained parameter holds.
Buffer<float> initial_values(const Config& config, const ParamInfo& info, uint64_t seed) {
  Buffer<float> values(static_cast<size_t>(info.shape.elements()));
  if (info.is_vector()) {
    const bool bias = info.kind == ParamKind::kQBias || info.kind == ParamKind::kKBias ||
                      info.kind == ParamKind::kVBias || info.kind == ParamKind::kRouterBias;
    std::fill_n(values.data(), values.size(), bias ? 0.0f : 1.0f);
    return values;
  }
  double deviation = config.initializer_range;
  if (is_output_of_layer(info.kind))
    deviation /= std::sqrt(2.0 * static_cast<double>(config.layers));
  // A stream for each parameter, so that none depends on what else there is.
  Rng rng(seed, (static_cast<uint64_t>(info.layer + 1) << 8) + static_cast<uint64_t>(info.kind));
  for (float& value : values.span()) value = static_cast<float>(deviation) * rng.next_normal();
  return values;
}

}  // namespace

// Lists the slots of a model, which is complete and stays where it is.
class TrainableMaker {
 public:
  static std::unique_ptr<TrainableModel> make(Model model) {
    std::unique_ptr<TrainableModel> made(new TrainableModel(std::move(model)));
    TrainableMaker maker{*made};
    const Config& config = made->model_.config();
    for_each_param(config, made->model_.params(),
                   [&](const ParamInfo& info, auto& member) { maker.add(info, member); });
    return made;
  }

 private:
  explicit TrainableMaker(TrainableModel& made) : made_(made) {}

  void add(const ParamInfo& info, Linear& weight) {
    if (!weight.empty()) add(info, ParamPart::kWhole, info.shape, &weight, weight.values());
  }

  void add(const ParamInfo& info, Buffer<float>& vector) {
    add(info, ParamPart::kWhole, info.shape, nullptr, vector.span());
  }

  void add(const ParamInfo& info, TensorView&) {
    if (info.kind != ParamKind::kEmbedding) return;
    Weight& output = made_.model_.params().output;
    const bool tied = made_.model_.config().tied;
    add(info, ParamPart::kWhole, info.shape, tied ? &output : nullptr,
        tied ? output.values() : made_.model_.embedding_values());
  }

  void add(const ParamInfo& info, KvB<Linear>& kv_b) {
    const AttentionConfig& a = made_.model_.config().attention;
    add(info, ParamPart::kKeys, gguf_k_b_shape(a), &kv_b.keys, kv_b.keys.values());
    add(info, ParamPart::kValues, gguf_v_b_shape(a), &kv_b.values, kv_b.values.values());
  }

  void add(const ParamInfo& info, ParamPart part, const Shape& shape, const Weight* weight,
           std::span<float> values) {
    ParamSlot slot{.info = info, .part = part, .name = hf_name(info), .shape = shape};
    if (const size_t expert = slot.name.find(".experts.0."); expert != std::string::npos)
      slot.name.replace(expert, 11, ".experts.");
    if (part == ParamPart::kKeys) slot.name += ".keys";
    if (part == ParamPart::kValues) slot.name += ".values";
    slot.values = values;
    slot.trained = info.kind != ParamKind::kRouterBias;
    slot.decays = !info.is_vector();
    if (slot.trained) {
      slot.offset = made_.gradient_size_;
      made_.gradient_size_ += static_cast<int64_t>(values.size());
    }
    made_.places_[{info.kind, info.layer, part}] = made_.slots_.size();
    made_.weights_.push_back(weight);
    made_.slots_.push_back(std::move(slot));
  }

  TrainableModel& made_;
};

Result<std::unique_ptr<TrainableModel>> TrainableModel::open(const std::filesystem::path& path,
                                                             const Context& context,
                                                             const TrainableOptions& options) {
  ModelFiles files = PONDER_TRY(open_model_files(path));
  if (options.mtp && files.config.mtp_layers == 0) {
    return Failure{{.what = "has no multi-token-prediction block",
                    .where = path.string(),
                    .mend = "train it without"}};
  }
  const CheckpointValues checkpoint(files);
  if (options.mtp) PONDER_TRY(checkpoint.check_shared());
  Config config = files.config;
  config.mtp_layers = options.mtp ? 1 : 0;
  if (is_llama_gguf(files)) config.rope.interleaved = false;
  return TrainableMaker::make(PONDER_TRY(Model::from_values(
      config, context, options.mtp, [&](const ParamInfo& info) { return checkpoint.take(info); })));
}

Result<std::unique_ptr<TrainableModel>> TrainableModel::create(const Config& config,
                                                               const Context& context,
                                                               const TrainableOptions& options) {
  PONDER_TRY(validate_config(config, "the model to create"));
  if (options.mtp && config.mtp_layers == 0) {
    return Failure{{.what = "the multi-token-prediction block is to be trained, but the model's "
                            "description has none",
                    .where = "num_nextn_predict_layers",
                    .mend = "set it to 1"}};
  }
  return TrainableMaker::make(PONDER_TRY(Model::from_values(
      config, context, options.mtp, [&](const ParamInfo& info) -> Result<Buffer<float>> {
        return initial_values(config, info, options.seed);
      })));
}

ParamGradients TrainableModel::bind(std::span<float> flat) const {
  PONDER_CHECK(static_cast<int64_t>(flat.size()) == gradient_size_);
  const auto at = [&](const ParamInfo& info, ParamPart part) -> float* {
    const auto place = places_.find({info.kind, info.layer, part});
    if (place == places_.end() || !slots_[place->second].trained) return nullptr;
    return flat.data() + slots_[place->second].offset;
  };
  struct Binder {
    decltype(at)& find;
    void operator()(const ParamInfo& info, GradientTypes::Matrix& matrix) const {
      matrix = {find(info, ParamPart::kWhole), find(info, ParamPart::kLoraA),
                find(info, ParamPart::kLoraB)};
    }
    void operator()(const ParamInfo& info, float*& array) const {
      array = find(info, ParamPart::kWhole);
    }
    void operator()(const ParamInfo& info, KvB<GradientTypes::Matrix>& kv_b) const {
      kv_b.keys.values = find(info, ParamPart::kKeys);
      kv_b.values.values = find(info, ParamPart::kValues);
    }
  };
  const Config& config = model_.config();
  ParamGradients gradients;
  gradients.layers.resize(model_.params().layers.size());
  gradients.mtp.resize(model_.params().mtp.size());
  for_each_param(config, gradients, Binder{at});
  if (config.tied) gradients.output.values = gradients.embedding;
  return gradients;
}

std::span<float> TrainableModel::router_bias(int64_t layer) {
  const auto place = places_.find({ParamKind::kRouterBias, layer, ParamPart::kWhole});
  return place == places_.end() ? std::span<float>() : slots_[place->second].values;
}

std::vector<float> TrainableModel::to_checkpoint(const ParamSlot& slot,
                                                 std::span<const float> packed) const {
  PONDER_CHECK(packed.size() == slot.values.size());
  const Weight* weight = weights_[static_cast<size_t>(&slot - slots_.data())];
  if (weight == nullptr) return {packed.begin(), packed.end()};
  std::vector<float> values(static_cast<size_t>(slot.shape.elements()));
  weight->values_to_rows(packed, values.data());
  return values;
}

void TrainableModel::from_checkpoint(const ParamSlot& slot, std::span<const float> values,
                                     std::span<float> packed) const {
  PONDER_CHECK(packed.size() == slot.values.size() &&
               static_cast<int64_t>(values.size()) == slot.shape.elements());
  const Weight* weight = weights_[static_cast<size_t>(&slot - slots_.data())];
  if (weight == nullptr) {
    std::copy(values.begin(), values.end(), packed.begin());
    return;
  }
  weight->rows_to_values(values.data(), packed);
}

}  // namespace ponder
