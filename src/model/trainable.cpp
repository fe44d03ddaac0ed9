#include "model/trainable.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/rng.hpp"
#include "model/checkpoint_values.hpp"
#include "model/model_files.hpp"

namespace ponder {
namespace {

bool is_output_of_layer(ParamKind kind) {
  return kind == ParamKind::kO || kind == ParamKind::kDown || kind == ParamKind::kExpertDown ||
         kind == ParamKind::kSharedDown;
}

// A stream of random numbers for each parameter, so that none depends on what else there is.
uint64_t stream_of(const ParamInfo& info) {
  return (static_cast<uint64_t>(info.layer + 1) << 8) + static_cast<uint64_t>(info.kind);
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
  Rng rng(seed, stream_of(info));
  for (float& value : values.span()) value = static_cast<float>(deviation) * rng.next_normal();
  return values;
}

// "q_proj" of "model.layers.0.self_attn.q_proj.weight".
std::string module_of(const ParamInfo& info) {
  std::string name = hf_name(info);
  name.resize(name.rfind('.'));
  return name.substr(name.rfind('.') + 1);
}

bool takes_adapter(const ParamInfo& info) {
  return info.layer >= 0 && info.shape.rank == 2 && info.kind != ParamKind::kRouter &&
         info.kind != ParamKind::kMtpOutput;
}

Adapter new_adapter(const Context& context, const ParamInfo& info,
                    const TrainableOptions& options) {
  const int64_t rows = info.shape[0], cols = info.shape[1], rank = options.lora_rank;
  std::vector<float> a(static_cast<size_t>(rank * cols)), b(static_cast<size_t>(rows * rank));
  Rng rng(options.seed, stream_of(info));
  const double bound = 1.0 / std::sqrt(static_cast<double>(cols));
  for (float& value : a) value = static_cast<float>((2.0 * rng.next_double() - 1.0) * bound);
  return {Weight::from_floats(context, a.data(), 1, rank, cols),
          Weight::from_floats(context, b.data(), 1, rows, rank),
          options.lora_alpha / static_cast<float>(rank)};
}

Result<void> add_adapters(const Context& context, const TrainableOptions& options, Model& model) {
  std::vector<std::string> missing = options.lora_on;
  for_each_param(model.config(), model.params(), [&](const ParamInfo& info, auto& member) {
    if constexpr (std::is_same_v<std::decay_t<decltype(member)>, Linear>) {
      const std::string module = module_of(info);
      if (!takes_adapter(info) ||
          std::count(options.lora_on.begin(), options.lora_on.end(), module) == 0)
        return;
      std::erase(missing, module);
      member.adapter = std::make_unique<Adapter>(new_adapter(context, info, options));
    }
  });
  if (missing.empty() && !options.lora_on.empty()) return {};
  return Failure{{.what = missing.empty() ? "names no module to adapt"
                                          : "'" + missing[0] + "' cannot be adapted in this model",
                  .where = "LoRA",
                  .mend = "use modules like q_proj, o_proj, gate_proj, up_proj, down_proj, with "
                          "which every layer's attention and feed-forward can be named"}};
}

Result<Model> open_with_adapters(const std::filesystem::path& path, const Context& context,
                                 const TrainableOptions& options) {
  if (options.lora_rank > 4096 || !(options.lora_alpha > 0.0f)) {
    return Failure{{.what = "needs a rank of 1 to 4096 and an alpha above 0",
                    .where = "LoRA",
                    .mend = "use rank 16 and alpha 32 to begin with"}};
  }
  if (is_llama_gguf(PONDER_TRY(open_model_files(path)))) {
    return Failure{{.what = "adapters for a Llama model in GGUF would not fit the original, whose "
                            "rows have another order",
                    .where = path.string(),
                    .mend = "use the safetensors of the model"}};
  }
  Model model = PONDER_TRY(Model::open(path, context, {.load_mtp = options.mtp}));
  PONDER_TRY(add_adapters(context, options, model));
  return model;
}

}  // namespace

// Lists the slots of a model, which is complete and stays where it is.
class TrainableMaker {
 public:
  static std::unique_ptr<TrainableModel> make(Model model, bool frozen = false) {
    std::unique_ptr<TrainableModel> made(new TrainableModel(std::move(model), frozen));
    TrainableMaker maker{*made};
    const Config& config = made->model_.config();
    for_each_param(config, made->model_.params(),
                   [&](const ParamInfo& info, auto& member) { maker.add(info, member); });
    return made;
  }

 private:
  explicit TrainableMaker(TrainableModel& made) : made_(made) {}

  void add(const ParamInfo& info, Linear& weight) {
    if (Adapter* adapter = weight.adapter.get(); adapter != nullptr) {
      made_.scale_ = adapter->scale;
      const int64_t rank = adapter->a.rows();
      add(info, ParamPart::kLoraA, Shape::of({rank, weight.cols()}), &adapter->a,
          adapter->a.values());
      add(info, ParamPart::kLoraB, Shape::of({weight.rows(), rank}), &adapter->b,
          adapter->b.values());
    }
    if (!made_.frozen_ && !weight.empty())
      add(info, ParamPart::kWhole, info.shape, &weight, weight.values());
  }

  void add(const ParamInfo& info, Buffer<float>& vector) {
    if (made_.frozen_) return;
    add(info, ParamPart::kWhole, info.shape, nullptr, vector.span());
  }

  void add(const ParamInfo& info, TensorView&) {
    if (made_.frozen_ || info.kind != ParamKind::kEmbedding) return;
    Weight& output = made_.model_.params().output;
    const bool tied = made_.model_.config().tied;
    add(info, ParamPart::kWhole, info.shape, tied ? &output : nullptr,
        tied ? output.values() : made_.model_.embedding_values());
  }

  void add(const ParamInfo& info, KvB<Linear>& kv_b) {
    if (made_.frozen_) return;
    const AttentionConfig& a = made_.model_.config().attention;
    add(info, ParamPart::kKeys, gguf_k_b_shape(a), &kv_b.keys, kv_b.keys.values());
    add(info, ParamPart::kValues, gguf_v_b_shape(a), &kv_b.values, kv_b.values.values());
  }

  void add(const ParamInfo& info, ParamPart part, const Shape& shape, const Weight* weight,
           std::span<float> values) {
    ParamSlot slot{.info = info, .part = part, .name = name_of(info, part), .shape = shape};
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

  static std::string name_of(const ParamInfo& info, ParamPart part) {
    std::string name = hf_name(info);
    if (const size_t expert = name.find(".experts.0."); expert != std::string::npos)
      name.replace(expert, 11, ".experts.");
    if (part == ParamPart::kKeys) return name + ".keys";
    if (part == ParamPart::kValues) return name + ".values";
    if (part == ParamPart::kWhole) return name;
    name.resize(name.rfind('.'));
    return "base_model.model." + name + (part == ParamPart::kLoraA ? ".lora_A" : ".lora_B") +
           ".weight";
  }

  TrainableModel& made_;
};

Result<std::unique_ptr<TrainableModel>> TrainableModel::open(const std::filesystem::path& path,
                                                             const Context& context,
                                                             const TrainableOptions& options) {
  if (options.lora_rank > 0)
    return TrainableMaker::make(PONDER_TRY(open_with_adapters(path, context, options)), true);
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
