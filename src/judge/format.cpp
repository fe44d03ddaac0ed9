#include "judge/format.hpp"

#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr std::string_view kOpenThought = "<think>", kCloseThought = "</think>";
constexpr std::string_view kOpenAnswer = "<answer>", kCloseAnswer = "</answer>";
constexpr auto kNowhere = std::string_view::npos;

bool holds_tag(std::string_view text) {
  for (const std::string_view tag : {kOpenThought, kCloseThought, kOpenAnswer, kCloseAnswer})
    if (text.find(tag) != kNowhere) return true;
  return false;
}

// Takes `open`, text without tags, and `close` from the start of `text`.
std::string take_part(std::string_view& text, std::string_view open, std::string_view close) {
  text = stripped(text);
  if (!text.starts_with(open)) return std::string(open) + " is not where it belongs";
  text.remove_prefix(open.size());
  const size_t end = text.find(close);
  if (end == kNowhere) return std::string(close) + " is missing";
  const std::string_view inner = text.substr(0, end);
  if (holds_tag(inner)) return "a tag stands inside of " + std::string(open);
  if (stripped(inner).empty()) return "nothing stands inside of " + std::string(open);
  text.remove_prefix(end + close.size());
  return {};
}

}  // namespace

std::string form_objection(std::string_view text, const AnswerForm& form) {
  const std::string_view open = form.prompt_opens_think ? std::string_view{} : kOpenThought;
  if (std::string wrong = take_part(text, open, kCloseThought); !wrong.empty()) return wrong;
  if (form.answer_tags) {
    if (std::string wrong = take_part(text, kOpenAnswer, kCloseAnswer); !wrong.empty())
      return wrong;
    return stripped(text).empty() ? "" : "something follows the answer";
  }
  if (stripped(text).empty()) return "no answer follows the thoughts";
  return holds_tag(text) ? "a tag stands in the answer" : "";
}

std::string in_form(std::string_view thought, std::string_view answer) {
  std::string text;
  for (const std::string_view part :
       {kOpenThought, thought, kCloseThought, kOpenAnswer, answer, kCloseAnswer})
    text += part;
  return text;
}

}  // namespace ponder
