// A box: one program run in confinement by the helper, from the outside. Boxes that talk to each
// other run side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "judge/sandbox/fd.hpp"
#include "judge/sandbox/job.hpp"

namespace ponder {

struct BoxFile {
  std::string name;  // in the folder ../box/ of the guest, which it cannot write to
  std::string content;
};

struct BoxLimits {
  double cpu_seconds = 5, wall_seconds = 15;
  int64_t memory_bytes = int64_t{512} << 20;
  int64_t file_bytes = int64_t{64} << 20, tmp_bytes = int64_t{64} << 20;
  int64_t stack_bytes = int64_t{16} << 20;
  int64_t output_bytes = 1 << 20;  // kept of each stream; the rest is read and forgotten
  int processes = 32;
};

struct BoxJob {
  std::vector<std::string> arguments;  // [0] is the path of the program; the guest starts in tmp/
  std::vector<BoxFile> files = {};
  BoxLimits limits = {};
  std::string input = {};     // what standard input gives
  std::string artifact = {};  // a file of tmp/ to bring back when the program ends with 0
  std::string nonce =
      {};            // if not empty: given on descriptor 3 after a byte "r", expected back there
  int channel = -1;  // becomes descriptor 3 otherwise
  bool may_fork = false;        // counts where there are no namespaces
  bool stop_at_output = false;  // end it when it has written more than output_bytes
};

struct BoxReport {
  std::string problem;  // ours: the rest says nothing then
  int wait_status = 0;
  box::KilledFor killed_for = box::KilledFor::kNothing;
  double cpu_seconds = 0, wall_seconds = 0;
  int64_t peak_bytes = 0;
  std::string out, err;
  bool out_cut = false, err_cut = false;
  std::string artifact;
  bool nonce_returned = false;
  uint32_t escapes = 0;    // of a probe
  uint32_t left_over = 0;  // processes that were ended with the program

  bool exited(int status) const;  // by itself, with this status
};

class BoxRunner {
 public:
  struct Settings {
    box::Confinement confinement = box::Confinement::kNamespaces;
    std::vector<std::string> read_paths = {};  // absolute; besides /usr and what belongs to it
    std::vector<std::string> variables =
        {};  // "NAME=value"; the whole environment but HOME and TMPDIR
  };
  static Result<BoxRunner> create(Settings settings);

  // All of them side by side; when the first has ended the others are told to. `started` is called
  // when all have their descriptors. Thread-safe.
  std::vector<BoxReport> run(std::span<const BoxJob> jobs,
                             const std::function<void()>& started = {}) const;
  BoxReport run(const BoxJob& job) const { return std::move(run(std::span(&job, 1)).front()); }

  // Tries the confinement out. Nothing if it holds, otherwise what does not.
  std::string probe() const;

  box::Confinement confinement() const { return settings_.confinement; }

 private:
  friend class RunningBox;
  BoxRunner(Settings settings, Fd helper);
  BoxReport run_probe(const std::string& secret, int port) const;
  Settings settings_;
  Fd helper_;
};

}  // namespace ponder
