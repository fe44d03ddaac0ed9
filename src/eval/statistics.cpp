#include "eval/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/rng.hpp"

namespace ponder {
namespace {

constexpr int64_t kMostVotes = 512;  // the work grows with its cube

enum Stream : uint64_t { kProblems, kSamples, kRatio, kDifference, kSigns };

long double binomial(int64_t n, int64_t k) {
  if (k < 0 || k > n) return 0.0L;
  long double result = 1.0L;
  for (int64_t i = 1; i <= std::min(k, n - k); ++i)
    result =
        result * static_cast<long double>(n - std::min(k, n - k) + i) / static_cast<long double>(i);
  return std::round(result);
}

// Between the quantiles of `sorted` that leave `tail` on each side.
ScoreInterval between(std::vector<double>& values, double tail) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double fraction) {
    const double place = fraction * static_cast<double>(values.size() - 1);
    const auto low = static_cast<size_t>(place);
    const size_t high = std::min(low + 1, values.size() - 1);
    const double part = place - static_cast<double>(low);
    if (part == 0.0 || values[low] == values[high]) return values[low];
    return values[low] + part * (values[high] - values[low]);  // infinite if one of them is
  };
  return {at(tail), at(1.0 - tail)};
}

// The tail whose percentile interval covers as often as a t-interval would, for n observations.
double widened_tail(double confidence, size_t n) {
  if (n < 2) return 0.0;
  const double degrees = static_cast<double>(n - 1);
  const double t = boost::math::quantile(boost::math::students_t(degrees), 0.5 + confidence / 2.0);
  const double spread = std::sqrt(static_cast<double>(n) / degrees);
  return boost::math::cdf(boost::math::normal(), -spread * t);
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Means of `values` drawn with repetition.
std::vector<double> resampled_means(std::span<const double> values, Rng rng, int replicates) {
  std::vector<double> means(static_cast<size_t>(replicates));
  for (double& mean : means) {
    double sum = 0.0;
    for (size_t i = 0; i < values.size(); ++i) sum += values[rng.next_below(values.size())];
    mean = sum / static_cast<double>(values.size());
  }
  return means;
}

ScoreInterval problem_interval(std::span<const double> values, const ResamplingOptions& options) {
  const size_t n = values.size();
  const bool all_same = std::all_of(values.begin(), values.end(),
                                    [&](double value) { return value == values.front(); });
  if (all_same && (values.front() == 0.0 || values.front() == 1.0)) {
    const double edge = std::pow((1.0 - options.confidence) / 2.0, 1.0 / static_cast<double>(n));
    return values.front() == 1.0 ? ScoreInterval{edge, 1.0} : ScoreInterval{0.0, 1.0 - edge};
  }
  auto means = resampled_means(values, Rng(options.seed, kProblems), options.replicates);
  return between(means, widened_tail(options.confidence, n));
}

// The problems stay, their samples are drawn again.
std::optional<ScoreInterval> sample_interval(std::span<const ProblemCounts> problems, int64_t k,
                                             double value, const ResamplingOptions& options) {
  for (const ProblemCounts& problem : problems)
    if (problem.n < 2 * k) return std::nullopt;
  Rng rng(options.seed, kSamples);
  std::vector<double> means(static_cast<size_t>(options.replicates));
  for (double& mean : means) {
    double sum = 0.0;
    for (const ProblemCounts& problem : problems) {
      const double own = pass_at_k(problem.n, problem.c, k).value();
      int64_t passed = 0;
      if (problem.c > 0 && problem.c < problem.n) {
        const auto n = static_cast<uint64_t>(problem.n);
        for (int64_t i = 0; i < problem.n; ++i)
          passed += rng.next_below(n) < static_cast<uint64_t>(problem.c);
      } else {
        passed = problem.c;
      }
      const double spread =
          std::sqrt(static_cast<double>(problem.n) / static_cast<double>(problem.n - 1));
      sum += own + spread * (pass_at_k(problem.n, passed, k).value() - own);
    }
    mean = sum / static_cast<double>(problems.size());
  }
  const ScoreInterval found = between(means, (1.0 - options.confidence) / 2.0);
  return ScoreInterval{std::clamp(found.low, 0.0, value), std::clamp(found.high, value, 1.0)};
}

Failure no_problems() { return Failure{{.what = "there are no problems to count"}}; }

// How many ways there are to draw votes for wrong answers, each of which gets at most `most`:
// ways[drawn][tied], tied: answers that got exactly `most`.
using Ways = std::vector<std::vector<long double>>;
Ways draw_wrong(const Votes& votes, int64_t most, int64_t left) {
  const int64_t ties = left / most;
  Ways ways(static_cast<size_t>(left + 1),
            std::vector<long double>(static_cast<size_t>(ties + 1), 0.0L));
  ways[0][0] = 1.0L;
  for (const int64_t size : votes.wrong) {
    Ways next(ways.size(), std::vector<long double>(ways[0].size(), 0.0L));
    for (int64_t drawn = 0; drawn <= left; ++drawn)
      for (int64_t tied = 0; tied <= ties; ++tied) {
        const long double here = ways[static_cast<size_t>(drawn)][static_cast<size_t>(tied)];
        if (here == 0.0L) continue;
        for (int64_t x = 0; x <= std::min({size, most, left - drawn}); ++x) {
          const int64_t now = tied + (x == most ? 1 : 0);
          next[static_cast<size_t>(drawn + x)][static_cast<size_t>(now)] +=
              here * binomial(size, x);
        }
      }
    ways = std::move(next);
  }
  return ways;
}

}  // namespace

Result<double> pass_at_k(int64_t n, int64_t c, int64_t k) {
  if (k < 1 || k > n)
    return Failure{{.what = "pass@" + std::to_string(k) + " cannot be told from " +
                            std::to_string(n) + " samples",
                    .mend = "take at least as many samples"}};
  if (c < 0 || c > n) return Failure{{.what = "more samples passed than there are"}};
  if (n - c < k) return 1.0;
  double none = 1.0;
  for (int64_t i = n - c + 1; i <= n; ++i)
    none *= 1.0 - static_cast<double>(k) / static_cast<double>(i);
  return 1.0 - none;
}

Result<double> cons_at_k(const Votes& votes, int64_t k) {
  const int64_t n = votes.right + votes.silent +
                    std::accumulate(votes.wrong.begin(), votes.wrong.end(), int64_t{0});
  if (k < 1 || k > n)
    return Failure{{.what = "cons@" + std::to_string(k) + " cannot be told from " +
                            std::to_string(n) + " samples",
                    .mend = "take at least as many samples"}};
  if (n > kMostVotes)
    return Failure{{.what = "more than " + std::to_string(kMostVotes) + " samples of a problem"}};
  long double won = 0.0L;
  for (int64_t most = 1; most <= std::min(votes.right, k); ++most) {
    const int64_t left = k - most;
    const Ways ways = draw_wrong(votes, most, left);
    for (int64_t drawn = 0; drawn <= left; ++drawn)
      for (size_t tied = 0; tied < ways[0].size(); ++tied)
        won += binomial(votes.right, most) * ways[static_cast<size_t>(drawn)][tied] *
               binomial(votes.silent, left - drawn) / static_cast<long double>(tied + 1);
  }
  return static_cast<double>(won / binomial(n, k));
}

Result<Estimate> estimate_pass(std::span<const ProblemCounts> problems, int64_t k,
                               const ResamplingOptions& options) {
  if (problems.empty()) return no_problems();
  std::vector<double> values;
  for (const ProblemCounts& problem : problems)
    values.push_back(PONDER_TRY(pass_at_k(problem.n, problem.c, k)));
  Estimate estimate = PONDER_TRY(estimate_mean(values, options));
  estimate.samples = sample_interval(problems, k, estimate.value, options);
  return estimate;
}

Result<Estimate> estimate_mean(std::span<const double> values, const ResamplingOptions& options) {
  if (values.empty()) return no_problems();
  return Estimate{.value = mean_of(values), .problems = problem_interval(values, options)};
}

Result<std::optional<Ratio>> estimate_ratio(std::span<const double> numerators,
                                            std::span<const double> denominators,
                                            const ResamplingOptions& options) {
  PONDER_CHECK(numerators.size() == denominators.size());
  if (numerators.empty()) return no_problems();
  const double bottom = std::accumulate(denominators.begin(), denominators.end(), 0.0);
  if (bottom <= 0.0) return std::optional<Ratio>();
  Ratio ratio{.value = std::accumulate(numerators.begin(), numerators.end(), 0.0) / bottom};
  Rng rng(options.seed, kRatio);
  std::vector<double> draws(static_cast<size_t>(options.replicates));
  for (double& draw : draws) {
    double over = 0.0, under = 0.0;
    for (size_t i = 0; i < numerators.size(); ++i) {
      const size_t chosen = rng.next_below(numerators.size());
      over += numerators[chosen];
      under += denominators[chosen];
    }
    draw = under > 0.0 ? over / under : std::numeric_limits<double>::infinity();
  }
  ratio.problems = between(draws, widened_tail(options.confidence, numerators.size()));
  return std::optional(ratio);
}

Result<Difference> paired_difference(std::span<const double> a, std::span<const double> b,
                                     const ResamplingOptions& options) {
  PONDER_CHECK(a.size() == b.size());
  if (a.empty()) return no_problems();
  std::vector<double> gaps(a.size());
  for (size_t i = 0; i < a.size(); ++i) gaps[i] = a[i] - b[i];
  Difference difference{.value = mean_of(gaps)};
  auto means = resampled_means(gaps, Rng(options.seed, kDifference), options.replicates);
  difference.interval = between(means, widened_tail(options.confidence, gaps.size()));
  Rng signs(options.seed, kSigns);
  int64_t as_large = 1;  // the observed one is one of the ways
  for (int i = 0; i < options.replicates; ++i) {
    double sum = 0.0;
    uint64_t bits = 0;
    for (size_t j = 0; j < gaps.size(); ++j) {
      if (j % 64 == 0) bits = signs.next_u64();
      sum += (bits >> (j % 64) & 1) != 0 ? gaps[j] : -gaps[j];
    }
    const double mean = sum / static_cast<double>(gaps.size());
    as_large += std::abs(mean) >= std::abs(difference.value) - 1e-12;
  }
  difference.p_value = static_cast<double>(as_large) / (options.replicates + 1.0);
  return difference;
}

}  // namespace ponder
