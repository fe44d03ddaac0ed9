// The router of a mixture of experts: from router logits to the chosen experts and their weights
// (model-spec §5; DeepSeek-V2 2405.04434, DeepSeek-V3 2412.19437 eq. 12-16).
// T tokens, E experts, k experts a token.
#pragma once

#include <cstdint>

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

}  // namespace ponder
