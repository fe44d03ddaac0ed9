// What an answer looks like, whatever it says: tags in their places, thoughts in the language of
// the question. For rewards; the text is a model's and may be anything.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace ponder {

enum class FormKind {
  kAny,
  kThink,        // <think>…</think>…
  kThinkAnswer,  // <think>…</think><answer>…</answer>, white space between and around
};

Result<FormKind> form_kind_by_name(std::string_view name);  // "any", "think", "think_answer"

// Whether the text has the form (judge/format.hpp). `starts_inside`: the prompt ended in <think>.
bool has_form(std::string_view text, FormKind form, bool starts_inside);

// What is between <think> (or the start, if inside) and </think> (or the end); empty without.
std::string_view thoughts_of(std::string_view text, bool starts_inside);

// A language whose script we can tell: "en", "de", "fr", "es", "it", "pt", "nl" (Latin), "ru",
// "uk" (Cyrillic), "zh" (Han), "ja" (Han and kana), "ko" (Hangul), "el" (Greek).
bool knows_language(std::string_view language);

// The share of a text's words that are written in the language's script; 1 without words. A word is
// a run of letters, or one character of Han or kana. Languages of one script are not told apart.
double language_share(std::string_view text, std::string_view language);

}  // namespace ponder
