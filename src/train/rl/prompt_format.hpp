// How a problem becomes the tokens that a model goes on from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "text/chat_template.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

// A prompt in tokens, and what the answer's text begins behind.
struct FormattedPrompt {
  std::vector<int32_t> tokens;
  bool starts_inside = false;  // it ends in <think>
};

class PromptFormat {
 public:
  // `form`: "chat", the template of the tokenizer's files; the name of a template; "r1-zero", plain
  // text that asks for <think> and <answer>; or a text of one's own with {prompt} in it.
  // `system`: a system message, for templates only; empty: none.
  static Result<PromptFormat> create(const Tokenizer& tokenizer, std::string_view form,
                                     std::string_view system, const std::string& where);

  // `begun`: what the answer is made to begin with, tags included, as if the model had written it.
  Result<FormattedPrompt> format(std::string_view prompt, std::string_view begun = {}) const;

 private:
  explicit PromptFormat(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  Tokenizer tokenizer_;
  std::optional<ChatTemplate> chat_;
  std::string system_;
  std::string before_, after_;  // without a template: around the prompt
};

}  // namespace ponder
