// A model whose weights are trained: the same packed f32 memory that forward_batch() and the Engine
// read, seen as flat arrays of numbers, with gradients in the same layout. T tokens, V vocabulary.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.hpp"
#include "core/buffer.hpp"
#include "model/model.hpp"

namespace ponder {

// What a slot is of its parameter: all of it; the keys' and the values' half of kKvB; an adapter's
// matrices.
enum class ParamPart { kWhole, kKeys, kValues, kLoraA, kLoraB };

// One array of numbers as the optimiser sees it. `values` is in packed order: a fixed permutation
// of the checkpoint's elements and zeros that pad it, which stay zero because their gradients are.
struct ParamSlot {
  ParamInfo info;
  ParamPart part = ParamPart::kWhole;
  std::string name;  // unique; in a Hugging Face checkpoint, of experts that of the stack
  Shape shape;       // in checkpoint order: (N, K), (E, N, K), (N); kKeys (h, rk, dn)
  std::span<float> values = {};  // memory of the model
  int64_t offset = -1;           // of its gradient in a flat buffer of all that is trained
  bool trained = true;           // false: no gradient (a router's bias, which has its own rule)
  bool decays = true;            // whether weight decay applies: matrices, not norms and biases
};

// Where the gradients of every parameter go; null: it is not trained.
struct GradientTypes {
  struct Matrix {
    float* values = nullptr;                           // in the packed order of the weight
    float *adapter_a = nullptr, *adapter_b = nullptr;  // likewise
  };
  using Vector = float*;
  using Table = float*;
};
using ParamGradients = ParamsOf<GradientTypes>;
using LayerGradients = LayerParamsOf<GradientTypes>;

struct TrainableOptions {
  bool mtp = false;                       // with the multi-token-prediction block
  int64_t lora_rank = 0;                  // 0: all parameters are trained
  float lora_alpha = 0.0f;                // scale = alpha / rank
  std::vector<std::string> lora_on = {};  // modules, as PEFT names them: "q_proj", "down_proj" …
  uint64_t seed = 0;                      // of what is initialised at random
};

class CheckpointValues;

class TrainableModel {
 public:
  // From a checkpoint of any format: everything trained becomes f32, in checkpoint order (a Llama
  // of GGUF is taken back to Hugging Face's). With LoRA the base keeps its own format and is not
  // trained; adapters are possible on the matrices of layers but routed experts, routers and
  // kv_b_proj, and start as PEFT's do: A uniform in ±1/√K, B zero. An MTP block that is trained
  // shares embedding and output with the model: fails if the checkpoint's differ.
  static Result<std::unique_ptr<TrainableModel>> open(const std::filesystem::path& path,
                                                      const Context& context,
                                                      const TrainableOptions& options = {});
  // Random weights: normal with the config's initializer range, output projections of a layer
  // divided by √(2·layers); norms 1, biases 0. A function of config and seed. No LoRA.
  static Result<std::unique_ptr<TrainableModel>> create(const Config& config,
                                                        const Context& context,
                                                        const TrainableOptions& options = {});

  // For forward_batch() and Engine; sees every update. What caches hold is stale after one.
  const Model& model() const { return model_; }
  // All memory that training changes, in a fixed order: every parameter of the model; with LoRA the
  // adapters, under PEFT's names.
  std::span<ParamSlot> slots() { return slots_; }
  std::span<const ParamSlot> slots() const { return slots_; }
  int64_t gradient_size() const { return gradient_size_; }  // floats of a flat gradient buffer
  // The correction bias of a router's layer, (E), updated by its rule and not by gradients; empty
  // if that layer has none or its model is frozen. Layer L is the MTP block's.
  std::span<float> router_bias(int64_t layer);

  // A slot's values, or its part of a gradient buffer, in checkpoint order; and the reverse.
  std::vector<float> to_checkpoint(const ParamSlot& slot, std::span<const float> packed) const;
  void from_checkpoint(const ParamSlot& slot, std::span<const float> values,
                       std::span<float> packed) const;

  // A parameter of the checkpoint, whole and in its order; or its gradient, if one buffer of all is
  // given. Not with LoRA.
  std::vector<float> checkpoint_values(const ParamInfo& info,
                                       std::span<const float> gradients = {}) const;

  // The model as a Hugging Face folder: config.json and model.safetensors. Matrices in `dtype`
  // (f32, bf16 or f16), vectors in f32. Adapters are merged. The folder is made if need be; an
  // older model in it is replaced only when the new one is complete.
  Result<void> save(const std::filesystem::path& folder, DType dtype) const;

  // For train_pass(). `flat`: gradient_size() floats.
  ParamGradients bind(std::span<float> flat) const;

 private:
  TrainableModel(Model model, bool frozen) : model_(std::move(model)), frozen_(frozen) {}
  friend class TrainableMaker;
  Result<std::vector<float>> merged_values(const CheckpointValues& base,
                                           const ParamInfo& info) const;

  Model model_;
  bool frozen_ = false;  // but for its adapters
  float scale_ = 0.0f;   // of the adapters
  std::vector<ParamSlot> slots_;
  std::vector<const Weight*> weights_;  // of each slot; null: its order is the checkpoint's
  std::map<std::tuple<ParamKind, int64_t, ParamPart>, size_t> places_;
  int64_t gradient_size_ = 0;
};

// A sequence to learn from: the model predicts tokens[i + 1] at i, so there are T − 1 rows.
struct TrainSequence {
  std::span<const int32_t> tokens;  // at least 2
  // The index of an earlier sequence that has no prefix itself, or −1. This one continues it: its
  // first token is the other's last. So answers to one prompt share the prompt's rows, which are
  // computed once and get the sum of the gradients of all of them. Scores stay the same, bit for
  // bit; not together with the MTP loss.
  int64_t prefix = -1;
};

// Of all rows of all sequences, one sequence after the other.
struct RowScores {
  std::span<const float> log_probability;  // of tokens[i + 1], after temperature
  std::span<const float> entropy;          // of the distribution, nats
};

// From the scores to d loss / d log_probability of each row. Whatever the loss is, its gradient
// reaches the model through these: cross-entropy of a row with weight w has −w.
using RowLoss = std::function<void(const RowScores& scores, std::span<float> gradient)>;

struct PassOptions {
  float temperature = 1.0f;
  // α of the sequence balance loss (model-spec §9), a sum over sequences and layers: divide by the
  // number of sequences of a step for a mean.
  float balance_weight = 0.0f;
  // λ/D of the MTP loss Σ w·(−log p(t_{i+2})) over the rows that have a t_{i+2}: all but the last
  // of a sequence. w is the row's mtp_row_weight (one for each row of the pass; that of last rows
  // is not used), or 1 / number of such rows if that is empty.
  float mtp_weight = 0.0f;
  std::span<const float> mtp_row_weight = {};
  bool recompute = true;  // keep layers' inputs only, and recompute what is inside a layer
  const std::atomic<bool>* stop = nullptr;  // looked at before each layer: the error is "stopped"
};

struct PassStats {
  double balance_loss = 0.0, mtp_loss = 0.0;        // unweighted; mtp_loss if mtp_weight ≠ 0
  std::vector<std::vector<int64_t>> expert_tokens;  // layer → (E), or empty: how often chosen
};

// Forward, `loss`, backward. Adds to `gradients` (gradient_size() floats; empty: forward and loss
// only, no gradient). The forward pass is the one of forward_batch() over a cache of f32, bit for
// bit: a sequence's scores do not depend on the other sequences, nor on threads. The gradient is a
// function of the sequences in their order, also without regard to threads: make one call a fixed
// group of sequences, and sum groups along a fixed tree. Memory grows with all rows of a call.
// Errors: a token beyond the vocabulary, a sequence too short or longer than the context, no
// memory.
Result<PassStats> train_pass(const Context& context, TrainableModel& model,
                             std::span<const TrainSequence> sequences, const PassOptions& options,
                             const RowLoss& loss, std::span<float> gradients);

}  // namespace ponder
