#include "eval/plus.hpp"

#include <atomic>
#include <mutex>

#include "base/thread_pool.hpp"
#include "eval/records.hpp"
#include "eval/suite_readers.hpp"
#include "judge/sandbox/sandbox.hpp"

// The assembler reads the file; PONDER_EVAL_GUEST is from cmake/BuiltinSuites.cmake.
asm(".pushsection .rodata\n.balign 16\nponder_plus_py_begin:\n.incbin \"" PONDER_EVAL_GUEST
    "/plus.py\"\nponder_plus_py_end:\n.byte 0\n.popsection\n");
extern "C" __attribute__((visibility("hidden"))) const char ponder_plus_py_begin[];
extern "C" __attribute__((visibility("hidden"))) const char ponder_plus_py_end[];

namespace ponder {
namespace {

constexpr int kMutants = 40;
constexpr int64_t kLines = 2'000'000;  // of a solution and its mutants together
constexpr double kSeconds = 60;
constexpr double kMostTolerance = 1e-6;

std::string_view plus_program() {
  return {ponder_plus_py_begin, static_cast<size_t>(ponder_plus_py_end - ponder_plus_py_begin)};
}

std::string text_of(const Json& extra, std::string_view key) {
  const auto text = text_field_or(extra, key, "", "");
  return text.ok() ? text.value() : std::string();
}

// What plus.py finds. An error says why it finds nothing.
Result<Json> find_inputs(const Problem& problem, const Sandbox& sandbox,
                         const PlusOptions& options) {
  const Json& extra = problem.extra;
  const Json task = {{"solution", text_of(extra, "solution")},
                     {"tests", text_of(extra, "tests")},
                     {"check", extra.value("check", false)},
                     {"entry", text_of(extra, "entry_point")},
                     {"seed", (options.seed ^ stable_hash(problem.id)) >> 1},
                     {"lines", kLines},
                     {"mutants", kMutants},
                     {"tries", options.tries},
                     {"most", options.most},
                     {"fill", options.fill}};
  const std::string text = task.dump(-1, ' ', true, Json::error_handler_t::replace);
  RunRequest request{
      .language = Language::kPython,
      .source = std::string(plus_program()) +
                "\n\n_said = sys.stdout\nsys.stdout = None\n_made = main(json.loads(" +
                Json(text).dump(-1, ' ', true) + "))\n_said.write(json.dumps(_made))\n",
      .limits = {.cpu_seconds = kSeconds},
      .confirm_timeout = false};
  const RunResult result = sandbox.run(request);
  if (result.verdict != Verdict::kPass)
    return Failure{{.what = std::string(verdict_name(result.verdict)) + ": " + result.why}};
  Json made = PONDER_TRY(parse_json(result.out, "plus.py"));
  if (const std::string why = text_of(made, "why"); !why.empty()) return Failure{{.what = why}};
  return made;
}

// The tests of the problem and, behind them, comparisons with its solution.
std::string more_tests(const Problem& problem, const Json& inputs) {
  const Json& extra = problem.extra;
  const std::string entry = text_of(extra, "entry_point"), tests = text_of(extra, "tests");
  const std::string compare =
      differential_loop(text_of(extra, "solution"), entry, inputs, kMostTolerance);
  if (!extra.value("check", false)) return tests + "\n" + compare + "_compare(" + entry + ")\n";
  return tests + "\n" + compare +
         "_check_of_the_suite = check\n\ndef check(candidate):\n"
         "    _check_of_the_suite(candidate)\n    _compare(candidate)\n";
}

PlusProblem add_tests(const Problem& problem, const Sandbox& sandbox, const PlusOptions& options,
                      Json& record) {
  PlusProblem done{.id = problem.id, .why_not = {}};
  if (text_of(problem.extra, "solution").empty()) {
    done.why_not = "has no solution";
    return done;
  }
  auto found = find_inputs(problem, sandbox, options);
  if (!found.ok()) {
    done.why_not = found.error().what;
    return done;
  }
  const Json& made = found.value();
  const Json inputs = made.value("inputs", Json::array());
  done.recorded = made.value("recorded", int64_t{0});
  done.mutants = made.value("mutants", int64_t{0});
  done.shown = done.shown_before = made.value("shown_before", int64_t{0});
  if (inputs.empty()) {
    done.why_not = done.recorded == 0 ? "its arguments are no plain data" : "nothing new was found";
    return done;
  }
  Problem extended = problem;
  extended.extra["tests"] = more_tests(problem, inputs);
  const std::string answer = "```python\n" + text_of(problem.extra, "solution") + "\n```";
  const Judgement judgement = find_task("code")->judge(extended, answer, &sandbox);
  if (judgement.verdict != Verdict::kPass) {
    done.why_not = "its solution does not pass with them: " + judgement.why;
    return done;
  }
  record["test"] = extended.extra["tests"];
  done.added = std::ssize(inputs);
  done.shown = made.value("shown", int64_t{0});
  return done;
}

}  // namespace

Result<PlusSuite> make_plus(const std::filesystem::path& file, const std::string& format,
                            const Sandbox& sandbox, const PlusOptions& options) {
  const Suite suite = PONDER_TRY(read_suite(file, format, "plus"));
  if (suite.format != "humaneval" && suite.format != "mbpp")
    return Failure{{.what = "tests can be added to suites in the format of HumanEval or MBPP only",
                    .where = file.string() + ": " + suite.format}};
  PlusSuite plus{.records = PONDER_TRY(read_records(file)).all, .problems = {}};
  plus.problems.resize(suite.problems.size());
  for (Json& record : plus.records)
    record[std::string(kPlusField)] = "ours, seed " + std::to_string(options.seed);
  std::mutex mutex;
  uint64_t done = 0;
  std::atomic<bool> stopped = false;
  ThreadPool pool(options.threads);
  pool.run(std::ssize(suite.problems), [&](int64_t i, int) {
    if (stopped) return;
    const auto at = static_cast<size_t>(i);
    plus.problems[at] = add_tests(suite.problems[at], sandbox, options, plus.records[at]);
    const std::scoped_lock lock(mutex);
    const ProgressReport report{
        .what = "making tests", .done = ++done, .total = suite.problems.size(), .unit = "problems"};
    if (options.progress && !options.progress(report)) stopped = true;
  });
  if (stopped) return Failure{{.what = "stopped"}};
  return plus;
}

std::string plus_file(const PlusSuite& suite) {
  std::string text;
  for (const Json& record : suite.records)
    text += record.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return text;
}

}  // namespace ponder
