// Bodies of requests: the first byte chooses the API, the rest is the body. What the schema lets
// pass must be readable without surprises.
#include "serve/requests.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ponder;
  if (size == 0) return 0;
  constexpr const char* kSchemas[] = {
      "ChatCompletionRequest", "CompletionRequest",  "EmbeddingRequest",
      "MessageRequest",        "CountTokensRequest", "ResponseRequest",
      "TokenizeRequest",       "DetokenizeRequest",  "ApplyTemplateRequest"};
  const size_t kind = data[0] % std::size(kSchemas);
  const auto body = parse_body({reinterpret_cast<const char*>(data) + 1, size - 1}, kSchemas[kind]);
  if (!body.ok()) {
    if (body.error().what.empty()) __builtin_trap();
    return 0;
  }
  const auto told = [](const auto& request) {
    if (!request.ok() && request.error().where.empty()) __builtin_trap();
  };
  if (kind == 0 || kind == 8) told(parse_chat_request(body.value()));
  if (kind == 1) told(parse_completion_request(body.value()));
  if (kind == 2) told(parse_embedding_request(body.value()));
  if (kind == 3 || kind == 4) told(parse_message_request(body.value()));
  if (kind == 5) told(parse_response_request(body.value()));
  return 0;
}
