// Runs programs that a model wrote, shut in as tightly as the machine allows, and judges them. The
// verdict is formed outside the program: output is compared here, and tests in Python run in a
// process of their own that only exchanges data with it. docs/sandbox.md tells what is kept out and
// what cannot be.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "judge/verdict.hpp"

namespace ponder {

enum class Language { kPython, kCpp };

std::optional<Language> language_by_name(std::string_view name);  // "python", "cpp"
std::string_view language_name(Language language);

// What holds a program in. Found by trying, once, in Sandbox::create().
enum class SandboxLevel {
  kNamespaces,  // "A": a file system, processes and network of its own, and all of B
  kLandlock,    // "B": the machine's own, but Landlock, seccomp and limits; no new processes
  kNone,        // "none": limits alone; only when asked for
};

std::string_view sandbox_level_name(SandboxLevel level);

struct RunLimits {
  double cpu_seconds = 5;   // of all processes together, on a nominal machine: slower ones get more
  double wall_seconds = 0;  // 0: three times the CPU time and 2 more
  int64_t memory_bytes = int64_t{512} << 20;  // of all processes together
  int64_t output_bytes = 1 << 20;  // of each stream; more is cut off, or wrong where it is compared
  int processes = 32;              // and threads
};

// One run of a program that reads standard input and writes standard output.
struct StdioCase {
  std::string input;
  std::optional<std::string> expected = {};  // nothing: exit status 0 is enough
};

// Tests that call the candidate's functions.
struct AssertTests {
  std::string source;  // statements with assert; def check(candidate), def test_…() or TestCases;
                       // in C++ a translation unit with main()
  std::string entry_point = {};  // Python: what check() gets; empty: the candidate's last function
  std::string prelude = {};  // Python: trusted code whose names tests may use (HumanEval's prompt)
  std::string module = {};   // Python: what they import it as, besides candidate and solution
};

// Either `tests`, or `cases`; with neither the program runs once without input.
struct RunRequest {
  Language language = Language::kPython;
  std::string source;
  std::optional<AssertTests> tests = {};
  std::vector<StdioCase> cases = {};  // in this order, up to the first that does not pass
  double tolerance = 0;  // numbers in the output may differ by this, absolutely or relatively
  RunLimits limits = {};
  bool confirm_timeout = true;  // a run out of time is repeated once, with no other beside it
};

struct RunResult {
  Verdict verdict = Verdict::kInfra;
  std::string why = {};  // for people, one or a few lines; empty with kPass
  int exit_status = 0;
  int signal = 0;                  // that ended the program; 0: none
  std::string out = {}, err = {};  // of the last run (compile errors: the compiler's); raw bytes
  double cpu_seconds = 0, wall_seconds = 0;  // of the run or of the slowest case
  int64_t peak_memory = 0;                   // bytes
  int failed_case = -1;                      // index in `cases`
};

// The error of create() begins with this where nothing protects.
inline constexpr std::string_view kNoSandbox = "not run: no sandbox";

struct SandboxOptions {
  SandboxLevel strongest = SandboxLevel::kNamespaces;  // not even tried above this
  bool allow_unconfined = false;                       // kNone is refused otherwise
  int parallel = 0;  // runs at once; 0: one per CPU. More callers wait.
  // Interpreter; empty: $PONDER_PYTHON, else found in /usr/bin or /usr/local/bin. Outside of /usr
  // programs can read its installation and virtual environment, see interpreter.hpp.
  std::string python = {};
  std::string compiler = {};  // of C++; empty: /usr/bin/g++
};

class Sandbox {
 public:
  // Fails if the machine protects neither way and allow_unconfined is not set: nothing must run
  // then. The environment's PONDER_SANDBOX (A, B or none) lowers `strongest`.
  static Result<Sandbox> create(SandboxOptions options = {});

  Sandbox(Sandbox&&) noexcept;
  Sandbox& operator=(Sandbox&&) noexcept;
  ~Sandbox();

  // May be called from many threads. What goes wrong on our side is Verdict::kInfra with the reason
  // in `why`. Takes no longer than the limits say, twice if a timeout is confirmed, and 15 s.
  RunResult run(const RunRequest& request) const;

  SandboxLevel level() const;
  std::string level_reason() const;  // why it is not a stronger one; empty at kNamespaces
  // Processes on this machine that a program of this sandbox has left. Only while nothing runs.
  std::vector<int> processes_left() const;
  double slowness() const;  // ≥ 1: what limits of CPU time are multiplied by

 private:
  struct State;
  explicit Sandbox(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The comparison that `cases` use: spaces at the ends of lines and empty lines at the end do not
// count. Gives what differs first, or nothing.
std::optional<std::string> output_difference(std::string_view expected, std::string_view actual,
                                             double tolerance);

}  // namespace ponder
