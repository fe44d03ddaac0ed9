// Bounds and switches a model's thinking, token by token. V: Tokenizer::vocab_size().
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "text/thought_splitter.hpp"
#include "text/token_guide.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

struct ThinkingOptions {
  // What AnswerParser gets too. With a guide of the answer think_again is false: give it so to
  // AnswerParser.
  ThoughtOptions thoughts = {};
  // False: <think> is not allowed (if it is a token). Give the prompt its empty block too
  // (RenderOptions::enable_thinking).
  bool wanted = true;
  // Tokens of thoughts, tags not counted, after which they are closed; none: no bound. A character
  // is finished first, with at most 3 tokens more.
  std::optional<int64_t> budget = {};
};

// The model thinks as long as it likes or until the budget is spent: then "\n</think>\n\n" is
// forced, and it may not think again. A guide of the answer sees only what comes behind the
// thoughts, or all if there are none. With one, the model cannot end its text while it thinks.
// A mask is made where one is needed only: with such a guide, or where <think> is not allowed.
class ThinkingGuide : public TokenGuide {
 public:
  // `answer` may be null.
  ThinkingGuide(const Tokenizer& tokenizer, const ThinkingOptions& options,
                std::unique_ptr<TokenGuide> answer = nullptr);

  std::optional<int32_t> forced() override;
  std::span<const uint64_t> allowed() override;
  void accept(int32_t token) override;
  bool finished() const override;

  bool thinking() const { return splitter_.inside(); }
  bool cut_short() const { return cut_short_; }  // the budget closed the thoughts
  int64_t thought_tokens() const { return thought_tokens_; }

 private:
  using Mask = std::vector<uint64_t>;  // ⌈V/64⌉ words

  bool before() const { return !begun_ && !splitter_.inside(); }
  bool spent() const { return budget_ && thought_tokens_ >= *budget_; }
  bool may_open() const { return wanted_ && !cut_short_ && !spent(); }
  Mask all_tokens() const;
  std::span<const uint64_t> while_thinking();
  std::span<const uint64_t> before_answer();
  std::span<const uint64_t> without_open();

  Tokenizer tokenizer_;
  ThoughtSplitter splitter_;
  std::unique_ptr<TokenGuide> answer_;
  std::vector<int32_t> open_, closing_;  // tokens of <think>, and of what ends thoughts
  std::optional<int64_t> budget_;
  bool wanted_;
  bool begun_ = false;  // thoughts have been, or the answer has begun
  bool cut_short_ = false;
  int64_t thought_tokens_ = 0;
  int extra_tokens_ = 0;        // beyond the budget
  std::deque<int32_t> forced_;  // to come
  Mask mask_;                   // of the last call that needed its own
  Mask no_open_, no_end_;       // made once
};

}  // namespace ponder
