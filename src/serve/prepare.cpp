#include "serve/prepare.hpp"

#include <algorithm>

#include "serve/steering.hpp"

namespace ponder {
namespace {

constexpr int kMostSequences = 256;  // of one request
constexpr std::string_view kTooLong = "the prompt has ";

bool thinks(const ChatRequest& request) { return request.thinking.enabled.value_or(true); }

RenderOptions render_options(const ChatRequest& request) {
  return {.add_generation_prompt = request.add_generation_prompt,
          .enable_thinking = thinks(request),
          .tools = request.tools,
          .continue_final_message = request.continue_final_message};
}

// What all prompts of a request share.
GenerationRequest engine_request(const GenerationFields& fields, const RequestScene& scene,
                                 bool reasons) {
  GenerationRequest request;
  request.sampling = make_sampling(fields.sampling, reasons, scene.random_seed);
  request.max_tokens = fields.max_tokens;
  request.choices = fields.best_of;
  request.is_end = [tokenizer = scene.model->tokenizer, stops = fields.stop_tokens,
                    ignore = fields.ignore_end](int32_t token) {
    return (!ignore && tokenizer.is_end(token)) ||
           std::find(stops.begin(), stops.end(), token) != stops.end();
  };
  request.likely = fields.likely;
  if (fields.best_of > fields.choices) request.likely = std::max(request.likely, 0);
  request.client = scene.client;
  request.priority = fields.priority;
  return request;
}

Result<void> check_vocabulary(const GenerationFields& fields, const Tokenizer& tokenizer) {
  for (const auto& [token, bias] : fields.sampling.logit_bias)
    if (token >= tokenizer.vocab_size())
      return Failure{
          {.what = "the vocabulary has no token " + std::to_string(token), .where = "logit_bias"}};
  return {};
}

GenerationPlan make_plan(const GenerationFields& fields, const RequestScene& scene) {
  GenerationPlan plan;
  plan.model = scene.model;
  plan.kept = fields.choices;
  plan.stream = fields.stream;
  plan.keep_tokens = fields.likely >= 0;
  plan.id = scene.id;
  plan.created = scene.created;
  plan.seed = fields.sampling.seed.value_or(scene.random_seed);
  return plan;
}

}  // namespace

HttpError request_error(const Error& error) {
  HttpError result{.message = error.what, .code = "invalid_value", .param = error.where};
  if (!error.where.empty()) result.message = error.where + ": " + error.what;
  if (!error.mend.empty()) result.message += "; " + error.mend;
  if (error.what.starts_with(kTooLong)) result.code = "context_length_exceeded";
  return result;
}

Result<void> check_length(int64_t tokens, const ServedModel& model, const std::string& where) {
  if (tokens < model.context) return {};
  return Failure{{.what = std::string(kTooLong) + std::to_string(tokens) +
                          " tokens, the context of this model holds " +
                          std::to_string(model.context) + " with the answer",
                  .where = where,
                  .mend = "shorten it"}};
}

Result<std::vector<int32_t>> tokens_of_text(const TextOrTokens& text, const Tokenizer& tokenizer,
                                            const std::string& where) {
  if (const auto* words = std::get_if<std::string>(&text)) return tokenizer.encode(*words);
  const auto& tokens = std::get<std::vector<int32_t>>(text);
  for (const int32_t token : tokens)
    if (token >= tokenizer.vocab_size())
      return Failure{
          {.what = "the vocabulary has no token " + std::to_string(token), .where = where}};
  return tokens;
}

Result<std::string> render_chat(const ChatRequest& request, const ServedModel& model) {
  if (!model.chat_template.ok())
    return Failure{
        {.what = "model " + model.name + " cannot chat: " + model.chat_template.error().what,
         .where = "model",
         .mend = "use /v1/completions, or start the server with --template NAME"}};
  auto text = model.chat_template.value().render(request.messages, render_options(request));
  if (text.ok()) return text;
  Error error = std::move(text).take_error();
  error.what = (error.where.empty() ? "" : error.where + ": ") + error.what;
  error.where = "messages";
  return Failure{std::move(error)};
}

Result<std::vector<int32_t>> chat_tokens(const ChatRequest& request, const ServedModel& model) {
  return model.tokenizer.encode(PONDER_TRY(render_chat(request, model)), {.add_bos = false});
}

Result<GenerationPlan> prepare_chat(ChatRequest request, const RequestScene& scene) {
  const ServedModel& model = *scene.model;
  const GenerationFields& fields = request.generation;
  PONDER_TRY(check_vocabulary(fields, model.tokenizer));
  std::vector<int32_t> tokens = PONDER_TRY(chat_tokens(request, model));
  PONDER_TRY(check_length(std::ssize(tokens), model, "messages"));
  const ChatTemplate& chat = model.chat_template.value();
  GenerationPlan plan = make_plan(fields, scene);
  AnswerOptions& answer = plan.reading.answer;
  answer.thoughts = {
      .reasons = chat.reasons(),
      .starts_inside = chat.opens_thinking(request.messages, render_options(request))};
  answer.stop = PONDER_TRY(StopStrings::create(fields.stop));
  if (!request.tools.empty()) answer.tools = chat.tool_format();
  for (const Tool& tool : request.tools) answer.tool_names.push_back(tool.name);
  GenerationRequest prompt = engine_request(fields, scene, chat.reasons() && thinks(request));
  prompt.prompt = std::move(tokens);
  Steering steering = PONDER_TRY(steer_chat(request, model, answer.thoughts));
  prompt.make_guide = std::move(steering.make_guide);
  answer.thoughts.think_again = !steering.constrained;
  plan.requests.push_back(std::move(prompt));
  return plan;
}

Result<GenerationPlan> prepare_completion(CompletionRequest request, const RequestScene& scene) {
  const ServedModel& model = *scene.model;
  const GenerationFields& fields = request.generation;
  PONDER_TRY(check_vocabulary(fields, model.tokenizer));
  if (std::ssize(request.prompts) * fields.best_of > kMostSequences)
    return Failure{{.what = "asks for more than " + std::to_string(kMostSequences) + " texts",
                    .where = "prompt"}};
  if (request.echo && fields.likely >= 0 && fields.stream)
    return Failure{{.what = "cannot be had together with echo in a stream", .where = "logprobs"}};
  GenerationPlan plan = make_plan(fields, scene);
  plan.reading.plain = true;
  plan.reading.answer.stop = PONDER_TRY(StopStrings::create(fields.stop));
  GenerationRequest shared = engine_request(
      fields, scene, model.chat_template.ok() && model.chat_template.value().reasons());
  shared.make_guide = PONDER_TRY(steer_text(request.format, model));
  shared.prompt_log_probabilities = request.echo && fields.likely >= 0;
  for (size_t i = 0; i < request.prompts.size(); ++i) {
    const std::string where =
        request.prompts.size() == 1 ? "prompt" : "prompt[" + std::to_string(i) + "]";
    GenerationRequest prompt = shared;
    prompt.prompt = PONDER_TRY(tokens_of_text(request.prompts[i], model.tokenizer, where));
    if (prompt.prompt.empty()) return Failure{{.what = "has no tokens", .where = where}};
    PONDER_TRY(check_length(std::ssize(prompt.prompt), model, where));
    if (request.echo) plan.prompts.push_back(model.tokenizer.decode(prompt.prompt, true));
    plan.requests.push_back(std::move(prompt));
  }
  return plan;
}

}  // namespace ponder
