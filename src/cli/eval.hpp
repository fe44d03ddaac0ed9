// The parts of `ponder eval`, one a file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "engine/engine.hpp"
#include "eval/answering.hpp"
#include "eval/pricing.hpp"
#include "eval/run_store.hpp"
#include "eval/suite_library.hpp"
#include "judge/sandbox/sandbox.hpp"

namespace ponder {

void add_eval_list(CLI::App& eval, Selection& selection);
void add_eval_show(CLI::App& eval, Selection& selection);
void add_eval_add(CLI::App& eval, Selection& selection);
void add_eval_check(CLI::App& eval, Selection& selection);
void add_eval_plus(CLI::App& eval, Selection& selection);
void add_eval_run(CLI::App& eval, Selection& selection);
void add_eval_rescore(CLI::App& eval, Selection& selection);
void add_eval_report(CLI::App& eval, Selection& selection);

// The sandbox for problems that run programs, nothing for others. It must prove itself first; what
// it shows goes into the run's notes "judge" and "withheld". Errors: nothing protects and not
// `unconfined`, "stopped".
Result<std::optional<Sandbox>> open_judge(const std::vector<Problem>& problems, bool unconfined,
                                          RunStore& store);

// Judges the answers that have no verdict, or `again` all.
Result<void> judge_stored(RunStore& store, const std::optional<Sandbox>& sandbox, bool again);

// Where added suites are kept.
SuiteLibrary suite_library();

// Who answers: a model here, or an address.
struct AnswererFlags {
  ModelFlags model;
  std::string template_name;
  bool no_thinking = false;
  std::string endpoint, api = "openai", key_variable, body, tokenizer;
  std::optional<int64_t> concurrency, requests_per_minute, attempts, context;
  double retry_seconds = 1.0;
};
void add_answerer_flags(CLI::App& command, AnswererFlags& flags);

// Everything that the model needs stays with it.
class OpenedModel {
 public:
  // `longest`: tokens of an answer at most.
  static Result<std::unique_ptr<OpenedModel>> open(const AnswererFlags& flags, int64_t longest);

  AnsweringModel& model() { return *model_; }

 private:
  std::unique_ptr<LoadedModel> loaded_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<AnsweringModel> model_;
};

}  // namespace ponder
