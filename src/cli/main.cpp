// The program: parses the command line, runs one command, reports errors.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <clocale>
#include <cstring>
#include <new>

#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/terminal.hpp"
#include "cli/version.hpp"

namespace ponder {
namespace {

constexpr int kUsageError = 2;

// Exactly one line, whatever a file has put into the message.
void report(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  print_error("ponder: " + terminal_safe(message) + "\n");
}

void install_log() {
  auto logger = spdlog::stderr_color_mt("ponder");
  logger->set_pattern("ponder: %^%l%$: %v");
  set_log_sink([logger](LogLevel level, std::string_view line) {
    const spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                spdlog::level::warn, spdlog::level::err};
    logger->log(levels[static_cast<int>(level)], "{}", terminal_safe(line));
  });
}

// Line editing needs to know that bytes form characters; "C" alone does not say so.
void set_locale() {
  const char* chosen = std::setlocale(LC_CTYPE, "");
  if (chosen == nullptr || std::strcmp(chosen, "C") == 0 || std::strcmp(chosen, "POSIX") == 0)
    std::setlocale(LC_CTYPE, "C.UTF-8");
}

// One line a flag: its names, its value, what it does.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(26); }
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0 || option->get_positional()) return "";
    const std::string type = option->get_type_name();  // "NAME:{choices}"
    return " " + type.substr(0, type.find(':'));
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    return option->get_description() + (option->get_required() ? " (required)" : "");
  }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = "Usage: " + name + " [OPTIONS]";
    for (const CLI::Option* option : app->get_options()) {
      if (!option->get_positional()) continue;
      const std::string value = option->get_name(true);
      usage += option->get_required() ? " " + value : " [" + value + "]";
    }
    return usage + (app->get_parent() == nullptr ? " COMMAND" : "") + "\n";
  }
};

void add_commands(CLI::App& app, Selection& selection) {
  app.set_version_flag("--version", std::string("ponder ") + kVersion, "Print the version");
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<HelpFormatter>());  // commands inherit it, if set before them
  app.get_formatter()->label("SUBCOMMANDS", "Commands");
  app.set_help_flag("-h,--help", "Print this help");
  add_run_command(app, selection);
  add_chat_command(app, selection);
  add_serve_command(app, selection);
  add_tokenize_command(app, selection);
  add_logits_command(app, selection);
  add_perplexity_command(app, selection);
  add_info_command(app, selection);
  add_pull_command(app, selection);
  add_convert_command(app, selection);
  add_synth_command(app, selection);
  add_bench_command(app, selection);
  add_train_command(app, selection);
  add_report_command(app, selection);
  add_judge_command(app, selection);
  add_data_command(app, selection);
  add_eval_command(app, selection);
  app.footer(
      "Each command has its own help: ponder COMMAND --help\n\n"
      "Examples:\n"
      "  ponder run -m model.gguf \"Why is the sky blue?\"\n"
      "  ponder chat -m model.gguf\n"
      "  ponder serve -m model.gguf\n"
      "  ponder info -m model.gguf");
}

int end_parsing(CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  std::string called = "ponder";
  for (const CLI::App* command : app.get_subcommands()) called += " " + command->get_name();
  report(std::string(error.what()) + "; see " + called + " --help");
  return kUsageError;
}

int end_command(const Result<int>& result) {
  if (result.ok()) return result.value();
  const Error& error = result.error();
  if (error.what == kOutputClosed) return 0;
  if (stop_flag()) return interrupted_exit_status();
  report(error.message());
  return 1;
}

int run_program(int argc, char** argv) {
  set_locale();
  install_signal_handlers();
  install_log();
  CLI::App app("Runs DeepSeek-R1-family models on ordinary CPUs.", "ponder");
  Selection selection;
  add_commands(app, selection);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return end_parsing(app, error);
  }
  if (!selection.command) {
    const auto printed = print(app.help());
    return printed.ok() ? 0 : end_command(Failure{printed.error()});
  }
  return end_command(selection.command());
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) {
  try {
    return ponder::run_program(argc, argv);
  } catch (const std::bad_alloc&) {
    ponder::report("out of memory; a smaller --ctx or a smaller model needs less");
  } catch (const std::exception& error) {
    ponder::report(std::string(error.what()) + "; this is a bug in Ponder");
  }
  return 1;
}
