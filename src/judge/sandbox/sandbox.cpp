#include "judge/sandbox/sandbox.hpp"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/env.hpp"
#include "base/thread_pool.hpp"
#include "judge/sandbox/gate.hpp"
#include "judge/sandbox/interpreter.hpp"
#include "judge/sandbox/judging.hpp"

namespace ponder {
namespace {

constexpr std::array kLevelNames = {"A", "B", "none"};
constexpr int64_t kMostSource = 8 << 20;
constexpr int kLeastTries = 5;
constexpr int kSteps = 3'000'000;
constexpr double kNominalSeconds = 0.009;  // of kSteps: 9 cycles each at 3 GHz
constexpr double kMostSlowness = 10;

double thread_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// How much slower than the nominal machine one core computes; the best of a few tries, by CPU time.
double measure_slowness() {
  double best = 1e9;
  for (int attempt = 0; attempt < kLeastTries; ++attempt) {
    const double start = thread_seconds();
    uint64_t x = 88172645463325252;
    for (int i = 0; i < kSteps; ++i) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      x *= 0x9E3779B97F4A7C15;
    }
    volatile uint64_t kept = x;
    static_cast<void>(kept);
    best = std::min(best, thread_seconds() - start);
  }
  return std::clamp(best / kNominalSeconds, 1.0, kMostSlowness);
}

bool is_executable(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

std::string python_path(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  if (const auto named = environment("PONDER_PYTHON"); named && !named->empty()) return *named;
  for (const char* path : {"/usr/bin/python3", "/usr/local/bin/python3"}) {
    if (is_executable(path)) return path;
  }
  return "/usr/bin/python3";
}

// One thread for libraries that would take one per CPU; the same order of sets in every run.
std::vector<std::string> guest_environment(const std::string& mark) {
  return {mark,
          "PATH=/usr/local/bin:/usr/bin:/bin",
          "LANG=C.UTF-8",
          "LC_ALL=C.UTF-8",
          "PYTHONHASHSEED=0",
          "PYTHONDONTWRITEBYTECODE=1",
          "PYTHONNOUSERSITE=1",
          "PYTHONSAFEPATH=1",
          "OMP_NUM_THREADS=1",
          "OPENBLAS_NUM_THREADS=1",
          "MKL_NUM_THREADS=1"};
}

// A variable that tells programs of one sandbox from all others.
std::string random_mark() {
  uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) number = 0;
  return "PONDER_BOX=" + std::to_string(number);
}

// One that is not there is told when it is needed.
Result<Interpreter> find_python(const std::string& wanted) {
  const std::string path = python_path(wanted);
  if (path.starts_with("/usr/") || !is_executable(path))
    return Interpreter{.path = path, .folders = {}};
  return find_interpreter(path);
}

Result<BoxRunner> make_runner(SandboxLevel level, const std::string& mark,
                              const std::vector<std::string>& folders) {
  const auto confinement = level == SandboxLevel::kNamespaces ? box::Confinement::kNamespaces
                           : level == SandboxLevel::kLandlock ? box::Confinement::kLandlock
                                                              : box::Confinement::kNone;
  return BoxRunner::create(
      {.confinement = confinement, .read_paths = folders, .variables = guest_environment(mark)});
}

Result<SandboxLevel> strongest_level(const SandboxOptions& options) {
  const auto name = environment("PONDER_SANDBOX");
  if (!name) return options.strongest;
  const auto found = std::find(kLevelNames.begin(), kLevelNames.end(), *name);
  if (found == kLevelNames.end())
    return Failure{{.what = "no level of the sandbox: \"" + *name + "\"",
                    .where = "PONDER_SANDBOX",
                    .mend = "set it to A, B or none"}};
  return std::max(options.strongest, static_cast<SandboxLevel>(found - kLevelNames.begin()));
}

}  // namespace

std::optional<Language> language_by_name(std::string_view name) {
  if (name == "python") return Language::kPython;
  if (name == "cpp") return Language::kCpp;
  return std::nullopt;
}

std::string_view language_name(Language language) {
  return language == Language::kPython ? "python" : "cpp";
}

std::string_view sandbox_level_name(SandboxLevel level) {
  return kLevelNames[static_cast<size_t>(level)];
}

struct Sandbox::State {
  State(SandboxLevel chosen, BoxRunner box_runner, int places)
      : level(chosen), runner(std::move(box_runner)), gate(places) {}

  RunResult run_once(const RunRequest& request, bool alone) {
    const Gate::Pass pass(gate, alone);
    const Toolchain tools{runner, python, compiler, slowness};
    return request.language == Language::kPython ? judge_python(tools, request)
                                                 : judge_cpp(tools, request);
  }

  SandboxLevel level;
  BoxRunner runner;
  Gate gate;
  std::string reason, mark, python, compiler;
  double slowness = 1;
};

Sandbox::Sandbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sandbox::Sandbox(Sandbox&&) noexcept = default;
Sandbox& Sandbox::operator=(Sandbox&&) noexcept = default;
Sandbox::~Sandbox() = default;

Result<Sandbox> Sandbox::create(SandboxOptions options) {
  const SandboxLevel strongest = PONDER_TRY(strongest_level(options));
  const int places = options.parallel > 0 ? options.parallel : available_cpus();
  const std::string mark = random_mark();
  const Interpreter python = PONDER_TRY(find_python(options.python));
  std::string reason;
  for (int number = 0; number <= static_cast<int>(SandboxLevel::kNone); ++number) {
    const auto level = static_cast<SandboxLevel>(number);
    const std::string name = "level " + std::string(sandbox_level_name(level)) + ": ";
    const std::string between = reason.empty() ? "" : "; ";
    if (level < strongest) {
      reason += between + name + "not wanted";
      continue;
    }
    if (level == SandboxLevel::kNone && !options.allow_unconfined) break;
    BoxRunner runner = PONDER_TRY(make_runner(level, mark, python.folders));
    if (level != SandboxLevel::kNone) {
      if (const std::string fault = runner.probe(); !fault.empty()) {
        reason += between + name + fault;
        continue;
      }
    }
    auto state = std::make_unique<State>(level, std::move(runner), places);
    state->reason = reason;
    state->mark = mark;
    state->python = python.path;
    state->compiler = options.compiler.empty() ? "/usr/bin/g++" : options.compiler;
    state->slowness = measure_slowness();
    return Sandbox(std::move(state));
  }
  return Failure{{.what = std::string(kNoSandbox) + " (" + reason + ")",
                  .mend = "allow user namespaces, or a kernel with Landlock"}};
}

RunResult Sandbox::run(const RunRequest& request) const {
  RunResult result;
  if (std::ssize(request.source) > kMostSource) {
    result.verdict = Verdict::kCompileError;
    result.why = "the source is larger than 8 MiB";
    return result;
  }
  const std::string& program =
      request.language == Language::kPython ? state_->python : state_->compiler;
  if (!is_executable(program)) {
    result.why = program + " is not there";
    return result;
  }
  result = state_->run_once(request, false);
  if (result.verdict == Verdict::kTimeout && request.confirm_timeout)
    result = state_->run_once(request, true);
  return result;
}

std::vector<int> Sandbox::processes_left() const {
  std::vector<int> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "environ", std::ios::binary);
    const std::string variables{std::istreambuf_iterator<char>(file), {}};
    if (variables.find(state_->mark) != std::string::npos) found.push_back(std::stoi(name));
  }
  return found;
}

SandboxLevel Sandbox::level() const { return state_->level; }
std::string Sandbox::level_reason() const { return state_->reason; }
double Sandbox::slowness() const { return state_->slowness; }

}  // namespace ponder
