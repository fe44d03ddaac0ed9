// Requests without a conversation: completions and embeddings.
#include "serve/checked_json.hpp"
#include "serve/requests.hpp"

namespace ponder {
namespace {

// A text, token ids, or a list of both.
std::vector<TextOrTokens> parse_texts(const OrderedJson& field) {
  const auto one = [](const OrderedJson& text) -> TextOrTokens {
    if (text.is_string()) return text.get<std::string>();
    return tokens_of(text);
  };
  if (field.is_string() || field.front().is_number()) return {one(field)};
  std::vector<TextOrTokens> texts;
  for (const OrderedJson& text : field) texts.push_back(one(text));
  return texts;
}

}  // namespace

Result<CompletionRequest> parse_completion_request(const OrderedJson& body) {
  CompletionRequest request;
  request.generation = PONDER_TRY(parse_generation(body));
  request.generation.likely = static_cast<int>(integer_in(body, "logprobs").value_or(-1));
  request.prompts = parse_texts(body.at("prompt"));
  request.format = PONDER_TRY(parse_output_format(body));
  request.echo = bool_in(body, "echo");
  return request;
}

Result<EmbeddingCall> parse_embedding_request(const OrderedJson& body) {
  EmbeddingCall call;
  call.model = text_in(body, "model");
  call.inputs = parse_texts(body.at("input"));
  call.base64 = text_in(body, "encoding_format") == "base64";
  call.mean = text_in(body, "pooling") == "mean";
  call.dimensions = integer_in(body, "dimensions");
  call.priority = static_cast<int>(integer_in(body, "priority").value_or(0));
  return call;
}

}  // namespace ponder
