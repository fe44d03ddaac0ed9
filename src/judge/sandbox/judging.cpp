#include "judge/sandbox/judging.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace ponder {
namespace {

constexpr size_t kTail = 400;                // bytes of standard error that an explanation quotes
constexpr int64_t kExpectedSlack = 1 << 16;  // kept beyond twice what is expected
constexpr double kNearLimit = 0.9;

// The last lines of what a program complained about.
std::string tail(const std::string& err) {
  std::string_view text = err;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text.substr(text.size() - std::min(text.size(), kTail)));
}

std::string_view last_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text.substr(text.rfind('\n') + 1);
}

bool ran_out_of_memory(const BoxReport& report, const BoxLimits& limits) {
  const std::string_view line = last_line(report.err);
  // "MemoryError: …", and what libraries derive from it: numpy.…._ArrayMemoryError.
  const std::string_view name = line.substr(0, line.find(':'));
  if ((name.ends_with("MemoryError") && name.find(' ') == name.npos) ||
      line.find("std::bad_alloc") != std::string_view::npos ||
      report.err.find("terminate called after throwing an instance of 'std::bad_alloc'") !=
          std::string::npos)
    return true;
  return static_cast<double>(report.peak_bytes) >=
         kNearLimit * static_cast<double>(limits.memory_bytes);
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g s", seconds);
  return text;
}

void fail(RunResult& result, Verdict verdict, std::string why) {
  result.verdict = verdict;
  result.why = std::move(why);
}

void classify_end(const BoxReport& report, const BoxLimits& limits, RunResult& result) {
  if (result.exit_status == 0 && result.signal == 0) {
    result.verdict = Verdict::kPass;
    return;
  }
  if (result.signal == SIGXCPU)
    return fail(result, Verdict::kTimeout, "more CPU time than allowed");
  if (ran_out_of_memory(report, limits))
    return fail(result, Verdict::kMemory, "out of memory: " + tail(report.err));
  const std::string how = result.signal != 0
                              ? std::string("ended by a signal: ") + strsignal(result.signal)
                              : "exit status " + std::to_string(result.exit_status);
  const std::string said = tail(report.err);
  fail(result, Verdict::kRuntimeError, said.empty() ? how : how + ": " + said);
}

RunResult judge_case(const BoxReport& report, const BoxLimits& limits, const StdioCase& test,
                     double tolerance) {
  RunResult result = result_of(report, limits);
  if (test.expected && report.out_cut && report.problem.empty()) {
    fail(result, Verdict::kWrong,
         "more than " + std::to_string(limits.output_bytes) + " bytes of output");
  } else if (test.expected && result.verdict == Verdict::kPass) {
    if (auto difference = output_difference(*test.expected, report.out, tolerance))
      fail(result, Verdict::kWrong, std::move(*difference));
  }
  return result;
}

}  // namespace

bool is_syntax_error(std::string_view err) {
  const std::string_view line = last_line(err);
  const bool named = line.starts_with("SyntaxError:") || line.starts_with("IndentationError:") ||
                     line.starts_with("TabError:");
  return named && err.starts_with("  File ");  // a traceback otherwise: the program's own doing
}

BoxLimits box_limits(const RunLimits& limits, double slowness) {
  BoxLimits box;
  box.cpu_seconds = std::clamp(limits.cpu_seconds, 0.01, 1e5) * slowness;
  box.wall_seconds = limits.wall_seconds > 0 ? std::min(limits.wall_seconds, 1e5) * slowness
                                             : 3 * box.cpu_seconds + 2;
  box.memory_bytes = std::clamp<int64_t>(limits.memory_bytes, 1 << 20, int64_t{1} << 40);
  box.output_bytes = std::clamp<int64_t>(limits.output_bytes, 0, int64_t{1} << 30);
  box.processes = std::clamp(limits.processes, 1, 4096);
  return box;
}

RunResult result_of(const BoxReport& report, const BoxLimits& limits) {
  RunResult result;
  result.out = report.out;
  result.err = report.err;
  result.cpu_seconds = report.cpu_seconds;
  result.wall_seconds = report.wall_seconds;
  result.peak_memory = report.peak_bytes;
  if (!report.problem.empty()) {
    fail(result, Verdict::kInfra, report.problem);
    return result;
  }
  if (WIFSIGNALED(report.wait_status)) result.signal = WTERMSIG(report.wait_status);
  if (WIFEXITED(report.wait_status)) result.exit_status = WEXITSTATUS(report.wait_status);
  switch (report.killed_for) {
    case box::KilledFor::kCpu:
      fail(result, Verdict::kTimeout,
           "more than " + seconds_text(limits.cpu_seconds) + " of CPU time");
      break;
    case box::KilledFor::kWall:
      fail(result, Verdict::kTimeout, "not done after " + seconds_text(limits.wall_seconds));
      break;
    case box::KilledFor::kMemory:
      fail(result, Verdict::kMemory,
           "more than " + std::to_string(limits.memory_bytes >> 20) + " MiB of memory");
      break;
    case box::KilledFor::kAsked:
      fail(result, Verdict::kInfra, "stopped by us");
      break;
    case box::KilledFor::kNothing:
      classify_end(report, limits, result);
  }
  return result;
}

RunResult judge_cases(const Toolchain& tools, const RunRequest& request, const BoxJob& program) {
  const std::vector<StdioCase> once(1);
  const auto& cases = request.cases.empty() ? once : request.cases;
  RunResult last;
  double cpu = 0, wall = 0;
  int64_t peak = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const StdioCase& test = cases[i];
    BoxJob job = program;
    job.input = test.input;
    if (test.expected) {
      const int64_t needed = 2 * std::ssize(*test.expected) + kExpectedSlack;
      job.limits.output_bytes = std::max(job.limits.output_bytes, needed);
      job.stop_at_output = true;
    }
    last = judge_case(tools.runner.run(job), job.limits, test, request.tolerance);
    cpu = std::max(cpu, last.cpu_seconds);
    wall = std::max(wall, last.wall_seconds);
    peak = std::max(peak, last.peak_memory);
    if (last.verdict != Verdict::kPass) {
      last.failed_case = request.cases.empty() ? -1 : static_cast<int>(i);
      break;
    }
  }
  last.cpu_seconds = cpu;
  last.wall_seconds = wall;
  last.peak_memory = peak;
  return last;
}

}  // namespace ponder
