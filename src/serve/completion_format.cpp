// OpenAI's completions, with their older form of log-probabilities.
#include <algorithm>
#include <cmath>

#include "serve/answer_format.hpp"

namespace ponder {
namespace {

class CompletionFormat : public AnswerFormat {
 public:
  explicit CompletionFormat(const CompletionFormatOptions& options) : options_(options) {}

  OrderedJson whole(const Outcome& outcome) override {
    OrderedJson choices = OrderedJson::array();
    for (size_t i = 0; i < outcome.choices.size(); ++i) {
      const Choice& choice = outcome.choices[i];
      const std::string before = echoed(outcome, choice);
      TokenLists lists;
      if (!before.empty() || options_.echo) add_prompt(outcome, choice, lists);
      for (const TokenInfo* info : choice.tokens(Channel::kContent)) add(outcome, *info, lists);
      choices.push_back(entry(static_cast<int>(i), before + choice.text(Channel::kContent),
                              lists.json(options_.likely), choice.finish_reason()));
    }
    OrderedJson answer = head(outcome);
    answer["choices"] = std::move(choices);
    answer["usage"] = usage_json(outcome.usage());
    add_measures(answer, outcome);
    return answer;
  }

  std::string begin(const Outcome& outcome) override {
    offsets_.assign(outcome.choices.size(), 0);
    std::string text;
    for (size_t i = 0; options_.echo && i < outcome.choices.size(); ++i) {
      TokenLists lists;
      add_prompt(outcome, outcome.choices[i], lists);
      offsets_[i] = lists.offset;
      text += chunk(outcome, entry(static_cast<int>(i), echoed(outcome, outcome.choices[i]),
                                   lists.json(options_.likely), nullptr));
    }
    return text;
  }

  std::string piece(const Outcome& outcome, int choice, const Piece& piece) override {
    const AnswerSegment& segment = outcome.choices[static_cast<size_t>(choice)].segments.back();
    TokenLists lists{.offset = offsets_[static_cast<size_t>(choice)]};
    for (size_t i = piece.first_token; i < segment.tokens.size(); ++i)
      add(outcome, segment.tokens[i], lists);
    offsets_[static_cast<size_t>(choice)] = lists.offset;
    return chunk(outcome,
                 entry(choice, std::string(piece.text), lists.json(options_.likely), nullptr));
  }

  std::string finished(const Outcome& outcome, int choice) override {
    OrderedJson last = head(outcome);
    const Choice& finished = outcome.choices[static_cast<size_t>(choice)];
    last["choices"] = OrderedJson::array({entry(choice, "", nullptr, finished.finish_reason())});
    if (outcome.done()) add_measures(last, outcome);
    return server_event(last);
  }

  std::string end(const Outcome& outcome) override {
    return stream_end(head(outcome), outcome, options_.usage);
  }

 private:
  // Lists side by side, one entry a token.
  struct TokenLists {
    OrderedJson tokens = OrderedJson::array(), log_probabilities = OrderedJson::array(),
                likely = OrderedJson::array(), offsets = OrderedJson::array();
    int64_t offset = 0;  // characters so far

    OrderedJson json(int wanted) const {
      if (wanted < 0) return nullptr;
      return {{"tokens", tokens},
              {"token_logprobs", log_probabilities},
              {"top_logprobs", wanted == 0 ? OrderedJson(nullptr) : likely},
              {"text_offset", offsets}};
    }
  };

  static OrderedJson head(const Outcome& outcome) {
    return answer_head(outcome, "text_completion");
  }

  static OrderedJson entry(int index, std::string text, OrderedJson tokens, OrderedJson reason) {
    return {{"index", index},
            {"text", std::move(text)},
            {"logprobs", std::move(tokens)},
            {"finish_reason", std::move(reason)}};
  }

  static std::string chunk(const Outcome& outcome, OrderedJson entry) {
    OrderedJson chunk = head(outcome);
    chunk["choices"] = OrderedJson::array({std::move(entry)});
    return server_event(chunk);
  }

  std::string echoed(const Outcome& outcome, const Choice& choice) const {
    return options_.echo ? outcome.prompts[static_cast<size_t>(choice.prompt)] : std::string();
  }

  void add_prompt(const Outcome& outcome, const Choice& choice, TokenLists& lists) const {
    const auto prompt = static_cast<size_t>(choice.prompt);
    if (prompt >= outcome.prompt_tokens.size()) return;
    for (const TokenInfo& info : outcome.prompt_tokens[prompt]) add(outcome, info, lists);
  }

  void add(const Outcome& outcome, const TokenInfo& info, TokenLists& lists) const {
    const Tokenizer& tokenizer = outcome.model->tokenizer;
    const auto number = [](float value) -> OrderedJson {
      if (std::isnan(value)) return nullptr;  // the first token of a prompt has none
      return std::max(value, -9999.0f);
    };
    const std::string text = tokenizer.token_bytes(info.token);
    lists.tokens.push_back(text);
    lists.log_probabilities.push_back(number(info.log_probability));
    OrderedJson likely = OrderedJson::object();
    for (const LikelyToken& other : info.likely)
      likely[tokenizer.token_bytes(other.token)] = number(other.log_probability);
    lists.likely.push_back(std::isnan(info.log_probability) ? OrderedJson(nullptr) : likely);
    lists.offsets.push_back(lists.offset);
    lists.offset +=
        std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
  }

  CompletionFormatOptions options_;
  std::vector<int64_t> offsets_;  // of the stream: characters of each choice so far
};

}  // namespace

std::unique_ptr<AnswerFormat> make_completion_format(const CompletionFormatOptions& options) {
  return std::make_unique<CompletionFormat>(options);
}

}  // namespace ponder
