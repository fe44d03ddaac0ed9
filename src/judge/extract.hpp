// What a model's text gives as its answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ponder {

// The text without thoughts: without each <think>…</think>, without all before a </think> that
// nothing opened (the prompt did), and without all behind a <think> that is never closed.
struct Visible {
  std::string text;
  bool cut_in_thought = false;  // the text ends inside of thoughts: nothing was answered
};
Visible without_thoughts(std::string_view text);

enum class AnswerSource { kNone, kTag, kBoxed, kPhrase, kWhole };
struct ExtractedAnswer {
  AnswerSource source = AnswerSource::kNone;
  std::string text;         // without white space at the ends
  bool unfinished = false;  // the text breaks off: in thoughts, or in the answer itself
  bool found() const { return source != AnswerSource::kNone; }
};

// Of the text behind the thoughts, the first of these that is there and not empty:
// the last <answer>…</answer> (of it, its last \boxed{}, if it has one); the last \boxed{…} whose
// braces close, or \fbox{…}, or \boxed and one plain word or number; what follows the last "the
// answer is", "answer:" or "####", to the end of the line or sentence; the whole text, if it is one
// line of at most 200 bytes. A \boxed that holds nothing, as when instructions are repeated, is no
// answer.
ExtractedAnswer extract_answer(std::string_view text);

// The choice among `count` (≤ 26) that a text makes: "B", "(b)", "B. Paris", "**Answer: B**".
// Taken from extract_answer(), or else from the last line that is only a choice.
std::optional<char> extract_choice(std::string_view text, int count);

struct ExtractedCode {
  std::string code;
  bool found = false;
  bool unfinished = false;  // the block was never closed
};

// The program in an answer. Of several blocks of `language` ("python" or "cpp") the last one counts
// that mentions `must_mention` (the name of the function that is asked for; empty: any), since
// drafts come first and examples of use do not define it; without such, the last one. Blocks
// without a language come after those, blocks of another language never count. Text without any
// block is code itself.
ExtractedCode extract_code(std::string_view text, std::string_view language,
                           std::string_view must_mention = {});

}  // namespace ponder
