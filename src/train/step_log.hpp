// Lines about steps: DIR/metrics.jsonl and the like, one JSON object a line, each with "step".
// After a resume nothing is doubled and nothing is missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.hpp"
#include "io/json.hpp"

namespace ponder {

class StepLog {
 public:
  // Opens the file for appending and cuts it at the first line whose step is above `last_step` (−1:
  // everything goes), or that is incomplete.
  static Result<StepLog> open(const std::filesystem::path& path, int64_t last_step);

  StepLog(StepLog&& other) noexcept;
  StepLog& operator=(StepLog&& other) noexcept;
  ~StepLog();

  // Appends a line. If the disk is full the line waits for the next call: a log must not end a run.
  void append(const OrderedJson& object);
  // Everything appended so far is on the disk, or an error.
  Result<void> flush();

 private:
  StepLog() = default;
  Result<void> write_waiting();

  int descriptor_ = -1;
  uint64_t size_ = 0;    // of what is whole
  std::string waiting_;  // lines that could not be written yet
  std::filesystem::path path_;
};

// visit(object) for each line of such a file until it returns false. An incomplete last line is
// passed over; any other broken line is an error that names it.
Result<void> read_step_log(const std::filesystem::path& path,
                           const std::function<bool(const OrderedJson&)>& visit);

}  // namespace ponder
