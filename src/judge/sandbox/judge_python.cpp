// Python: programs are run as they are; tests run in a second interpreter, in a box of its own.
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "io/json.hpp"
#include "judge/sandbox/embedded.hpp"
#include "judge/sandbox/judging.hpp"

namespace ponder {
namespace {

constexpr int kTesterDepth = 32;  // of the JSON that the tester writes

BoxJob candidate_job(const Toolchain& tools, const RunRequest& request, int channel) {
  return {.arguments = {tools.python, "../box/candidate.py"},
          .files = {{"candidate.py", std::string(embedded::candidate_py())},
                    {"wire.py", std::string(embedded::wire_py())},
                    {"source.py", request.source}},
          .limits = box_limits(request.limits, tools.slowness),
          .channel = channel};
}

// The tests are ours to trust, so they get time and memory of their own.
BoxJob tester_job(const Toolchain& tools, const RunRequest& request, int channel) {
  const AssertTests& tests = *request.tests;
  BoxJob job{
      .arguments = {tools.python, "../box/tester.py", tests.entry_point, "candidate", "solution"},
      .files = {{"tester.py", std::string(embedded::tester_py())},
                {"wire.py", std::string(embedded::wire_py())},
                {"tests.py", tests.source}},
      .limits = box_limits(request.limits, tools.slowness),
      .channel = channel};
  if (!tests.prelude.empty()) job.files.push_back({"prelude.py", tests.prelude});
  if (!tests.module.empty()) job.arguments.push_back(tests.module);
  return job;
}

Verdict verdict_of(std::string_view outcome) {
  if (outcome == "pass") return Verdict::kPass;
  if (outcome == "wrong") return Verdict::kWrong;
  if (outcome == "syntax") return Verdict::kCompileError;
  if (outcome == "error" || outcome == "gone") return Verdict::kRuntimeError;
  if (outcome == "memory") return Verdict::kMemory;
  return Verdict::kInfra;  // "broken": the tests themselves
}

std::string said_text(const Json& said, std::string_view key) {
  const auto text = text_field_or(said, key, "the tester", "");
  return text.ok() ? text.value() : std::string();
}

// The candidate's end explains more than what the tester saw of it, except where it was our doing.
bool candidate_explains(const RunResult& candidate, std::string_view outcome) {
  if (candidate.verdict == Verdict::kTimeout || candidate.verdict == Verdict::kMemory) return true;
  return outcome == "gone" && candidate.verdict == Verdict::kRuntimeError;
}

RunResult judge_tests(const BoxReport& tester, const BoxReport& candidate,
                      const BoxLimits& limits) {
  RunResult result = result_of(candidate, limits);
  const RunResult tests = result_of(tester, limits);
  for (const BoxReport* report : {&tester, &candidate}) {
    if (!report->problem.empty()) {
      result.verdict = Verdict::kInfra;
      result.why = report->problem;
      return result;
    }
  }
  std::string outcome = "none", why;
  if (const auto said = parse_json(tester.out, "the tester", kTesterDepth); said.ok()) {
    outcome = said_text(said.value(), "outcome");
    why = said_text(said.value(), "why");
  }
  if (outcome == "pass" && tester.exited(0)) {
    result.verdict = Verdict::kPass;
    result.why.clear();
    result.exit_status = result.signal = 0;  // it was told to end
    return result;
  }
  if (candidate_explains(result, outcome)) return result;
  if (tests.verdict != Verdict::kPass) {  // the tests' own process: out of time, most likely
    result.verdict = tests.verdict == Verdict::kRuntimeError ? Verdict::kInfra : tests.verdict;
    result.why = "while testing: " + tests.why;
    return result;
  }
  result.verdict = verdict_of(outcome);
  result.why = outcome == "none" ? "the tester said nothing" : why;
  return result;
}

RunResult run_tests(const Toolchain& tools, const RunRequest& request) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return {.verdict = Verdict::kInfra, .why = std::string("socketpair: ") + std::strerror(errno)};
  Fd tester_end(ends[0]), candidate_end(ends[1]);
  const BoxJob jobs[] = {tester_job(tools, request, tester_end.get()),
                         candidate_job(tools, request, candidate_end.get())};
  const BoxLimits limits = jobs[1].limits;
  const auto reports = tools.runner.run(jobs, [&] {
    tester_end.reset();  // each side must see the other's end
    candidate_end.reset();
  });
  return judge_tests(reports[0], reports[1], limits);
}

}  // namespace

RunResult judge_python(const Toolchain& tools, const RunRequest& request) {
  if (request.tests) return run_tests(tools, request);
  const BoxJob job{.arguments = {tools.python, "../box/main.py"},
                   .files = {{"main.py", request.source}},
                   .limits = box_limits(request.limits, tools.slowness)};
  RunResult result = judge_cases(tools, request, job);
  if (result.verdict == Verdict::kRuntimeError && is_syntax_error(result.err))
    result.verdict = Verdict::kCompileError;
  return result;
}

}  // namespace ponder
