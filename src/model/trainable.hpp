// A model whose weights are trained: the same packed f32 memory that forward_batch() and the Engine
// read, seen as flat arrays of numbers, with gradients in the same layout. T tokens, V vocabulary.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/buffer.hpp"
#include "model/model.hpp"

namespace ponder {

// One parameter as the optimiser sees it. `values` is in packed order: a fixed permutation of the
// checkpoint's elements and zeros that pad it, which stay zero because their gradients are.
struct ParamSlot {
  ParamInfo info;
  std::string name;         // in a Hugging Face checkpoint; of experts that of the whole stack
  std::span<float> values;  // memory of the model
  int64_t offset = 0;       // of its gradient in a flat buffer of all parameters
  bool trained = true;      // false: frozen (under LoRA), has no gradient
  bool decays = true;       // whether weight decay applies: matrices, not norms and biases
};

struct TrainableOptions {
  bool mtp = false;                  // with the multi-token-prediction block
  int64_t lora_rank = 0;             // 0: all parameters are trained
  float lora_alpha = 0.0f;           // scale = alpha / rank
  std::vector<std::string> lora_on;  // modules, as PEFT names them: "q_proj", "down_proj" …
  uint64_t seed = 0;                 // of what is initialised at random
};

class TrainableModel {
 public:
  // From a checkpoint of any format: everything trained becomes f32. With LoRA the base keeps its
  // own format and is not trained.
  static Result<std::unique_ptr<TrainableModel>> open(const std::filesystem::path& path,
                                                      const Context& context,
                                                      const TrainableOptions& options = {});
  // Random weights: normal with the config's initializer range, output projections of a layer
  // divided by √(2·layers); norms 1, biases 0. A function of config and seed.
  static Result<std::unique_ptr<TrainableModel>> create(const Config& config,
                                                        const Context& context,
                                                        const TrainableOptions& options = {});
  virtual ~TrainableModel() = default;

  virtual const Model& model() const = 0;  // for forward_batch() and Engine; sees every update
  virtual std::span<ParamSlot> slots() = 0;
  virtual int64_t gradient_size() const = 0;  // floats of a flat buffer of the trained parameters
  // The correction bias of a router's layer, (E), updated by its rule and not by gradients.
  virtual std::span<float> router_bias(int64_t layer) = 0;
  // The model as a Hugging Face folder: config.json and model.safetensors, in `dtype`.
  virtual Result<void> save(const std::filesystem::path& folder, DType dtype) const = 0;
};

// A sequence to learn from: the model predicts tokens[i + 1] at i, so there are T − 1 rows.
struct TrainSequence {
  std::span<const int32_t> tokens;
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
  float balance_weight = 0.0f;  // α of the sequence balance loss (model-spec §9)
  float mtp_weight = 0.0f;      // λ/D of the MTP loss, a mean over rows with mtp_row_weight
  std::span<const float> mtp_row_weight;  // per row; empty: all 1 / number of rows
  bool recompute = true;  // keep layers' inputs only, and recompute what is inside a layer
};

struct PassStats {
  double balance_loss = 0.0, mtp_loss = 0.0;        // unweighted
  std::vector<std::vector<int64_t>> expert_tokens;  // layer → (E): how often each was chosen
};

// Forward, `loss`, backward. Adds to `gradients` (gradient_size() floats; empty: forward and loss
// only, no gradient). The forward pass is the one of forward_batch(), bit for bit; a sequence's
// scores and what it adds do not depend on the other sequences, but the sum over sequences is taken
// in their order: make one call a fixed group of sequences, and sum groups along a fixed tree.
Result<PassStats> train_pass(const Context& context, TrainableModel& model,
                             std::span<const TrainSequence> sequences, const PassOptions& options,
                             const RowLoss& loss, std::span<float> gradients);

}  // namespace ponder
