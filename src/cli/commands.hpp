// The subcommands. Each add_*_command describes its flags to CLI11 and, if it was the one called,
// leaves what to do in `selection`.
#pragma once

#include <functional>

#include "base/result.hpp"

namespace CLI {
class App;
}

namespace ponder {

struct Selection {
  std::function<Result<int>()> command;  // gives the exit status
};

void add_run_command(CLI::App& app, Selection& selection);
void add_chat_command(CLI::App& app, Selection& selection);
void add_serve_command(CLI::App& app, Selection& selection);
void add_tokenize_command(CLI::App& app, Selection& selection);
void add_logits_command(CLI::App& app, Selection& selection);
void add_perplexity_command(CLI::App& app, Selection& selection);
void add_info_command(CLI::App& app, Selection& selection);
void add_pull_command(CLI::App& app, Selection& selection);
void add_convert_command(CLI::App& app, Selection& selection);
void add_synth_command(CLI::App& app, Selection& selection);
void add_bench_command(CLI::App& app, Selection& selection);
void add_train_command(CLI::App& app, Selection& selection);
void add_report_command(CLI::App& app, Selection& selection);
void add_judge_command(CLI::App& app, Selection& selection);
void add_data_command(CLI::App& app, Selection& selection);
void add_eval_command(CLI::App& app, Selection& selection);

// Part of `judge`.
void add_judge_math(CLI::App& judge, Selection& selection);

}  // namespace ponder
