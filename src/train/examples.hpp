// Data for supervised training: from JSON lines or plain text to tokens, with the part of each that
// is to be learned.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "text/chat_template.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

// The tokens from `learn_from` on are predicted, those before are given.
struct Example {
  std::vector<int32_t> tokens;
  int64_t learn_from = 1;  // ≥ 1: nothing predicts the first token

  int64_t length() const { return static_cast<int64_t>(tokens.size()); }
  int64_t learned() const { return length() - learn_from; }
};

struct ExampleOptions {
  std::optional<ChatTemplate> chat;  // none: prompts are taken as they are
  int64_t length = 1024;             // tokens of an example at most
  bool drop_long = false;            // those beyond it, instead of cutting them
  bool every_answer = false;         // of a conversation, not the last one only
};

struct ExampleSet {
  std::vector<Example> examples;
  int64_t cut = 0;      // examples that lost their end
  int64_t dropped = 0;  // too long, or cut before anything to learn

  int64_t tokens() const;
};

// Files ending in .pack are what `ponder data pack` made; each piece of a document is an example.
// Files ending in .jsonl have one object a line:
//   {"text": …}                                a document, learned from its first token on
//   {"prompt": …, "answer": …}                 and "system", "reasoning" if wanted
//   {"messages": [{"role", "content", "reasoning"}, …]}, the last of them an assistant's
//   {"tokens": [ids], "learn_from": n}
// "prompt" may be a list of messages too. Any other file is one document. Documents end with the
// end-of-text token and are cut into pieces, each going on with the last token of the one before.
// What is learned of an answer is what the model would have to write: thoughts, answer and the
// token that ends the turn; the prompt is the one that inference would use. Errors name file and
// line.
Result<ExampleSet> read_examples(std::span<const std::filesystem::path> files,
                                 const Tokenizer& tokenizer, const ExampleOptions& options);

// The prompt that inference would use, ending where the answer begins. Without a template a single
// user message's text.
Result<std::string> prompt_text(const std::optional<ChatTemplate>& chat,
                                std::span<const ChatMessage> messages);
// What the model writes behind prompt_text(): thoughts in their tags, and the content; without the
// end of the turn.
std::string answer_text(const std::optional<ChatTemplate>& chat,
                        std::span<const ChatMessage> prompt, const ChatMessage& answer);
// The token that ends an answer: the template's, else the end of text.
Result<int32_t> end_of_answer(const std::optional<ChatTemplate>& chat, const Tokenizer& tokenizer);

}  // namespace ponder
