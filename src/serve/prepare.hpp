// From what a client asks for to what the engine is given: templates, tokens, guides.
#pragma once

#include <string>

#include "serve/generation.hpp"
#include "serve/requests.hpp"

namespace ponder {

// What a request is prepared with.
struct RequestScene {
  std::shared_ptr<const ServedModel> model;
  std::string id;      // of the answer
  std::string client;  // HttpRequest::client
  uint64_t random_seed = 0;
  int64_t created = 0;
};

// The plan without its format. Errors: `where` is the field; see prepare_error().
Result<GenerationPlan> prepare_chat(ChatRequest request, const RequestScene& scene);
Result<GenerationPlan> prepare_completion(CompletionRequest request, const RequestScene& scene);

// A conversation as the model reads it.
Result<std::string> render_chat(const ChatRequest& request, const ServedModel& model);
Result<std::vector<int32_t>> chat_tokens(const ChatRequest& request, const ServedModel& model);

// Text or ids as tokens of the model; ids beyond its vocabulary are an error at `where`.
Result<std::vector<int32_t>> tokens_of_text(const TextOrTokens& text, const Tokenizer& tokenizer,
                                            const std::string& where);
// An error if a prompt leaves no room for an answer.
Result<void> check_length(int64_t tokens, const ServedModel& model, const std::string& where);

// A bad request; too long a prompt has the code "context_length_exceeded".
HttpError request_error(const Error& error);

}  // namespace ponder
