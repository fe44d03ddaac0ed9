#include "train/rl/objective.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ponder {
namespace {

constexpr double kMostExponent = 30.0;

double bounded_exp(double x) { return std::exp(std::clamp(x, -kMostExponent, kMostExponent)); }

double difference(float a, float b) { return static_cast<double>(a) - static_cast<double>(b); }

// exp(−d) + d − 1 for d = ℓ − r.
double k3(double d) { return bounded_exp(-d) + d - 1.0; }

// A term of the loss and its derivative by ℓ.
struct Term {
  double value = 0.0, slope = 0.0;
  bool clipped = false;
};

Term clipped_term(const ObjectiveOptions& options, double ratio, double advantage) {
  const double least = 1.0 - options.clip_low, most = 1.0 + options.clip_high;
  const bool outside = advantage > 0.0 ? ratio > most : advantage < 0.0 && ratio < least;
  if (outside) return {-std::clamp(ratio, least, most) * advantage, 0.0, true};
  return {-ratio * advantage, -ratio * advantage, false};
}

Term surrogate_term(const ObjectiveOptions& options, double now, double ratio, double advantage) {
  switch (options.surrogate) {
    case Surrogate::kClipped:
    case Surrogate::kSequence:
      return clipped_term(options, ratio, advantage);
    case Surrogate::kWeighted: {
      const double weight = std::clamp(ratio, 1.0 - options.clip_low, 1.0 + options.clip_high);
      return {-weight * advantage * now, -weight * advantage, weight != ratio};
    }
    case Surrogate::kPlain:
      return {-advantage * now, -advantage, false};
  }
  return {};
}

Term kl_term(KlKind kind, double d) {
  switch (kind) {
    case KlKind::kNone:
      return {};
    case KlKind::kK1:
      return {d, 1.0};
    case KlKind::kK2:
      return {0.5 * d * d, d};
    case KlKind::kK3:
      return {k3(d), 1.0 - bounded_exp(-d)};
  }
  return {};
}

// The sequence's ratio: one number for all rows.
double sequence_ratio(const SampledRows& rows) {
  double sum = 0.0;
  for (size_t i = 0; i < rows.now.size(); ++i) sum += difference(rows.now[i], rows.sampled[i]);
  return bounded_exp(sum / static_cast<double>(std::max<size_t>(rows.now.size(), 1)));
}

template <typename Kind>
struct Named {
  std::string_view name;
  Kind kind;
};

template <typename Kind, size_t kCount>
Result<Kind> by_name(const Named<Kind> (&all)[kCount], std::string_view name,
                     std::string_view what) {
  std::string names;
  for (const auto& [known, kind] : all) {
    if (known == name) return kind;
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  return Failure{{.what = "unknown " + std::string(what) + " \"" + std::string(name) + "\"",
                  .mend = "use one of " + names}};
}

}  // namespace

Result<Surrogate> surrogate_by_name(std::string_view name) {
  static constexpr Named<Surrogate> kAll[] = {{"clipped", Surrogate::kClipped},
                                              {"sequence", Surrogate::kSequence},
                                              {"weighted", Surrogate::kWeighted},
                                              {"plain", Surrogate::kPlain}};
  return by_name(kAll, name, "surrogate");
}

Result<KlKind> kl_kind_by_name(std::string_view name) {
  static constexpr Named<KlKind> kAll[] = {
      {"none", KlKind::kNone}, {"k1", KlKind::kK1}, {"k2", KlKind::kK2}, {"k3", KlKind::kK3}};
  return by_name(kAll, name, "kind of KL");
}

Result<Aggregation> aggregation_by_name(std::string_view name) {
  static constexpr Named<Aggregation> kAll[] = {{"token", Aggregation::kToken},
                                                {"sequence", Aggregation::kSequence},
                                                {"constant", Aggregation::kConstant}};
  return by_name(kAll, name, "aggregation");
}

std::vector<double> row_weights(std::span<const int64_t> rows, Aggregation aggregation,
                                double constant_length) {
  const auto answers = static_cast<double>(rows.size());
  const auto all =
      static_cast<double>(std::accumulate(rows.begin(), rows.end(), static_cast<int64_t>(0)));
  std::vector<double> weights;
  for (const int64_t count : rows) {
    double divisor = answers * static_cast<double>(count);
    if (aggregation == Aggregation::kToken) divisor = all;
    if (aggregation == Aggregation::kConstant) divisor = answers * constant_length;
    weights.push_back(count > 0 ? 1.0 / divisor : 0.0);
  }
  return weights;
}

void ObjectiveSums::add(const ObjectiveSums& other) {
  loss += other.loss;
  kl += other.kl;
  change += other.change;
  ratio_error = std::max(ratio_error, other.ratio_error);
  clipped += other.clipped;
  rows += other.rows;
}

ObjectiveSums objective(const ObjectiveOptions& options, const SampledRows& rows,
                        std::span<float> gradient) {
  const size_t count = rows.now.size();
  PONDER_CHECK(rows.sampled.size() == count && rows.advantage.size() == count &&
               gradient.size() == count);
  PONDER_CHECK(rows.reference.size() == count ||
               (rows.reference.empty() && options.kl == KlKind::kNone));
  ObjectiveSums sums{.rows = static_cast<int64_t>(count)};
  const double shared = sequence_ratio(rows);
  double shared_slope = 0.0;  // Σ of the slopes by the sequence's ln ratio
  for (size_t i = 0; i < count; ++i) {
    const double moved = difference(rows.now[i], rows.sampled[i]);
    const bool sequence = options.surrogate == Surrogate::kSequence;
    const Term term = surrogate_term(options, static_cast<double>(rows.now[i]),
                                     sequence ? shared : bounded_exp(moved), rows.advantage[i]);
    Term kl;
    if (!rows.reference.empty()) {
      const double d = difference(rows.now[i], rows.reference[i]);
      kl = kl_term(options.kl, d);
      sums.kl += k3(d);
    }
    const double kl_weight = options.kl == KlKind::kNone ? 0.0 : options.kl_weight;
    sums.loss += rows.weight * (term.value + kl_weight * kl.value);
    sums.change += k3(-moved);
    sums.ratio_error = std::max(sums.ratio_error, std::abs(moved));
    sums.clipped += term.clipped ? 1 : 0;
    if (sequence) shared_slope += term.slope;
    const double own = (sequence ? 0.0 : term.slope) + kl_weight * kl.slope;
    gradient[i] = static_cast<float>(rows.weight * own);
  }
  if (options.surrogate != Surrogate::kSequence || count == 0) return sums;
  // Each row's ℓ moves the mean, and with it every row's term, by 1/n.
  const double each = rows.weight * shared_slope / static_cast<double>(count);
  for (float& value : gradient) value = static_cast<float>(static_cast<double>(value) + each);
  return sums;
}

}  // namespace ponder
