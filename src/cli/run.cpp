// ponder run: one prompt, one answer.
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/answer.hpp"
#include "cli/answer_printer.hpp"
#include "cli/builtin_model.hpp"
#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/prompt_input.hpp"
#include "cli/sampling_flags.hpp"
#include "cli/speculation_flags.hpp"
#include "cli/stats.hpp"

namespace ponder {
namespace {

struct RunFlags {
  ModelFlags model;
  SamplingFlags sampling;
  SpeculationFlags speculation;
  std::optional<int64_t> max_tokens, context;
  std::vector<std::string> prompt;
  std::string system, template_name;
  bool raw = false, hide_thinking = false, no_thinking = false, stats = false, json = false;
};

struct Prompt {
  std::vector<int32_t> tokens;
  ThoughtOptions thoughts;
  bool thinks = false;  // before it answers
};

Result<Prompt> make_prompt(const RunFlags& flags, const Tokenizer& tokenizer,
                           const std::string& text) {
  Prompt prompt;
  if (flags.raw) {
    prompt.tokens = tokenizer.encode(text);
    prompt.thoughts.starts_inside = prompt_opens_thinking(tokenizer, prompt.tokens);
    return prompt;
  }
  const ChatTemplate chat =
      PONDER_TRY(choose_template(flags.template_name, tokenizer, flags.model.model));
  std::vector<ChatMessage> messages;
  if (!flags.system.empty()) messages.push_back({.role = "system", .content = flags.system});
  messages.push_back({.role = "user", .content = text});
  const RenderOptions options{.enable_thinking = !flags.no_thinking};
  prompt.tokens = tokenizer.encode(PONDER_TRY(chat.render(messages, options)), {.add_bos = false});
  prompt.thoughts = {.reasons = chat.reasons(),
                     .starts_inside = chat.opens_thinking(messages, options)};
  prompt.thinks = chat.reasons() && options.enable_thinking;
  return prompt;
}

Result<Session> make_session(const RunFlags& flags, const LoadedModel& loaded,
                             const Prompt& prompt) {
  const int64_t length = std::ssize(prompt.tokens);
  // With -n the end is known, without it an answer may be long, thoughts even more so.
  const int64_t room = flags.max_tokens ? *flags.max_tokens : prompt.thinks ? 8192 : 4096;
  const int64_t context =
      PONDER_TRY(choose_context(flags.context, length + room, loaded.model.config()));
  if (length > context)
    return Failure{{.what = "the prompt has " + std::to_string(length) +
                            " tokens, the context only " + std::to_string(context),
                    .where = "--ctx",
                    .mend = context < loaded.model.config().context
                                ? "give a larger one"
                                : "shorten the prompt: the model was made for no more"}};
  return open_session(flags.speculation, loaded, context);
}

void tell_end(const RunFlags& flags, const Answer& answer, const Session& session) {
  if (answer.reason == FinishReason::kContextFull)
    print_error("ponder: the answer is cut off: the context of " +
                std::to_string(session.capacity()) + " tokens is full; --ctx gives more room\n");
  if (answer.reason == FinishReason::kLength && !flags.stats && is_terminal(STDERR_FILENO))
    print_error(dimmed("(cut off after " + std::to_string(answer.tokens.size()) + " tokens: -n)",
                       has_style(STDERR_FILENO)) +
                "\n");
}

Result<int> run(RunFlags flags) {
  PONDER_TRY(prepare_speculation(flags.speculation, flags.model));
  const std::string text = PONDER_TRY(gather_prompt(flags.prompt, flags.raw));
  const Tokenizer tokenizer = PONDER_TRY(load_tokenizer(flags.model.model));
  Prompt prompt = PONDER_TRY(make_prompt(flags, tokenizer, text));
  const auto loaded = PONDER_TRY(load_model(flags.model));
  Session session = PONDER_TRY(make_session(flags, *loaded, prompt));

  AnswerPrinter printer(flags.hide_thinking);
  ProgressLine progress;
  AnswerRequest request;
  request.prompt = std::move(prompt.tokens);
  request.sampling = choose_sampling(flags.sampling, prompt.thinks);
  request.max_tokens = flags.max_tokens.value_or(-1);
  request.thoughts = prompt.thoughts;
  request.progress = progress.sink();
  request.on_text = [&](Channel channel, std::string_view piece) {
    progress.clear();
    return flags.json || printer.text(channel, piece);
  };
  request.on_thought = [&](double seconds) { return flags.json || printer.thought(seconds); };
  const Answer result = PONDER_TRY(answer(session, tokenizer, request));
  progress.clear();
  PONDER_TRY(printer.finish(!flags.raw || is_terminal(STDOUT_FILENO)));

  const RunStats stats{.answer = result.stats,
                       .load_seconds = loaded->load_seconds,
                       .cache_bytes = session.cache_bytes(),
                       .context = session.capacity(),
                       .isa = loaded->runtime.context().isa,
                       .threads = loaded->runtime.context().pool->size(),
                       .sampling = request.sampling};
  if (flags.json) PONDER_TRY(print(answer_json(result, stats)));
  if (flags.model.model == kBuiltinModel && !flags.json)
    print_error(dimmed(std::string(builtin_model_note()), has_style(STDERR_FILENO)));
  if (flags.stats) print_error(stats_text(stats, has_style(STDERR_FILENO)));
  tell_end(flags, result, session);
  return result.reason == FinishReason::kCancelled && stop_flag() ? interrupted_exit_status() : 0;
}

}  // namespace

void add_run_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("run", "Answer one prompt");
  auto flags = std::make_shared<RunFlags>();
  add_model_flags(command, flags->model);
  use_builtin_model(command, flags->model);
  command.add_option("PROMPT", flags->prompt, "The question; standard input is added below it");
  add_integer_flag(command, "-n,--max-tokens", flags->max_tokens, 0, 16'777'216)
      ->description("Tokens of the answer at most, thoughts included");
  add_context_flag(command, flags->context);
  command.add_option("--system", flags->system, "System message before the prompt")
      ->type_name("TEXT");
  command.add_option("--template", flags->template_name, "Chat template; default: the file's own")
      ->type_name("NAME");
  auto* raw = command.add_flag("--raw", flags->raw, "Continue the prompt as it is, no template");
  raw->excludes("--system")->excludes("--template");
  command.add_flag("--hide-thinking", flags->hide_thinking, "Show only the answer");
  command.add_flag("--no-thinking", flags->no_thinking, "Answer at once, if the template can");
  command.add_flag("--stats", flags->stats, "Show times, speed and memory on standard error");
  command.add_flag("--json", flags->json, "Print one JSON object at the end instead of text");
  add_speculation_flags(command, flags->speculation);
  add_sampling_flags(command, flags->sampling);
  command.footer(
      "Models that reason use temperature 0.6 and top-p 0.95 by default, others temperature 0.7,\n"
      "top-p 0.8 and top-k 20. Where standard output is no terminal, thoughts stand between\n"
      "<think> and </think>. Ctrl-C stops the answer (exit status 130).\n\n"
      "Examples:\n"
      "  ponder run -m model.gguf \"Why is the sky blue?\"\n"
      "  ponder run -m model.gguf --greedy -n 200 --stats \"Write is_prime(n) in Python.\"\n"
      "  git diff | ponder run -m model.gguf --hide-thinking \"Review this change:\"\n"
      "  ponder run -m model.gguf --raw \"Once upon a time\"\n"
      "  ponder run -m model.gguf --json --seed 7 \"Name a colour.\" | jq -r .text");
  command.callback([flags, &selection] { selection.command = [flags] { return run(*flags); }; });
}

}  // namespace ponder
