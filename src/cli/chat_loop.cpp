// ponder chat: reads lines, answers messages, carries out commands.
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/env.hpp"
#include "cli/builtin_model.hpp"
#include "cli/chat.hpp"
#include "cli/commands.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/line_source.hpp"
#include "cli/message_reader.hpp"
#include "cli/speculation_flags.hpp"
#include "cli/terminal.hpp"

namespace ponder {
namespace {

struct ChatFlags {
  ModelFlags model;
  ChatSettings settings;
  SpeculationFlags speculation;
  std::optional<int64_t> context;
  std::string system, template_name, url;
  bool hide_thinking = false, no_history = false;
};

// An error inside the conversation is told, and the conversation goes on; one of standard output
// ends it.
Result<void> tell(Error error) {
  if (error.what == kOutputClosed || error.where == "standard output")
    return Failure{std::move(error)};
  print_error("ponder: " + terminal_safe(error.message()) + "\n");
  return {};
}

// False: leave.
Result<bool> handle(Chat& chat, const std::string& message, bool plain) {
  if (message.find_first_not_of(" \t\n") == std::string::npos) return true;
  if (plain && message.starts_with('/')) {
    auto done = chat.command(message);
    if (done.ok()) return done;
    PONDER_TRY(tell(std::move(done).take_error()));
    return true;
  }
  auto said = chat.say(message);
  if (!said.ok()) PONDER_TRY(tell(std::move(said).take_error()));
  return true;
}

// Returns the exit status.
Result<int> converse(Chat& chat, LineSource& source) {
  MessageReader reader;
  while (true) {
    Line line = source.read(reader.empty() ? ">>> " : "... ");
    if (termination_requested()) return interrupted_exit_status();
    if (line.status == LineStatus::kInterrupted) {
      if (!source.interactive()) return interrupted_exit_status();
      clear_stop_flag();
      if (reader.empty() && line.text.empty()) print_error("(Ctrl-D or /exit leaves)\n");
      reader.clear();
      continue;
    }
    const bool end = line.status == LineStatus::kEnd;
    if (end && reader.empty()) return 0;
    if (!end && !reader.push(line.text)) continue;
    const bool plain = reader.is_plain();
    const std::string message = reader.take();
    if (!message.empty()) source.remember(message);
    const bool more = PONDER_TRY(handle(chat, message, plain));
    if (termination_requested()) return interrupted_exit_status();
    clear_stop_flag();
    if (end || !more) return 0;
  }
}

Result<std::unique_ptr<Answerer>> open_local(ChatFlags& flags,
                                             std::unique_ptr<LoadedModel>& loaded) {
  if (flags.model.model.empty()) flags.model.model = kBuiltinModel;
  PONDER_TRY(prepare_speculation(flags.speculation, flags.model));
  Tokenizer tokenizer = PONDER_TRY(load_tokenizer(flags.model.model));
  ChatTemplate chat_template =
      PONDER_TRY(choose_template(flags.template_name, tokenizer, flags.model.model));
  loaded = PONDER_TRY(load_model(flags.model));
  const int64_t context = PONDER_TRY(choose_context(
      flags.context, chat_template.reasons() ? 16384 : 8192, loaded->model.config()));
  Session session = PONDER_TRY(open_session(flags.speculation, *loaded, context));
  return make_local_answerer(*loaded, std::move(tokenizer), std::move(chat_template),
                             std::move(session));
}

// With --url, -m is the name of a model there.
Result<std::unique_ptr<Answerer>> open_remote(const ChatFlags& flags) {
  return make_remote_answerer({.url = flags.url,
                               .key = environment("PONDER_API_KEY").value_or(""),
                               .model = flags.model.model});
}

Result<int> run_chat(ChatFlags flags) {
  std::unique_ptr<LoadedModel> loaded;
  auto answerer = PONDER_TRY(flags.url.empty() ? open_local(flags, loaded) : open_remote(flags));
  const auto history = flags.no_history ? std::filesystem::path() : cache_folder() / "history";
  const auto source = open_line_source(history);
  if (source->interactive()) {
    const std::string text = answerer->greeting() + "\n/help lists the commands, Ctrl-D leaves";
    PONDER_TRY(print(dimmed(terminal_safe(text), has_style(STDOUT_FILENO)) + "\n"));
  }
  set_interrupt_patience(3);
  Chat chat(std::move(answerer), source->interactive());
  chat.settings() = flags.settings;
  chat.settings().show_thinking = !flags.hide_thinking;
  chat.conversation().system = flags.system;
  return converse(chat, *source);
}

}  // namespace

void add_chat_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("chat", "Talk with a model");
  auto flags = std::make_shared<ChatFlags>();
  add_model_flags(command, flags->model);
  command.get_option("--model")->required(false);
  command
      .add_option("--url", flags->url,
                  "Talk with a server that speaks OpenAI's API; -m names a model of it")
      ->type_name("ADDRESS");
  add_integer_flag(command, "-n,--max-tokens", flags->settings.max_tokens, 1, 16'777'216)
      ->description("Tokens of an answer at most, thoughts included");
  add_context_flag(command, flags->context);
  command.add_option("--system", flags->system, "System message")->type_name("TEXT");
  command.add_option("--template", flags->template_name, "Chat template; default: the file's own")
      ->type_name("NAME");
  command.add_flag("--hide-thinking", flags->hide_thinking, "Show only the answers");
  command.add_flag("--stats", flags->settings.stats, "Show times, speed and memory");
  command.add_flag("--no-history", flags->no_history, "Neither read nor write the history file");
  add_speculation_flags(command, flags->speculation);
  add_sampling_flags(command, flags->settings.sampling);
  command.footer(
      "In the conversation /help lists the commands. A message of several lines stands between\n"
      "\"\"\" and \"\"\", or has \\ at the end of its lines. Ctrl-C stops the answer, Ctrl-D "
      "leaves.\n"
      "What was typed is remembered in the file `history` of the cache folder. Without a terminal\n"
      "lines are read from standard input and only the answers are printed.\n\n"
      "Examples:\n"
      "  ponder chat -m model.gguf\n"
      "  ponder chat --url http://127.0.0.1:8080   (its key, if any, in PONDER_API_KEY)\n"
      "  ponder chat -m model.gguf --system \"Answer in French.\" --temperature 0.3\n"
      "  printf 'Hello\\n/save talk.json\\n' | ponder chat -m model.gguf");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return run_chat(*flags); }; });
}

}  // namespace ponder
