// ponder judge: runs a program that a model wrote, shut in, and says what became of it.
#include <CLI/CLI.hpp>

#include "base/file.hpp"
#include "cli/commands.hpp"
#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "judge/sandbox/sandbox.hpp"
#include "judge/sandbox/self_test.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMostSource = 8 << 20;
constexpr uint64_t kMostData = 256 << 20;
constexpr int kNoSandboxStatus = 3;

struct SandboxFlags {
  std::string level = "A", python, compiler;
  bool unconfined = false;
  int parallel = 0;
};

struct JudgeFlags {
  SandboxFlags sandbox;
  std::string language, file, tests, entry, prelude, input, expected;
  double seconds = 5, tolerance = 0;
  int64_t memory_mb = 512;
  bool json = false;
};

struct SelfTestFlags {
  SandboxFlags sandbox;
  bool json = false, quick = false;
};

void add_sandbox_flags(CLI::App& command, SandboxFlags& flags) {
  command.add_option("--sandbox", flags.level, "Strongest level to use; default: A, the strongest")
      ->check(CLI::IsMember({"A", "B", "none"}))
      ->type_name("LEVEL:{A,B,none}");
  command.add_flag("--unconfined", flags.unconfined,
                   "Run even where nothing protects this machine from the program");
  command
      .add_option("--python", flags.python,
                  "Interpreter, also of a virtual environment; default: /usr/bin/python3")
      ->type_name("PATH");
  command.add_option("--compiler", flags.compiler, "Compiler of C++; default: /usr/bin/g++")
      ->type_name("PATH");
}

SandboxOptions sandbox_options(const SandboxFlags& flags) {
  SandboxOptions options;
  options.strongest = flags.level == "A"   ? SandboxLevel::kNamespaces
                      : flags.level == "B" ? SandboxLevel::kLandlock
                                           : SandboxLevel::kNone;
  options.allow_unconfined = flags.unconfined;
  options.python = flags.python;
  options.compiler = flags.compiler;
  options.parallel = flags.parallel;
  return options;
}

// Runs `use` with the sandbox; where nothing protects, says so and gives a status of its own.
template <typename Use>
Result<int> with_sandbox(const SandboxFlags& flags, Use&& use) {
  auto sandbox = Sandbox::create(sandbox_options(flags));
  if (sandbox.ok()) return use(sandbox.value());
  if (!sandbox.error().what.starts_with(kNoSandbox)) return Failure{sandbox.error()};
  print_error("ponder: " + terminal_safe(sandbox.error().message()) +
              "; --unconfined runs it all the same\n");
  return kNoSandboxStatus;
}

Result<RunRequest> read_request(const JudgeFlags& flags) {
  RunRequest request;
  request.language = *language_by_name(flags.language);
  request.source = PONDER_TRY(read_file(flags.file, kMostSource));
  request.tolerance = flags.tolerance;
  request.limits.cpu_seconds = flags.seconds;
  request.limits.memory_bytes = flags.memory_mb << 20;
  if (!flags.tests.empty()) {
    request.tests = AssertTests{.source = PONDER_TRY(read_file(flags.tests, kMostSource)),
                                .entry_point = flags.entry,
                                .prelude = {},
                                .module = std::filesystem::path(flags.file).stem().string()};
    if (!flags.prelude.empty())
      request.tests->prelude = PONDER_TRY(read_file(flags.prelude, kMostSource));
  } else if (!flags.input.empty() || !flags.expected.empty()) {
    StdioCase& test = request.cases.emplace_back();
    if (!flags.input.empty()) test.input = PONDER_TRY(read_file(flags.input, kMostData));
    if (!flags.expected.empty()) test.expected = PONDER_TRY(read_file(flags.expected, kMostData));
  }
  return request;
}

OutputJson result_json(const RunResult& result, const Sandbox& sandbox) {
  return {{"verdict", verdict_name(result.verdict)},
          {"why", result.why},
          {"exit_status", result.exit_status},
          {"signal", result.signal},
          {"stdout", result.out},
          {"stderr", result.err},
          {"cpu_seconds", result.cpu_seconds},
          {"wall_seconds", result.wall_seconds},
          {"peak_memory_bytes", result.peak_memory},
          {"sandbox", sandbox_level_name(sandbox.level())}};
}

Result<int> judge_run(const JudgeFlags& flags) {
  const RunRequest request = PONDER_TRY(read_request(flags));
  return with_sandbox(flags.sandbox, [&](const Sandbox& sandbox) -> Result<int> {
    const RunResult result = sandbox.run(request);
    if (flags.json) {
      PONDER_TRY(print(json_text(result_json(result, sandbox))));
      return 0;
    }
    std::string text(verdict_name(result.verdict));
    if (!result.why.empty()) text += ": " + result.why;
    PONDER_TRY(print(terminal_safe(text) + "\n"));
    return 0;
  });
}

OutputJson report_json(const SelfTestReport& report, const Sandbox& sandbox) {
  OutputJson items = OutputJson::array();
  for (const SelfTestItem& item : report.items) {
    items.push_back({{"name", item.name},
                     {"language", language_name(item.language)},
                     {"hostile", item.hostile},
                     {"verdict", verdict_name(item.verdict)},
                     {"ok", item.ok},
                     {"why", item.why}});
  }
  return {{"passed", report.passed()},
          {"sandbox", sandbox_level_name(sandbox.level())},
          {"sandbox_reason", sandbox.level_reason()},
          {"slowness", sandbox.slowness()},
          {"leaks", report.leaks},
          {"items", items}};
}

std::string report_text(const SelfTestReport& report, const Sandbox& sandbox) {
  std::string text = "sandbox: level " + std::string(sandbox_level_name(sandbox.level()));
  if (!sandbox.level_reason().empty()) text += " (" + sandbox.level_reason() + ")";
  text += "\n";
  for (const SelfTestItem& item : report.items) {
    if (item.ok) continue;
    text += "FAILED " + std::string(language_name(item.language)) + " " + item.name + ": " +
            std::string(verdict_name(item.verdict)) + "; " + item.why + "\n";
  }
  for (const std::string& leak : report.leaks) text += "LEAK " + leak + "\n";
  return text + report.summary() + "\n";
}

Result<int> judge_self_test(const SelfTestFlags& flags) {
  return with_sandbox(flags.sandbox, [&](const Sandbox& sandbox) -> Result<int> {
    ProgressLine line;
    const SelfTestReport report =
        self_test(sandbox, {.quick = flags.quick, .progress = line.sink()});
    line.clear();
    PONDER_TRY(print(flags.json ? json_text(report_json(report, sandbox))
                                : terminal_safe(report_text(report, sandbox))));
    return report.passed() ? 0 : 1;
  });
}

void add_run(CLI::App& judge, Selection& selection) {
  CLI::App& command = *judge.add_subcommand("run", "Judge a program, shut in");
  auto flags = std::make_shared<JudgeFlags>();
  command.add_option("--lang", flags->language, "Language of the program")
      ->required()
      ->check(CLI::IsMember({"python", "cpp"}))
      ->type_name("NAME:{python,cpp}");
  command.add_option("--file", flags->file, "The program")->required()->type_name("FILE");
  auto* tests = command.add_option("--tests", flags->tests, "Tests that call its functions")
                    ->type_name("FILE");
  command
      .add_option("--entry", flags->entry,
                  "Python: the function that check() of the tests gets; default: the last one")
      ->needs(tests)
      ->type_name("NAME");
  command.add_option("--prelude", flags->prelude, "Python: trusted code that the tests may use")
      ->needs(tests)
      ->type_name("FILE");
  command.add_option("--stdin", flags->input, "What its standard input gives; default: nothing")
      ->excludes(tests)
      ->type_name("FILE");
  command.add_option("--expect", flags->expected, "What it must write; default: anything")
      ->excludes(tests)
      ->type_name("FILE");
  command
      .add_option("--tolerance", flags->tolerance, "By how much numbers of its output may differ")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("X");
  command.add_option("--time", flags->seconds, "Limit of CPU time in seconds; default: 5")
      ->check(CLI::Range(0.01, 1e5))
      ->type_name("SECONDS");
  command.add_option("--memory", flags->memory_mb, "Limit of memory in MiB; default: 512")
      ->check(CLI::Range(int64_t{16}, int64_t{1} << 20))
      ->type_name("MB");
  command.add_flag("--json", flags->json, "Print a JSON object");
  add_sandbox_flags(command, flags->sandbox);
  command.footer(
      "Prints the verdict: pass, wrong, runtime_error, timeout, memory, compile_error, or infra\n"
      "where the sandbox itself failed. The exit status is 0 whatever the verdict, and 3 if the\n"
      "program was not run because nothing protects this machine. Slow machines get more time.\n\n"
      "Examples:\n"
      "  ponder judge run --lang python --file answer.py --tests tests.py\n"
      "  ponder judge run --lang cpp --file answer.cpp --stdin 1.in --expect 1.out --time 2");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return judge_run(*flags); }; });
}

void add_self_test(CLI::App& judge, Selection& selection) {
  CLI::App& command = *judge.add_subcommand(
      "selftest", "Find out whether verdicts of this machine can be believed");
  auto flags = std::make_shared<SelfTestFlags>();
  command.add_flag("--quick", flags->quick, "Only what takes a moment");
  command.add_flag("--json", flags->json, "Print a JSON object");
  add_sandbox_flags(command, flags->sandbox);
  command.footer(
      "Runs right programs, all of which must pass, and hostile ones, none of which may pass or\n"
      "leave anything behind. The exit status is 1 if that fails, 3 if nothing protects this "
      "machine.");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return judge_self_test(*flags); }; });
}

}  // namespace

void add_judge_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("judge", "Judge what a model wrote");
  command.require_subcommand(1);
  add_run(command, selection);
  add_judge_math(command, selection);
  add_self_test(command, selection);
}

}  // namespace ponder
