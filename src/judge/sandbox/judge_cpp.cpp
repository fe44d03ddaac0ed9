// C++: compiled in a box of its own, run in others. Tests are a unit of their own with main(); the
// program passes if it gives back the number that it is told once it is loaded, and exits with 0.
#include <sys/random.h>

#include "judge/sandbox/embedded.hpp"
#include "judge/sandbox/judging.hpp"

namespace ponder {
namespace {

constexpr double kCompileSeconds = 30;
constexpr int64_t kCompilerMemory = int64_t{2} << 30;
constexpr int64_t kProgramBytes = int64_t{256} << 20;
constexpr int64_t kMessageBytes = 1 << 16;
constexpr int64_t kStackBytes = int64_t{64} << 20;
constexpr int kNonceBytes = 16;

// A candidate may bring a main() to show what it does; the tests have theirs.
constexpr const char* kWithoutMain =
    "#define main ponder_main_of_the_candidate\n#include \"source.cpp\"\n";
// For tests that expect to stand below the candidate's code.
constexpr const char* kTogether =
    "#define main ponder_main_of_the_candidate\n#include \"source.cpp\"\n#undef main\n"
    "#undef ponder_assertion_failed\n#include <cassert>\n#include \"tests.cpp\"\n";

BoxJob compile_job(const Toolchain& tools, const RunRequest& request,
                   const std::vector<std::string>& inputs) {
  BoxJob job{.arguments = {tools.compiler, "-std=gnu++20", "-O2", "-w", "-pipe", "-fmax-errors=5",
                           "-fdiagnostics-color=never", "-o", "program"},
             .files = {{"source.cpp", request.source}},
             .artifact = "program",
             .may_fork = true};
  job.arguments.insert(job.arguments.end(), inputs.begin(), inputs.end());
  job.limits.cpu_seconds = kCompileSeconds * tools.slowness;
  job.limits.wall_seconds = 2 * job.limits.cpu_seconds;
  job.limits.memory_bytes = kCompilerMemory;
  job.limits.file_bytes = job.limits.tmp_bytes = kProgramBytes;
  job.limits.stack_bytes = kStackBytes;
  job.limits.output_bytes = kMessageBytes;
  if (request.tests) {
    for (const char* name : {"cassert", "assert.h"})
      job.files.push_back({name, std::string(embedded::cassert_header())});
    job.files.push_back({"harness.cc", std::string(embedded::harness_cc())});
    job.files.push_back({"tests.cpp", request.tests->source});
    job.files.push_back({"candidate.cpp", kWithoutMain});
    job.files.push_back({"together.cpp", kTogether});
  }
  return job;
}

// Whatever stops the compiler is the source's fault, unless the sandbox itself failed.
RunResult failed_compilation(const BoxReport& report, const BoxLimits& limits) {
  RunResult result = result_of(report, limits);
  if (result.verdict == Verdict::kInfra) return result;
  if (result.verdict != Verdict::kRuntimeError) result.why = "the compiler: " + result.why;
  if (result.verdict == Verdict::kRuntimeError) result.why = report.err;
  result.verdict = Verdict::kCompileError;
  return result;
}

BoxJob program_job(const Toolchain& tools, const RunRequest& request, BoxReport compiled) {
  BoxJob job{.arguments = {"../box/program"},
             .files = {{"program", std::move(compiled.artifact)}},
             .limits = box_limits(request.limits, tools.slowness)};
  job.limits.stack_bytes = kStackBytes;
  return job;
}

RunResult run_tests(const Toolchain& tools, const RunRequest& request) {
  const std::string wrap = "-Wl,--wrap=main", folder = "-I../box", harness = "../box/harness.cc";
  BoxJob job = compile_job(tools, request,
                           {folder, "../box/tests.cpp", "../box/candidate.cpp", harness, wrap});
  BoxReport compiled = tools.runner.run(job);
  if (compiled.problem.empty() && !compiled.exited(0)) {
    job = compile_job(tools, request, {folder, "../box/together.cpp", harness, wrap});
    compiled = tools.runner.run(job);
  }
  if (!compiled.exited(0)) return failed_compilation(compiled, job.limits);

  BoxJob program = program_job(tools, request, std::move(compiled));
  unsigned char bytes[kNonceBytes];
  if (getrandom(bytes, sizeof bytes, 0) != kNonceBytes)
    return {.verdict = Verdict::kInfra, .why = "the system gives no random numbers"};
  for (const unsigned char byte : bytes) {
    program.nonce += "0123456789abcdef"[byte >> 4];
    program.nonce += "0123456789abcdef"[byte & 15];
  }
  const BoxReport report = tools.runner.run(program);
  RunResult result = result_of(report, program.limits);
  constexpr int kAssertionFailed = 86;  // guest/cassert
  if (report.exited(kAssertionFailed)) {
    result.verdict = Verdict::kWrong;
    result.why = report.err.substr(0, report.err.find('\n'));
  } else if (result.verdict == Verdict::kPass && !report.nonce_returned) {
    result.verdict = Verdict::kRuntimeError;
    result.why = "the program ended before its tests did";
  }
  return result;
}

}  // namespace

RunResult judge_cpp(const Toolchain& tools, const RunRequest& request) {
  if (request.tests) return run_tests(tools, request);
  const BoxJob job = compile_job(tools, request, {"../box/source.cpp"});
  BoxReport compiled = tools.runner.run(job);
  if (!compiled.exited(0)) return failed_compilation(compiled, job.limits);
  return judge_cases(tools, request, program_job(tools, request, std::move(compiled)));
}

}  // namespace ponder
