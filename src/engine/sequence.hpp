// One sequence on its way through the model: what has to be computed next, and how its next token
// is chosen. Whoever owns it runs the passes, for one sequence (Session) or many (Engine).
// V vocabulary, H width of the hidden states.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "engine/draft.hpp"
#include "model/forward.hpp"
#include "ops/sample/sample.hpp"
#include "text/token_guide.hpp"

namespace ponder {

struct DraftCounts {
  int64_t passes = 0;    // forward passes of the model, that of the prompt not counted
  int64_t drafted = 0;   // tokens that were guessed
  int64_t accepted = 0;  // of these, the ones that were generated
};

// The order of calls: start(), then step() and computed() until ready(), then choose(); again from
// step() where ready() is false.
class Sequence {
 public:
  // With a drafter one pass may give several tokens, up to 1 + `draft`.
  Sequence(const Model& model, KvCache cache, int64_t draft = 1,
           std::unique_ptr<Drafter> drafter = nullptr);

  // Makes `tokens` (> 0, within the cache's capacity) the sequence so far. What the cache holds of
  // it, counted from the beginning, is kept: returns how many positions.
  Result<int64_t> start(std::span<const int32_t> tokens);
  // The same where the cache, empty until now, shares its first `length` positions, which hold the
  // tokens' own keys and values, with others. The tokens from `prompt` on count as generated.
  void start_shared(std::span<const int32_t> tokens, std::span<const int32_t> pages, int64_t length,
                    int64_t prompt);

  struct StepLimits {
    int64_t tokens = INT64_MAX;  // of the prompt, in one step
    int64_t draft = INT64_MAX;   // guesses that are of use
    const std::function<bool(int32_t)>* is_end = nullptr;
  };
  // What goes through the model next: a part of the prompt, or the last token and guesses at what
  // follows. Only `logits` is left for the caller to set, to logit_rows rows of V. Not if ready().
  Result<SequenceStep> step(const StepLimits& limits);
  // The step's positions are in the cache.
  void computed();

  // Whether row() of the last step's logits belongs to the last token.
  bool ready() const { return ready_; }
  int64_t row() const { return row_; }

  // Chooses the next token from `logits` (V; row row(), scratch) and appends it.
  // Draw number: tokens generated since start(). If the model's guess was right, the next row is
  // ready().
  int32_t choose(std::span<float> logits, const SamplingOptions& sampling);
  // Appends a token that was chosen otherwise.
  void append(int32_t token);

  std::span<const int32_t> tokens() const { return tokens_; }
  std::span<const int32_t> generated() const {
    return std::span(tokens_).subspan(static_cast<size_t>(prompt_));
  }
  int64_t missing() const { return std::ssize(tokens_) - cache_.length(); }  // from the cache
  bool full() const { return std::ssize(tokens_) > cache_.capacity(); }      // no room to go on
  int64_t most_rows() const { return drafter_ ? 1 + draft_most_ : 1; }       // of logits in a step
  KvCache& cache() { return cache_; }
  const KvCache& cache() const { return cache_; }
  uint64_t bytes() const { return cache_.bytes() + (drafter_ ? drafter_->bytes() : 0); }
  const float* hidden() const { return hidden_.data(); }  // (tokens of the last step, H), if kept
  void keep_hidden() { keep_hidden_ = true; }
  const DraftCounts& counts() const { return counts_; }
  void reset_counts() { counts_ = {}; }

  // The guesses that were not generated leave the cache: it holds a beginning of tokens() then.
  void forget_draft();

 private:
  Result<void> make_draft(const StepLimits& limits);
  Result<void> observe();

  KvCache cache_;
  std::unique_ptr<Drafter> drafter_;  // or none
  int64_t draft_most_;
  DraftLength draft_length_;
  int64_t width_;  // H

  std::vector<int32_t> tokens_;  // the sequence; the cache holds a beginning of it, then draft_
  int64_t prompt_ = 0;           // how many of tokens_ were not generated
  std::vector<int32_t> draft_;   // guesses of the last step
  std::vector<int32_t> fed_;     // the last token and the guesses, while they are computed
  int64_t step_tokens_ = 0;      // of the last step
  int64_t row_ = 0;              // so many guesses were right
  bool ready_ = false;

  bool keep_hidden_ = false;
  Buffer<float> hidden_;  // (tokens of a step, H): states from position observed_ on
  int64_t observed_ = 0;  // positions that the drafter has seen
  DraftCounts counts_;
};

}  // namespace ponder
