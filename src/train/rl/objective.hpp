// What reinforcement learning descends: the loss of sampled tokens as a function of how likely the
// policy finds them now, and its derivative, row by row. Pure functions; n rows of one answer.
//
// With ℓ the log-probability now, o when it was sampled, r by the reference, ρ = exp(ℓ − o) and A
// the advantage, a row's loss is
//   kClipped   −min(ρ·A, clip(ρ, 1 − low, 1 + high)·A)              PPO (1707.06347), GRPO, DAPO
//   kSequence  the same with s = exp(mean of ℓ − o) for every row   GSPO (2507.18071)
//   kWeighted  −w·A·ℓ, w = clip(ρ, 1 − low, 1 + high) held fixed    CISPO (2506.13585)
//   kPlain     −A·ℓ                                                 REINFORCE, RLOO (2402.14740)
// plus kl_weight times
//   k1  ℓ − r        k2  (ℓ − r)²/2        k3  exp(r − ℓ) − (r − ℓ) − 1
// (http://joschu.net/blog/kl-approx.html; k3 is what GRPO uses, 2402.03300 equation 4).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ponder {

enum class Surrogate { kClipped, kSequence, kWeighted, kPlain };
enum class KlKind { kNone, kK1, kK2, kK3 };
// How rows' losses become one: kToken, the mean of all rows; kSequence, the mean over answers of
// their means; kConstant, the sum divided by answers · constant_length (Dr.GRPO, 2503.20783).
enum class Aggregation { kToken, kSequence, kConstant };

Result<Surrogate> surrogate_by_name(std::string_view name);      // "clipped", "sequence" …
Result<KlKind> kl_kind_by_name(std::string_view name);           // "none", "k1" …
Result<Aggregation> aggregation_by_name(std::string_view name);  // "token" …

struct ObjectiveOptions {
  Surrogate surrogate = Surrogate::kClipped;
  double clip_low = 0.2, clip_high = 0.2;
  Aggregation aggregation = Aggregation::kSequence;
  double constant_length = 0.0;  // > 0 with kConstant
  KlKind kl = KlKind::kNone;
  double kl_weight = 0.0;
};

// The weight of each row's loss, one number for all rows of an answer, for a batch of answers with
// so many rows. An answer without rows has weight 0, and still counts as an answer.
std::vector<double> row_weights(std::span<const int64_t> rows, Aggregation aggregation,
                                double constant_length);

struct SampledRows {
  std::span<const float> now;         // (n) ℓ
  std::span<const float> sampled;     // (n) o
  std::span<const float> reference;   // (n) r; empty without a KL term
  std::span<const double> advantage;  // (n) A
  double weight = 1.0;                // of each row, from row_weights()
};

// Sums over rows, to be divided by `rows`, except for the loss, which is weighted.
struct ObjectiveSums {
  double loss = 0.0;
  double kl = 0.0;           // k3 against the reference, whatever kind is in the loss
  double change = 0.0;       // k3 against the policy that sampled
  double ratio_error = 0.0;  // greatest |ℓ − o|
  int64_t clipped = 0;       // rows whose ratio is outside and has no gradient, or a capped weight
  int64_t rows = 0;

  void add(const ObjectiveSums& other);
};

// Writes d loss / d ℓ of each row to `gradient` (n). Exponents are bounded by ±30, where the loss
// is meaningless but stays finite.
ObjectiveSums objective(const ObjectiveOptions& options, const SampledRows& rows,
                        std::span<float> gradient);

}  // namespace ponder
