// What `ponder bench` says, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "cli/json_output.hpp"
#include "engine/speed.hpp"

namespace ponder {

struct BenchMachine {
  std::string cpu, isa;
  int threads = 0;
  Roofline roofline;
};

struct BenchModel {
  std::string file;
  uint64_t bytes = 0;  // of its tensors in the file
  int64_t parameters = 0;
  double load_seconds = 0;
  uint64_t peak_bytes = 0;  // of memory, while loading and running
};

struct BenchResult {
  SpeedTest test;
  SpeedResult speed;

  double rate(double seconds) const { return static_cast<double>(test.tokens()) / seconds; }
  double median() const { return rate(speed.median); }
  double least() const { return rate(speed.seconds.back()); }
  double most() const { return rate(speed.seconds.front()); }
};

// An earlier result, read from what --json printed.
class BenchBaseline {
 public:
  // Errors: no such file, no JSON, or not of this program; with the field that is missing.
  static Result<BenchBaseline> open(const std::string& path);

  // Tokens per second of the same test there; 0: it was not run.
  double rate(const SpeedTest& test) const;
  const std::string& model() const { return model_; }  // its file name

 private:
  struct Entry {
    std::string test;
    int64_t batch = 0, depth = 0;
    double rate = 0;
  };
  std::string model_;
  std::vector<Entry> entries_;
};

// `baseline`: nullptr if there is none.
std::string bench_head_text(const BenchMachine& machine, const BenchModel& model,
                            const BenchBaseline* baseline);
std::string bench_row_text(const BenchMachine& machine, const BenchResult& result,
                           const BenchBaseline* baseline);
// A table of the ops of one test.
std::string bench_profile_text(const BenchMachine& machine, const BenchResult& result);

OutputJson bench_json(const BenchMachine& machine, const BenchModel& model,
                      const std::vector<BenchResult>& results, const BenchBaseline* baseline,
                      bool with_profile);

}  // namespace ponder
