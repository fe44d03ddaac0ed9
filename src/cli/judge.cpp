// ponder judge: what became of an answer.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

namespace ponder {

void add_judge_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("judge", "Judge what a model wrote");
  command.require_subcommand(1);
  add_judge_math(command, selection);
}

}  // namespace ponder
