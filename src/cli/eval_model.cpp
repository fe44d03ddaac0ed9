// Who answers in `ponder eval run`.
#include <CLI/CLI.hpp>

#include "base/env.hpp"
#include "cli/eval.hpp"
#include "cli/format_text.hpp"
#include "eval/endpoint.hpp"
#include "eval/engine_model.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr int64_t kPromptRoom = 4096;  // tokens of a question

Result<EndpointOptions> endpoint_options(const AnswererFlags& flags) {
  EndpointOptions options{
      .url = flags.endpoint,
      .api = *find_api(flags.api),
      .model = flags.model.model,
      .concurrency = static_cast<int>(flags.concurrency.value_or(4)),
      .requests_per_minute = static_cast<double>(flags.requests_per_minute.value_or(0)),
      .attempts = static_cast<int>(flags.attempts.value_or(6)),
      .retry_seconds = flags.retry_seconds};
  if (options.model.empty())
    return Failure{
        {.what = "which model of the server?", .where = "--endpoint", .mend = "give --model NAME"}};
  const std::string variable =
      flags.key_variable.empty() ? key_variable(flags.endpoint) : flags.key_variable;
  options.key = environment(variable.c_str()).value_or("");
  if (options.key.empty() && !flags.key_variable.empty())
    return Failure{{.what = variable + " is not set", .where = "--key-from"}};
  if (!flags.body.empty()) {
    options.changes = PONDER_TRY(parse_json(flags.body, "--body"));
    if (!options.changes.is_object())
      return Failure{{.what = "must be a JSON object", .where = "--body"}};
  }
  if (!flags.tokenizer.empty()) options.tokenizer = PONDER_TRY(load_tokenizer(flags.tokenizer));
  return options;
}

}  // namespace

void add_answerer_flags(CLI::App& command, AnswererFlags& flags) {
  add_model_flags(command, flags.model);
  command.get_option("--model")->required(false)->description(
      "A .gguf file, a folder, or what `pull` was given; with --endpoint the server's name of it");
  add_context_flag(command, flags.context);
  command.add_option("--template", flags.template_name, "Chat template; default: the file's own")
      ->type_name("NAME");
  command.add_flag("--no-thinking", flags.no_thinking, "Answer at once, if the template can");
  command
      .add_option("--endpoint", flags.endpoint,
                  "Ask a server; without a path, /v1 is added. OPENAI_API_KEY, ANTHROPIC_API_KEY "
                  "and DEEPSEEK_API_KEY go to these firms only, PONDER_API_KEY to any other")
      ->type_name("URL");
  command
      .add_option("--api", flags.api,
                  "It speaks openai (chat completions; DeepSeek and most others), responses or "
                  "anthropic; default: openai")
      ->check(CLI::IsMember({"openai", "responses", "anthropic"}))
      ->type_name("NAME");
  command.add_option("--key-from", flags.key_variable, "The variable that holds the key instead")
      ->type_name("VARIABLE");
  command
      .add_option("--body", flags.body, "JSON fields laid over each request; null takes one away")
      ->type_name("JSON");
  command
      .add_option("--tokenizer", flags.tokenizer,
                  "Of the server's model, to check the token counts that it tells")
      ->type_name("PATH");
  add_integer_flag(command, "--concurrency", flags.concurrency, 1, 1024)
      ->description("Questions under way; default: 16 here, 4 at an endpoint");
  add_integer_flag(command, "--rpm", flags.requests_per_minute, 1, 1'000'000)
      ->description("Requests a minute at most; default: no limit");
  add_integer_flag(command, "--attempts", flags.attempts, 1, 100)
      ->description("At each question, when the server is busy or breaks off; default: 6");
  command
      .add_option("--retry-wait", flags.retry_seconds,
                  "Seconds before the second attempt, doubled for each next; default: 1")
      ->check(CLI::Range(0.0, 600.0))
      ->type_name("S");
}

Result<std::unique_ptr<OpenedModel>> OpenedModel::open(const AnswererFlags& flags,
                                                       int64_t longest) {
  auto opened = std::make_unique<OpenedModel>();
  if (!flags.endpoint.empty()) {
    EndpointOptions options = PONDER_TRY(endpoint_options(flags));
    opened->model_ = PONDER_TRY(make_endpoint(std::move(options)));
    return opened;
  }
  if (flags.model.model.empty())
    return Failure{
        {.what = "which model?", .mend = "give -m PATH, or --endpoint URL --model NAME"}};
  Tokenizer tokenizer = PONDER_TRY(load_tokenizer(flags.model.model));
  ChatTemplate chat =
      PONDER_TRY(choose_template(flags.template_name, tokenizer, flags.model.model));
  opened->loaded_ = PONDER_TRY(load_model(flags.model));
  const LoadedModel& loaded = *opened->loaded_;
  const int64_t context =
      PONDER_TRY(choose_context(flags.context, longest + kPromptRoom, loaded.model.config()));
  const int concurrency = static_cast<int>(flags.concurrency.value_or(16));
  opened->engine_ = PONDER_TRY(Engine::create(loaded.runtime.context(), loaded.model,
                                              {.context = context,
                                               .kv_dtype = loaded.kv_dtype,
                                               .parallel = concurrency,
                                               .queue = 4 * int64_t{concurrency}}));
  opened->model_ =
      make_engine_model(*opened->engine_, std::move(tokenizer), std::move(chat),
                        {.name = std::filesystem::path(flags.model.model).stem().string(),
                         .concurrency = concurrency,
                         .think = !flags.no_thinking});
  return opened;
}

}  // namespace ponder
