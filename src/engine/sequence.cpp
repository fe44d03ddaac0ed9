#include "engine/sequence.hpp"

#include <algorithm>

namespace ponder {

Sequence::Sequence(const Model& model, KvCache cache, int64_t draft,
                   std::unique_ptr<Drafter> drafter)
    : cache_(std::move(cache)),
      drafter_(std::move(drafter)),
      draft_most_(draft),
      draft_length_(draft),
      width_(model.config().hidden),
      keep_hidden_(drafter_ && drafter_->wants_hidden()) {}

Result<int64_t> Sequence::start(std::span<const int32_t> tokens) {
  const auto count = std::ssize(tokens);
  PONDER_CHECK(count > 0 && count <= cache_.capacity());
  forget_draft();
  PONDER_TRY(observe());
  const auto known = std::span(tokens_).first(static_cast<size_t>(cache_.length()));
  const auto differ = std::mismatch(known.begin(), known.end(), tokens.begin(), tokens.end()).first;
  // The last token is computed in any case: its logits are wanted.
  int64_t kept = std::min<int64_t>(differ - known.begin(), count - 1);
  if (drafter_) kept = drafter_->keep(kept);
  cache_.truncate(kept);
  observed_ = kept;
  tokens_.assign(tokens.begin(), tokens.end());
  prompt_ = count;
  draft_length_ = DraftLength(draft_most_);
  return kept;
}

void Sequence::start_shared(std::span<const int32_t> tokens, std::span<const int32_t> pages,
                            int64_t length, int64_t prompt) {
  PONDER_CHECK(length < std::ssize(tokens) && prompt <= std::ssize(tokens));
  forget_draft();
  cache_.adopt(pages, length);
  if (drafter_) drafter_->begin(length);
  observed_ = length;
  tokens_.assign(tokens.begin(), tokens.end());
  prompt_ = prompt;
  draft_length_ = DraftLength(draft_most_);
}

// Gives the drafter the states of the positions that have come to stay.
Result<void> Sequence::observe() {
  const int64_t rows = cache_.length() - observed_;
  observed_ = cache_.length();
  if (rows == 0 || !drafter_ || !drafter_->wants_hidden()) return {};
  return drafter_->observe(tokens_, hidden_.data(), rows);
}

void Sequence::forget_draft() {
  cache_.truncate(std::min(cache_.length(), std::ssize(tokens_)));
  draft_.clear();
  row_ = 0;
  ready_ = false;
}

// Guesses at what follows the one token that the cache lacks.
Result<void> Sequence::make_draft(const StepLimits& limits) {
  const int64_t room = std::min(cache_.capacity() - std::ssize(tokens_), limits.draft);
  const int64_t most = std::min(room, draft_length_.next());
  if (most <= 0) return {};
  PONDER_TRY(drafter_->draft(tokens_, most, draft_));
  PONDER_CHECK(std::ssize(draft_) <= most);
  // What would follow an end is of no use, and the end itself is known without its logits.
  if (limits.is_end != nullptr && *limits.is_end)
    draft_.erase(std::find_if(draft_.begin(), draft_.end(), *limits.is_end), draft_.end());
  return {};
}

Result<SequenceStep> Sequence::step(const StepLimits& limits) {
  PONDER_CHECK(!ready_ && !tokens_.empty() && !full());
  if (!draft_.empty()) draft_length_.learn(std::ssize(draft_), row_);
  forget_draft();
  PONDER_TRY(observe());
  SequenceStep step{.cache = &cache_, .tokens = {}};
  const int64_t rest = missing();
  PONDER_CHECK(rest > 0);
  if (rest > 1 || !drafter_ || generated().empty()) {
    step_tokens_ = std::min(rest, limits.tokens);
    step.tokens = std::span(tokens_).subspan(static_cast<size_t>(cache_.length()),
                                             static_cast<size_t>(step_tokens_));
    step.logit_rows = step_tokens_ == rest ? 1 : 0;
  } else {
    auto drafted = make_draft(limits);
    if (!drafted.ok()) {
      draft_.clear();
      return Failure{std::move(drafted).take_error()};
    }
    fed_.assign(1, tokens_.back());
    fed_.insert(fed_.end(), draft_.begin(), draft_.end());
    step_tokens_ = std::ssize(fed_);
    step.tokens = fed_;
    step.logit_rows = step_tokens_;
  }
  if (keep_hidden_) {
    hidden_.grow(static_cast<size_t>(step_tokens_ * width_));
    step.hidden = hidden_.data();
  }
  return step;
}

void Sequence::computed() {
  ready_ = cache_.length() >= std::ssize(tokens_);
  if (!ready_ || generated().empty()) return;
  ++counts_.passes;
  counts_.drafted += std::ssize(draft_);
}

int32_t Sequence::choose(std::span<float> logits, const SamplingOptions& sampling) {
  PONDER_CHECK(ready_);
  const auto history = generated();
  const int32_t token = sample(logits, history, sampling, history.size());
  append(token);
  return token;
}

void Sequence::append(int32_t token) {
  PONDER_CHECK(ready_);
  tokens_.push_back(token);
  if (row_ < std::ssize(draft_) && draft_[static_cast<size_t>(row_)] == token) {
    ++row_;
    ++counts_.accepted;
  } else {
    ready_ = false;
    cache_.truncate(std::ssize(tokens_) - 1);
  }
}

}  // namespace ponder
