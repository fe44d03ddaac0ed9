// Numbers about samples: unbiased pass@k, votes, intervals by resampling, differences between
// models. Everything random follows from a seed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"

namespace ponder {

// The chance that of k of n samples, c of which pass, at least one passes: 1 − C(n−c,k)/C(n,k)
// (Chen et al. 2021, arXiv:2107.03374). Errors: k > n, which no estimate can mend.
Result<double> pass_at_k(int64_t n, int64_t c, int64_t k);

// The chance that the most frequent answer of k samples, drawn from these without repetition, is
// the right one; a tie counts by share. Exact, not drawn. Samples that give no answer do not vote.
struct Votes {
  int64_t right = 0;
  std::vector<int64_t> wrong = {};  // samples of each other answer
  int64_t silent = 0;
};
Result<double> cons_at_k(const Votes& votes, int64_t k);

struct ScoreInterval {
  double low = 0.0, high = 0.0;
};

struct ResamplingOptions {
  int replicates = 2000;
  double confidence = 0.95;
  uint64_t seed = 0;
};

// A mean over problems with what is uncertain about it, on two levels.
struct Estimate {
  double value = 0.0;
  ScoreInterval problems = {};  // other problems of this kind, other samples
  std::optional<ScoreInterval> samples =
      {};  // the same problems asked again; needs 2k samples of each
};

// Samples of one problem.
struct ProblemCounts {
  int64_t n = 0, c = 0;
};
// The mean of pass@k. Problems are drawn with repetition, their interval widened as Hesterberg
// (2015, doi:10.1080/00031305.2015.1089789) does for few of them; where all problems agree it is
// Clopper and Pearson's. For the level of samples, draws within each problem are spread by
// √(n/(n−1)), since they vary about their own mean. Errors: no problems, k > n of one.
Result<Estimate> estimate_pass(std::span<const ProblemCounts> problems, int64_t k,
                               const ResamplingOptions& options = {});
// The same of any values in [0, 1], on the level of problems.
Result<Estimate> estimate_mean(std::span<const double> values,
                               const ResamplingOptions& options = {});

// Σ numerators / Σ denominators over problems, like dollars per solved one. Nothing where the
// denominators are 0; `high` is infinite where too many draws have none.
struct Ratio {
  double value = 0.0;
  ScoreInterval problems = {};
};
Result<std::optional<Ratio>> estimate_ratio(std::span<const double> numerators,
                                            std::span<const double> denominators,
                                            const ResamplingOptions& options = {});

// The mean of a − b over the same problems. `p_value`: how often signs that are drawn give as large
// a difference (two-sided).
struct Difference {
  double value = 0.0;
  ScoreInterval interval = {};
  double p_value = 1.0;
};
Result<Difference> paired_difference(std::span<const double> a, std::span<const double> b,
                                     const ResamplingOptions& options = {});

}  // namespace ponder
