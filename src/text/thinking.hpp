// Bounds and switches a model's thinking, token by token. V vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "text/thought_splitter.hpp"
#include "text/token_guide.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

struct ThinkingOptions {
  // As for AnswerParser. With a guide of the answer, give AnswerParser think_again = false.
  bool reasons = false;
  bool starts_inside = false;
  // False: <think> is not allowed. Prefill the empty block (RenderOptions::enable_thinking) too.
  bool wanted = true;
  // Tokens of thoughts, tags not counted, after which the model is made to close them; none: no
  // bound. An unfinished character is finished first, with at most 3 more.
  std::optional<int64_t> budget = {};
};

// Thinking goes on as the model likes until it closes it itself or the budget is spent: then
// "\n</think>\n\n" is forced, and it may not think again. The guide of the answer, if any, sees the
// answer only: what comes after the thoughts, or at once if there are none. With one, the model
// cannot end its text while it thinks. No mask is made otherwise, but for switched off thinking
// (made once).
class ThinkingGuide : public TokenGuide {
 public:
  // `answer` may be null.
  ThinkingGuide(const Tokenizer& tokenizer, const ThinkingOptions& options,
                std::unique_ptr<TokenGuide> answer);
  // Whether such options steer anything; without, no guide is needed.
  static bool needed(const ThinkingOptions& options);

  std::optional<int32_t> forced() override;
  std::span<const uint64_t> allowed() override;
  void accept(int32_t token) override;
  bool finished() const override;

  bool thinking() const { return splitter_.inside(); }
  bool cut_short() const { return cut_short_; }  // the budget closed the thoughts
  int64_t thought_tokens() const { return thought_tokens_; }

 private:
  enum class Phase { kBefore, kThoughts, kAnswer };

  Tokenizer tokenizer_;
  ThoughtSplitter splitter_;
  std::unique_ptr<TokenGuide> answer_;
  std::optional<int64_t> budget_;
  bool wanted_;
  bool cut_short_ = false;
  int64_t thought_tokens_ = 0;
};

}  // namespace ponder
