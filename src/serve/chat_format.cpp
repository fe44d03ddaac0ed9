// OpenAI's chat completions.
#include <algorithm>

#include "serve/answer_format.hpp"

namespace ponder {
namespace {

OrderedJson token_json(const Tokenizer& tokenizer, int32_t token, float log_probability) {
  const std::string bytes = tokenizer.token_bytes(token);
  OrderedJson list = OrderedJson::array();
  for (const char byte : bytes) list.push_back(static_cast<uint8_t>(byte));
  return {{"token", bytes},
          {"logprob", std::max(log_probability, -9999.0f)},  // JSON has no infinity
          {"bytes", std::move(list)}};
}

class ChatFormat : public AnswerFormat {
 public:
  explicit ChatFormat(const ChatFormatOptions& options) : options_(options) {}

  OrderedJson whole(const Outcome& outcome) override {
    OrderedJson choices = OrderedJson::array();
    for (size_t i = 0; i < outcome.choices.size(); ++i) {
      const Choice& choice = outcome.choices[i];
      choices.push_back({{"index", i},
                         {"message", message(choice)},
                         {"logprobs", log_probabilities(outcome, choice)},
                         {"finish_reason", choice.finish_reason()}});
    }
    OrderedJson answer = answer_head(outcome, "chat.completion");
    answer["choices"] = std::move(choices);
    answer["usage"] = usage_json(outcome.usage());
    add_measures(answer, outcome);
    return answer;
  }

  std::string begin(const Outcome& outcome) override {
    std::string text;
    for (size_t i = 0; i < outcome.choices.size(); ++i)
      text += chunk(outcome, static_cast<int>(i), {{"role", "assistant"}, {"content", ""}});
    return text;
  }

  std::string piece(const Outcome& outcome, int choice, const Piece& piece) override {
    const AnswerSegment& segment = outcome.choices[static_cast<size_t>(choice)].segments.back();
    OrderedJson delta;
    if (piece.channel == Channel::kReasoning) {
      delta = {{"reasoning_content", piece.text}, {"reasoning", piece.text}};
    } else if (piece.channel == Channel::kContent) {
      delta = {{"content", piece.text}};
    } else {
      OrderedJson call = {{"index", piece.call}};
      if (piece.opens) {
        call["id"] = segment.call_id;
        call["type"] = "function";
        call["function"]["name"] = segment.name;
      }
      call["function"]["arguments"] = piece.text;
      delta["tool_calls"] = OrderedJson::array({std::move(call)});
    }
    OrderedJson tokens = nullptr;
    if (options_.log_probabilities && piece.channel != Channel::kToolCall) {
      const char* key = piece.channel == Channel::kContent ? "content" : "reasoning_content";
      tokens = {{"content", nullptr}};
      tokens[key] = OrderedJson::array();
      for (size_t i = piece.first_token; i < segment.tokens.size(); ++i)
        tokens[key].push_back(token_json(outcome.model->tokenizer, segment.tokens[i]));
    }
    return chunk(outcome, choice, std::move(delta), std::move(tokens));
  }

  std::string finished(const Outcome& outcome, int choice) override {
    const Choice& finished = outcome.choices[static_cast<size_t>(choice)];
    OrderedJson last = base_chunk(outcome);
    last["choices"] = OrderedJson::array({{{"index", choice},
                                           {"delta", OrderedJson::object()},
                                           {"logprobs", nullptr},
                                           {"finish_reason", finished.finish_reason()}}});
    if (outcome.done()) add_measures(last, outcome);
    return server_event(last);
  }

  std::string end(const Outcome& outcome) override {
    return stream_end(base_chunk(outcome), outcome, options_.usage);
  }

 private:
  OrderedJson base_chunk(const Outcome& outcome) const {
    OrderedJson chunk = answer_head(outcome, "chat.completion.chunk");
    if (options_.usage) chunk["usage"] = nullptr;
    return chunk;
  }

  std::string chunk(const Outcome& outcome, int choice, OrderedJson delta,
                    OrderedJson tokens = nullptr) const {
    OrderedJson chunk = base_chunk(outcome);
    chunk["choices"] = OrderedJson::array({{{"index", choice},
                                            {"delta", std::move(delta)},
                                            {"logprobs", std::move(tokens)},
                                            {"finish_reason", nullptr}}});
    return server_event(chunk);
  }

  static OrderedJson message(const Choice& choice) {
    const std::string content = choice.text(Channel::kContent);
    OrderedJson message = {{"role", "assistant"}, {"content", content}, {"refusal", nullptr}};
    if (const std::string reasoning = choice.text(Channel::kReasoning); !reasoning.empty()) {
      message["reasoning_content"] = reasoning;
      message["reasoning"] = reasoning;
    }
    for (const AnswerSegment& segment : choice.segments) {
      if (segment.channel != Channel::kToolCall) continue;
      message["tool_calls"].push_back(
          {{"id", segment.call_id},
           {"type", "function"},
           {"function", {{"name", segment.name}, {"arguments", segment.text}}}});
    }
    if (content.empty() && message.contains("tool_calls")) message["content"] = nullptr;
    return message;
  }

  OrderedJson log_probabilities(const Outcome& outcome, const Choice& choice) const {
    if (!options_.log_probabilities) return nullptr;
    const auto list = [&](Channel channel) {
      OrderedJson tokens = OrderedJson::array();
      for (const TokenInfo* info : choice.tokens(channel))
        tokens.push_back(token_json(outcome.model->tokenizer, *info));
      return tokens;
    };
    OrderedJson json = {{"content", list(Channel::kContent)}, {"refusal", nullptr}};
    if (OrderedJson thoughts = list(Channel::kReasoning); !thoughts.empty())
      json["reasoning_content"] = std::move(thoughts);
    return json;
  }

  ChatFormatOptions options_;
};

}  // namespace

OrderedJson token_json(const Tokenizer& tokenizer, const TokenInfo& info) {
  OrderedJson json = token_json(tokenizer, info.token, info.log_probability);
  json["top_logprobs"] = OrderedJson::array();
  for (const LikelyToken& likely : info.likely)
    json["top_logprobs"].push_back(token_json(tokenizer, likely.token, likely.log_probability));
  return json;
}

std::unique_ptr<AnswerFormat> make_chat_format(const ChatFormatOptions& options) {
  return std::make_unique<ChatFormat>(options);
}

}  // namespace ponder
