// The forward pass: new tokens of one or several sequences through all layers (model-spec §1).
// T new tokens, H width, V vocabulary, E experts, k experts a token.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>

#include "base/result.hpp"
#include "device/context.hpp"
#include "model/kv_cache.hpp"
#include "model/model.hpp"

namespace ponder {

// Inner values that a tap sees. kHidden: layer l's input, and with l = L the last layer's output.
enum class TapPoint {
  kHidden,         // (rows, H)
  kAttentionOut,   // (rows, H), before the residual sum
  kMlpOut,         // (rows, H), before the residual sum
  kRouterLogits,   // (rows, E)
  kRouterExperts,  // (rows, k) in `indices`
  kRouterWeights,  // (rows, k)
  kFinalNorm,      // (rows, H)
};

struct TapValues {
  TapPoint point = TapPoint::kHidden;
  int64_t layer = 0;
  int64_t position = 0;  // of the first row
  int64_t rows = 0;
  int64_t width = 0;
  const float* values = nullptr;     // (rows, width), valid during the call
  const int32_t* indices = nullptr;  // (rows, width), for kRouterExperts
};
using Tap = std::function<void(const TapValues&)>;

struct ForwardOptions {
  int64_t logit_rows = 1;   // logits of the last so many tokens; 0: none
  float* logits = nullptr;  // (logit_rows, V) out
  float* hidden = nullptr;  // (T, H) out: after the final norm, what MTP needs; or nullptr
  int64_t chunk = 512;      // tokens that go through all layers at a time; bounds the memory
  const std::atomic<bool>* stop = nullptr;  // looked at before each layer
  const Tap* tap = nullptr;
};

// Appends `tokens` to the cache. The result does not depend on how a sequence is cut into calls and
// chunks, nor on the number of threads, bit for bit. Fails, leaving the cache as it was after the
// last whole chunk, on an id outside the vocabulary, a full cache, or a stop ("stopped").
Result<void> forward(const Context& context, const Model& model, KvCache& cache,
                     std::span<const int32_t> tokens, const ForwardOptions& options);

// New tokens of one sequence of several.
struct SequenceStep {
  KvCache* cache = nullptr;  // no other step of the call has the same
  std::span<const int32_t> tokens;
  int64_t logit_rows = 1;   // logits of the last so many of them; 0: none
  float* logits = nullptr;  // (logit_rows, V) out
  float* hidden = nullptr;  // (T, H) out, as in ForwardOptions
};

struct BatchOptions {
  int64_t chunk = 512;  // tokens of all sequences that go through the layers at a time
  const std::atomic<bool>* stop = nullptr;
  const Tap* tap = nullptr;
};

// forward() for all steps, with one pass over the weights for up to `chunk` tokens. Each sequence
// gets the bits that forward() alone would give it. Nothing is changed if any step has an error;
// after a stop each cache is as after the last whole chunk.
Result<void> forward_batch(const Context& context, const Model& model,
                           std::span<const SequenceStep> steps, const BatchOptions& options = {});

// The multi-token-prediction block (model-spec §6; DeepSeek-V3 2412.19437 §2.2): from the hidden
// state h_i of position i (after the final norm) and the token t_{i+1}, logits for t_{i+2}.
struct MtpArgs {
  std::span<const int32_t> next_tokens;  // (T): t_{i+1}
  const float* hidden = nullptr;         // (T, H): h_i
  int64_t logit_rows = 1;                // logits of the last so many positions; 0: none
  float* logits = nullptr;               // (logit_rows, V) out
  float* hidden_out = nullptr;           // (logit_rows, H) out: after shared_head.norm; or nullptr
  const Tap* tap = nullptr;
};
// `cache`: the block's own, made with layers = 1; position i is its length.
Result<void> mtp_forward(const Context& context, const Model& model, KvCache& cache,
                         const MtpArgs& args);

}  // namespace ponder
