// ponder eval run: asks a model the questions of a suite and judges its answers.
#include <CLI/CLI.hpp>

#include "cli/eval.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "eval/contamination.hpp"
#include "eval/report.hpp"
#include "eval/rescore.hpp"
#include "eval/runner.hpp"

namespace ponder {
namespace {

struct EvalRunFlags {
  AnswererFlags answerer;
  std::string suite, format, out, prices;
  std::vector<std::string> training;
  std::optional<int64_t> samples, limit, max_tokens, seed;
  double temperature = 0.6, top_p = 0.95, budget = 0.0;
  std::optional<double> machine_price;
  bool greedy = false, resume = false, rejudge = false, unconfined = false, json = false;
};

OrderedJson protocol_note(const EvalRunFlags& flags) {
  return {{"samples", flags.samples.value_or(1)},
          {"temperature", flags.greedy ? 0.0 : flags.temperature},
          {"top_p", flags.greedy ? 1.0 : flags.top_p},
          {"max_tokens", flags.max_tokens.value_or(32768)},
          {"seed", flags.seed.value_or(0)}};
}

// A run goes on only as it began; more samples may be asked for.
Result<void> check_same(RunStore& store, const char* name, OrderedJson now) {
  OrderedJson then = PONDER_TRY(store.note(name));
  if (then.is_object() && then.contains("samples") && now["samples"] >= then["samples"])
    then["samples"] = now["samples"];
  for (OrderedJson* note : {&then, &now})
    if (note->is_object()) note->erase("fields_refused");  // learned on the way
  if (then == now) return {};
  std::string what = "the run was begun with another " + std::string(name);
  for (const auto& [key, value] : now.items())
    if (!then.is_object() || !then.contains(key) || then[key] != value)
      what += ", " + key + " " + (then.contains(key) ? then[key].dump() : "unset");
  return Failure{{.what = std::move(what),
                  .where = "--resume",
                  .mend = "give the same flags, or another --out"}};
}

std::vector<StoredProblem> stored_problems(const Suite& suite) {
  std::vector<StoredProblem> all;
  for (const Problem& problem : suite.problems) all.push_back({problem, nullptr});
  return all;
}

Result<void> look_for_contamination(const EvalRunFlags& flags, const Suite& suite,
                                    RunStore& store) {
  if (flags.training.empty()) return {};
  ContaminationCheck check(suite.problems);
  ProgressLine progress;
  for (const std::string& file : flags.training) PONDER_TRY(check.read(file, progress.sink()));
  auto problems = stored_problems(suite);
  for (size_t i = 0; i < problems.size(); ++i)
    problems[i].contamination = check.overlaps()[i].json();
  return store.set_problems(problems);
}

std::string default_folder(const EvalRunFlags& flags, const Suite& suite) {
  std::string model = std::filesystem::path(flags.answerer.model.model).stem().string();
  if (!flags.answerer.endpoint.empty()) model = flags.answerer.model.model;
  for (char& c : model)
    if (c == '/' || c == ':' || c == ' ') c = '-';
  return "eval-runs/" + suite.name + "-" + model;
}

// A new run, or the one that is there.
Result<std::unique_ptr<RunStore>> open_store(const EvalRunFlags& flags, const Suite& suite,
                                             const AnsweringModel& model,
                                             const std::filesystem::path& folder) {
  const bool going_on = flags.resume && RunStore::exists(folder);
  auto store = PONDER_TRY(going_on ? RunStore::open(folder) : RunStore::create(folder));
  const std::pair<const char*, OrderedJson> notes[] = {{"suite", suite_note(suite)},
                                                       {"model", model.describe()},
                                                       {"protocol", protocol_note(flags)}};
  for (const auto& [name, note] : notes) {
    if (going_on && !PONDER_TRY(store->note(name)).is_null())
      PONDER_TRY(check_same(*store, name, note));
    PONDER_TRY(store->set_note(name, note));
  }
  if (PONDER_TRY(store->problems()).empty())
    PONDER_TRY(store->set_problems(stored_problems(suite)));
  return store;
}

// 1: finish what is being paid for; 2: at once. See AskPlan.
int wish_to_stop(bool local) {
  if (!stop_flag()) return 0;
  return local || signals_received() > 1 ? 2 : 1;
}

Result<AskOutcome> ask(const EvalRunFlags& flags, const Suite& suite, AnsweringModel& model,
                       RunStore& store) {
  std::optional<PriceTable> table;
  if (!flags.prices.empty()) table = PONDER_TRY(PriceTable::read(flags.prices));
  const TokenPrice* price =
      table && !model.local() ? table->find(flags.answerer.model.model) : nullptr;
  if (table && !model.local() && price == nullptr)
    return Failure{{.what = "has no price of " + flags.answerer.model.model,
                    .where = flags.prices,
                    .mend = "add one, with its date and source"}};
  if (price != nullptr)
    PONDER_TRY(store.set_note("price", {{"date", price->date},
                                        {"source", price->source},
                                        {"input", price->input},
                                        {"cached_input", price->cached_input},
                                        {"cache_write", price->cache_write},
                                        {"output", price->output},
                                        {"reasoning", price->reasoning}}));
  set_interrupt_patience(2);
  ProgressLine progress;
  const ProgressSink draw = progress.sink();
  bool told = false;
  const AskPlan plan{
      .suite = &suite,
      .model = &model,
      .store = &store,
      .options = {.temperature = flags.greedy ? 0.0 : flags.temperature,
                  .top_p = flags.greedy ? 1.0 : flags.top_p,
                  .max_tokens = flags.max_tokens.value_or(32768)},
      .samples = flags.samples.value_or(1),
      .seed = static_cast<uint64_t>(flags.seed.value_or(0)),
      .price = price,
      .budget = flags.budget,
      .progress =
          [&](const ProgressReport& report) {
            if (stop_flag() && !model.local() && !std::exchange(told, true)) {
              progress.clear();
              print_error(
                  "ponder: waiting for the answers that are being paid for; Ctrl-C again "
                  "gives them up\n");
            }
            return draw(report);
          },
      .stop = [&] { return wish_to_stop(model.local()); }};
  auto outcome = ask_all(plan);
  PONDER_TRY(store.set_note("model", model.describe()));  // with what it has learned
  return outcome;
}

std::string why_incomplete(const AskOutcome& outcome) {
  std::string text = std::to_string(outcome.missing) + " answers are missing";
  if (outcome.over_budget) text += ": the budget does not allow another one";
  if (!outcome.failure.what.empty()) text += ": " + outcome.failure.message();
  return text;
}

Result<int> run_suite(const EvalRunFlags& flags) {
  const Suite suite =
      PONDER_TRY(suite_library().find(flags.suite, flags.format, flags.limit.value_or(0)));
  const int64_t longest = flags.max_tokens.value_or(32768);
  const std::filesystem::path folder = flags.out.empty() ? default_folder(flags, suite) : flags.out;
  if (RunStore::exists(folder) && !flags.resume)
    return Failure{{.what = "there is a run already",
                    .where = folder.string(),
                    .mend = "--resume goes on with it; or choose another --out"}};
  const auto opened = PONDER_TRY(OpenedModel::open(flags.answerer, longest));
  const auto store = PONDER_TRY(open_store(flags, suite, opened->model(), folder));
  PONDER_TRY(store->set_note("machine_price", flags.machine_price
                                                  ? OrderedJson(*flags.machine_price)
                                                  : OrderedJson(nullptr)));
  PONDER_TRY(look_for_contamination(flags, suite, *store));
  const std::optional<Sandbox> sandbox =
      PONDER_TRY(open_judge(suite.problems, flags.unconfined, *store));
  const AskOutcome outcome = PONDER_TRY(ask(flags, suite, opened->model(), *store));
  if (outcome.stopped) {
    print_error("ponder: stopped; the same command with --resume goes on\n");
    return interrupted_exit_status();
  }
  PONDER_TRY(judge_stored(*store, sandbox, flags.rejudge));
  RunScore score = PONDER_TRY(score_run(*store, folder, flags.machine_price));
  const std::vector<ReportedRun> runs = {{std::move(score), store.get()}};
  PONDER_TRY(print(flags.json ? json_text(report_json(runs)["runs"][0])
                              : terminal_safe(report_markdown(runs))));
  if (outcome.missing > 0) print_error("ponder: " + terminal_safe(why_incomplete(outcome)) + "\n");
  return runs[0].score.pass_1.estimate ? 0 : 1;
}

void add_protocol_flags(CLI::App& command, EvalRunFlags& flags) {
  add_integer_flag(command, "-k,--samples", flags.samples, 1, 512)
      ->description("Answers to each question; default: 1");
  command.add_option("--temperature", flags.temperature, "Default: 0.6, as for DeepSeek-R1")
      ->check(CLI::Range(0.0, 2.0))
      ->type_name("T");
  command.add_option("--top-p", flags.top_p, "Default: 0.95")
      ->check(CLI::Range(0.01, 1.0))
      ->type_name("P");
  command.add_flag("--greedy", flags.greedy, "Always the likeliest token")
      ->excludes("--temperature")
      ->excludes("--top-p");
  add_integer_flag(command, "-n,--max-tokens", flags.max_tokens, 1, 16'777'216)
      ->description("Tokens of an answer, thoughts included; default: 32768");
  add_integer_flag(command, "--seed", flags.seed, 0, INT64_MAX)
      ->description("Of everything that is drawn; default: 0");
  add_integer_flag(command, "--limit", flags.limit, 1, 1'000'000)
      ->description("Only so many problems, the first ones");
}

void add_cost_flags(CLI::App& command, EvalRunFlags& flags) {
  command
      .add_option("--prices", flags.prices, "Table of prices of tokens, TOML; see the user guide")
      ->type_name("FILE");
  command
      .add_option("--budget", flags.budget,
                  "Dollars that the run may cost; a question that might cost more is not asked")
      ->check(CLI::PositiveNumber)
      ->type_name("USD");
  command
      .add_option("--machine-price", flags.machine_price,
                  "Dollars of an hour of this machine, for models that run here")
      ->check(CLI::NonNegativeNumber)
      ->type_name("USD");
}

}  // namespace

void add_eval_run(CLI::App& eval, Selection& selection) {
  CLI::App& command = *eval.add_subcommand("run", "Ask a model the questions of a suite");
  auto flags = std::make_shared<EvalRunFlags>();
  command.add_option("--suite", flags->suite, "A name of `eval list`, or a file")
      ->required()
      ->type_name("NAME");
  command.add_option("--format", flags->format, "Of a file, if it cannot be told")
      ->type_name("NAME");
  add_answerer_flags(command, flags->answerer);
  add_protocol_flags(command, *flags);
  add_cost_flags(command, *flags);
  command.add_option("--out", flags->out, "Folder of the run; default: eval-runs/SUITE-MODEL")
      ->type_name("DIR");
  command.add_flag("--resume", flags->resume, "Go on with the run in that folder, if there is one");
  command.add_flag("--rejudge", flags->rejudge, "Judge all answers again");
  command
      .add_option("--training", flags->training,
                  "Files that the model was trained on: problems found in them are marked")
      ->type_name("FILE");
  command.add_flag("--no-sandbox", flags->unconfined,
                   "Run programs even where nothing can shut them in. Dangerous");
  command.add_flag("--json", flags->json, "Print JSON");
  command.footer(
      "Every answer is stored in the folder as soon as it is there. A run that was killed goes on\n"
      "with --resume; what was answered is not asked again. Keys are read from the environment "
      "only,\n"
      "and neither stored nor shown.\n\n"
      "Examples:\n"
      "  ponder eval run --suite arithmetic -m model.gguf --greedy -n 512\n"
      "  ponder eval run --suite humaneval -m model.gguf -k 8 --machine-price 0.40\n"
      "  DEEPSEEK_API_KEY=… ponder eval run --suite aime.jsonl -k 16 --endpoint "
      "https://api.deepseek.com \\\n      --model deepseek-reasoner --prices prices.toml --budget "
      "5");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return run_suite(*flags); }; });
}

}  // namespace ponder
