// The router of a mixture of experts: from router logits to the chosen experts and their weights
// (model-spec §5; DeepSeek-V2 2405.04434, DeepSeek-V3 2412.19437 eq. 12-16).
// T tokens, E experts, k experts a token.
#pragma once

#include <cstdint>
#include <span>

#include "device/context.hpp"

namespace ponder {

enum class GateScore { kSoftmax, kSigmoid };
// kGreedy: top-k of all. kGroupMax: groups by their best score (V2). kGroupTop2: groups by the sum
// of their two best biased scores (V3's noaux_tc).
enum class GateChoice { kGreedy, kGroupMax, kGroupTop2 };

inline constexpr int kMaxExperts = 1024;

struct GateConfig {
  int experts = 0;  // E, at most kMaxExperts
  int chosen = 0;   // k
  int groups = 1;   // contiguous blocks of E/groups experts
  int groups_kept = 1;
  GateScore score = GateScore::kSoftmax;
  GateChoice choice = GateChoice::kGreedy;
  bool normalise = false;  // divide the weights by their sum + 1e-20
  float scale = 1.0f;      // routed_scaling_factor
};

struct GateArgs {
  const GateConfig* config = nullptr;
  const float* logits = nullptr;  // (T, E)
  const float* bias = nullptr;    // (E) correction bias, or nullptr
  int32_t* experts = nullptr;     // (T, k) out: sorted ascending by expert
  float* weights = nullptr;       // (T, k) out: of experts[t][i]
  int64_t tokens = 0;
};

// All in f32 with libm, scalar on every ISA; ties take the lower index; never allocates.
void gate(const Context& context, const GateArgs& args);

// Gradient of the weights and of the sequence balance loss Σ_i f_i·P_i, f_i = E/(k·T)·(how often i
// was chosen), P_i = mean_t s_{i,t}/Σ_j s_{j,t} (model-spec §9, §10). The choice and the bias have
// none. The tokens are those of one sequence if balance ≠ 0.
struct GateBackwardArgs {
  const GateArgs* forward = nullptr;  // as it ran: logits, experts and weights are read
  const float* dweights = nullptr;    // (T, k)
  float* dlogits = nullptr;           // (T, E); overwritten
  float balance = 0.0f;               // d loss / d balance loss
};

void gate_backward(const Context& context, const GateBackwardArgs& args);

// The balance loss of one sequence, summed in f64 in the order of its tokens.
double balance_loss(const GateArgs& args);

// After a step: bias_i += γ·sign(mean load − load_i) (model-spec §9). load: (E), tokens per expert.
void update_gate_bias(std::span<float> bias, std::span<const int64_t> load, float gamma);

}  // namespace ponder
