#include "text/thinking.hpp"

#include <algorithm>

namespace ponder {
namespace {

void set(std::vector<uint64_t>& mask, int32_t token, bool allowed) {
  const uint64_t bit = uint64_t{1} << (token % 64);
  uint64_t& word = mask[static_cast<size_t>(token) / 64];
  word = allowed ? word | bit : word & ~bit;
}

bool has(std::span<const uint64_t> mask, int32_t token) {
  return mask.empty() || (mask[static_cast<size_t>(token) / 64] >> (token % 64) & 1) != 0;
}

// Whether a token ends a tag that has begun and says more than white space behind it.
bool overruns(std::string_view begun, std::string_view token) {
  constexpr std::string_view kClose = "</think>";
  const std::string text = std::string(begun).append(token);
  const size_t end = text.find(kClose);
  return end != std::string::npos &&
         text.find_first_not_of(kWhiteSpace, end + kClose.size()) != std::string::npos;
}

ThoughtOptions with_guide(ThoughtOptions options, bool guided) {
  options.think_again = options.think_again && !guided;
  return options;
}

}  // namespace

ThinkingGuide::ThinkingGuide(const Tokenizer& tokenizer, const ThinkingOptions& options,
                             std::unique_ptr<TokenGuide> answer)
    : tokenizer_(tokenizer),
      splitter_(tokenizer, with_guide(options.thoughts, answer != nullptr)),
      answer_(std::move(answer)),
      open_(tokenizer.encode("<think>", {.add_bos = false})),
      closing_(tokenizer.encode("\n</think>\n\n", {.add_bos = false})),
      budget_(options.budget),
      wanted_(options.wanted && splitter_.knows_tags()) {}

std::optional<int32_t> ThinkingGuide::forced() {
  constexpr int kMostExtra = 3;
  if (forced_.empty() && splitter_.inside() && spent()) {
    if (splitter_.in_character() && extra_tokens_ < kMostExtra) return std::nullopt;
    forced_.assign(closing_.begin(), closing_.end());
    cut_short_ = true;
  }
  if (!forced_.empty()) return forced_.front();
  if (!answer_ || splitter_.inside() || (before() && may_open())) return std::nullopt;
  return answer_->forced();
}

std::span<const uint64_t> ThinkingGuide::allowed() {
  if (splitter_.inside()) return while_thinking();
  if (answer_ && before() && may_open()) return before_answer();
  if (answer_) return answer_->allowed();
  return may_open() ? std::span<const uint64_t>() : without_open();
}

ThinkingGuide::Mask ThinkingGuide::all_tokens() const {
  const auto size = static_cast<size_t>(tokenizer_.vocab_size());
  Mask mask((size + 63) / 64, ~uint64_t{0});
  if (size % 64 != 0) mask.back() >>= 64 - size % 64;
  return mask;
}

std::span<const uint64_t> ThinkingGuide::while_thinking() {
  if (!answer_) return {};
  if (no_end_.empty()) {
    no_end_ = all_tokens();
    for (int32_t id = 0; id < tokenizer_.vocab_size(); ++id)
      if (tokenizer_.is_end(id)) set(no_end_, id, false);
  }
  // Where tags are text, a token might begin the answer unseen by its guide.
  const std::string_view begun = splitter_.partial_tag();
  if (!splitter_.by_text() || begun.empty()) return no_end_;
  mask_ = no_end_;
  for (int32_t id = 0; id < tokenizer_.vocab_size(); ++id)
    if (overruns(begun, tokenizer_.token_bytes(id))) set(mask_, id, false);
  return mask_;
}

// What may begin the answer, or <think>.
std::span<const uint64_t> ThinkingGuide::before_answer() {
  const auto inner = answer_->allowed();
  if (open_.empty() || has(inner, open_[0])) return inner;
  mask_.assign(inner.begin(), inner.end());
  set(mask_, open_[0], true);
  return mask_;
}

std::span<const uint64_t> ThinkingGuide::without_open() {
  if (splitter_.by_text() || open_.size() != 1) return {};
  if (no_open_.empty()) {
    no_open_ = all_tokens();
    set(no_open_, open_[0], false);
  }
  return no_open_;
}

void ThinkingGuide::accept(int32_t token) {
  const bool was_forced = !forced_.empty();
  if (was_forced) forced_.pop_front();
  const bool was_inside = splitter_.inside();
  // The start of a <think> in several tokens, which the answer could not begin with.
  const bool opens = !was_forced && answer_ && before() && may_open() && !open_.empty() &&
                     token == open_[0] && !has(answer_->allowed(), token);
  std::vector<AnswerPiece> pieces;
  splitter_.push(token, pieces);
  if (opens) forced_.assign(open_.begin() + 1, open_.end());
  if (was_inside && splitter_.inside() && !was_forced) {
    extra_tokens_ += spent() ? 1 : 0;
    ++thought_tokens_;
  }
  if (was_inside || splitter_.inside()) {
    begun_ = true;
    return;
  }
  if (was_forced || opens) return;
  begun_ = true;
  if (answer_) answer_->accept(token);
}

bool ThinkingGuide::finished() const {
  return !splitter_.inside() && forced_.empty() && answer_ && answer_->finished();
}

}  // namespace ponder
