// Files that TensorBoard reads: scalars over steps, as tfevents. The framing (TFRecord) and the few
// protobuf messages that scalars need are written here.
// https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace ponder {

// CRC-32C (Castagnoli), as TFRecord and iSCSI use it (RFC 3720 §12.1).
uint32_t crc32c(std::string_view bytes);

class EventFile {
 public:
  // An empty one; what was there before goes.
  static Result<EventFile> create(const std::filesystem::path& path);

  // `time`: seconds since 1970. The file is complete after each call; what cannot be written is
  // lost, since it can be made again from metrics.jsonl.
  void add(int64_t step, double time, std::span<const std::pair<std::string, double>> scalars);

 private:
  EventFile() = default;
  void write_record(std::string_view data);

  std::ofstream file_;
};

}  // namespace ponder
