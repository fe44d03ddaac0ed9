// The pieces of train_pass(). Private to this module. R rows, H width, V vocabulary.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/block.hpp"
#include "model/trainable.hpp"

namespace ponder {

// Rows that go through the layers together: sequences from their first position, one after the
// other.
struct PassBatch {
  std::vector<int32_t> inputs;     // (R)
  std::vector<int32_t> targets;    // (R): what each row is to predict
  std::vector<int32_t> positions;  // (R)
  std::vector<Segment> segments;

  int64_t rows() const { return static_cast<int64_t>(inputs.size()); }
  // A sequence of as many rows as there are inputs; target i is of row i. `prefix`: the segment
  // that it continues, or −1.
  void add(KvCache& cache, std::span<const int32_t> more, std::span<const int32_t> their_targets,
           int64_t prefix = -1);
};

// From normalised hidden rows to scores and back, with the logits of some rows at a time.
class OutputHead {
 public:
  // normed: (R, H). All must outlive the head, which takes memory of the arena.
  OutputHead(const Context& context, const Model& model, std::span<const int32_t> targets,
             float temperature, const float* normed);

  // (R) each; entropy may be null. The log-probabilities stay as they are until backward().
  void score(float* log_probability, float* entropy);
  // From the gradients of the log-probabilities, (R): dnormed (R, H) out, and adds to the matrix's.
  void backward(const float* gradient, const GradientTypes::Matrix& matrix, float* dnormed);

 private:
  int64_t chunk_rows(int64_t begin) const;
  void compute_logits(int64_t begin);

  const Context& context_;
  const Model& model_;
  std::span<const int32_t> targets_;
  float temperature_;
  const float* normed_;
  const float* log_probability_ = nullptr;  // (R), where score() put them
  float* logits_;                           // (chunk, V)
  int64_t chunk_;                           // rows
  int64_t held_ = -1;                       // first row of the chunk whose logits are there
};

// Gradient of embed() with the model's own table: dout (R, H).
void embed_backward(const Context& context, const Model& model, std::span<const int32_t> tokens,
                    const float* dout, const ParamGradients& gradients);

// The part of a pass that is the multi-token-prediction block (model-spec §6, §9).
struct MtpPass {
  const Context* context = nullptr;
  const Model* model = nullptr;
  const PassBatch* main = nullptr;
  const PassOptions* options = nullptr;
  int64_t cache_layer = 0;
  std::function<Tap(std::span<const Segment>)> tap;  // for the block's own rows
  const float* normed = nullptr;              // (R, H): the model's hidden rows, after the norm
  const ParamGradients* gradients = nullptr;  // null: the loss only
  float* dnormed = nullptr;                   // (R, H), added to
};
// The loss Σ w·(−log p), unweighted by mtp_weight.
double mtp_pass(const MtpPass& pass);

}  // namespace ponder
