#include "engine/work.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "ops/xent/xent.hpp"

namespace ponder {

void mask_logits(std::span<float> logits, std::span<const uint64_t> allowed) {
  if (allowed.empty()) return;
  PONDER_CHECK(allowed.size() == (logits.size() + 63) / 64);
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  size_t first = logits.size();
  bool any = false;
  for (size_t i = 0; i < logits.size(); i += 64) {
    const auto part = logits.subspan(i, std::min<size_t>(64, logits.size() - i));
    const uint64_t all = ~uint64_t{0} >> (64 - part.size());
    const uint64_t word = allowed[i / 64] & all;
    if (word == 0) {
      std::fill(part.begin(), part.end(), kNever);
      continue;
    }
    if (first == logits.size()) first = i + static_cast<size_t>(std::countr_zero(word));
    for (uint64_t left = word; left != 0 && !any; left &= left - 1)
      any = part[static_cast<size_t>(std::countr_zero(left))] > kNever;
    for (uint64_t left = ~word & all; left != 0; left &= left - 1)
      part[static_cast<size_t>(std::countr_zero(left))] = kNever;
  }
  PONDER_CHECK(first < logits.size());
  if (!any) logits[first] = 0.0f;
}

Chosen log_probabilities(std::span<const float> logits, int32_t token, int likely) {
  Chosen chosen{.token = token,
                .log_probability = static_cast<float>(log_probability(logits, token))};
  if (likely <= 0) return chosen;
  std::vector<int32_t> order;
  const auto likelier = [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  for (int32_t i = 0; i < std::ssize(logits); ++i) {  // a short sorted list
    if (std::isnan(logits[static_cast<size_t>(i)])) continue;
    if (std::ssize(order) == likely) {
      if (!likelier(i, order.back())) continue;
      order.pop_back();
    }
    order.insert(std::upper_bound(order.begin(), order.end(), i, likelier), i);
  }
  if (order.empty()) return chosen;
  // One sum for all: log p_i = l_i − log Σ exp(l).
  const auto logit = [&](int32_t id) {
    return static_cast<double>(logits[static_cast<size_t>(id)]);
  };
  const double total = logit(order[0]) - log_probability(logits, order[0]);
  for (const int32_t id : order)
    chosen.likely.push_back({id, static_cast<float>(logit(id) - total)});
  return chosen;
}

void choose_tokens(Work& work, std::span<float> logits, int64_t vocab) {
  const GenerationRequest& request = work.request();
  SamplingOptions sampling = request.sampling;
  sampling.seed += static_cast<uint64_t>(work.choice);
  Sequence& sequence = *work.sequence;
  std::vector<float> raw;  // a row as the model gave it, where its probabilities are wanted
  while (sequence.ready() && work.generated + std::ssize(work.chosen) < work.most_tokens()) {
    const auto row =
        logits.subspan(static_cast<size_t>(sequence.row() * vocab), static_cast<size_t>(vocab));
    if (request.likely >= 0 || request.sampled_log_probability) raw.assign(row.begin(), row.end());
    const auto forced = work.guide ? work.guide->forced() : std::nullopt;
    int32_t token = 0;
    if (forced) {
      token = *forced;
      sequence.append(token);
    } else {
      if (work.guide) mask_logits(row, work.guide->allowed());
      token = sequence.choose(row, sampling);
    }
    Chosen chosen = request.likely >= 0 ? log_probabilities(raw, token, request.likely)
                                        : Chosen{.token = token};
    if (request.sampled_log_probability) {
      const float logit = raw[static_cast<size_t>(token)];
      const LogSoftmax softmax = LogSoftmax::of(raw, sampling.temperature);
      chosen.log_probability = static_cast<float>(softmax.log_probability(logit));
    }
    chosen.end = !forced && request.is_end && request.is_end(token);
    if (work.guide && !chosen.end) work.guide->accept(token);
    work.chosen.push_back(std::move(chosen));
    if (work.chosen.back().end || sequence.full()) return;
    if (work.guide && work.guide->finished()) return;
  }
}

}  // namespace ponder
