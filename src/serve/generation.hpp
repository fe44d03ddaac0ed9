// A request on its way: from the engine's tokens to what is sent.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/answer_format.hpp"
#include "serve/answer_reader.hpp"
#include "serve/http/exchange.hpp"
#include "serve/served_model.hpp"

namespace ponder {

struct GenerationPlan {
  std::shared_ptr<const ServedModel> model = {};
  std::vector<GenerationRequest> requests = {};  // prompt by prompt, each with as many choices
  std::vector<std::string> prompts = {};         // their texts, if they are given back
  ReadingOptions reading = {};
  int kept = 1;  // choices of each prompt that are given: the likeliest, if more are generated
  bool stream = false;
  bool keep_tokens = false;  // the answer tells about each token
  std::unique_ptr<AnswerFormat> format = {};
  std::string id = {};
  int64_t created = 0;
  uint64_t seed = 0;
  // Called when the answer is complete, before the end of it is sent.
  std::function<void(const Outcome&)> on_complete = {};
};

// Submits the requests and answers on `exchange`, at once or as they are generated. What the engine
// refuses is answered with a status; a client that leaves cancels what is left.
void start_generation(GenerationPlan plan, std::shared_ptr<HttpExchange> exchange);

// What a refusal is answered with.
HttpError refusal_error(const Submitted& submitted);

}  // namespace ponder
