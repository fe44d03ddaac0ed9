#include "io/event_stream.hpp"

namespace ponder {
namespace {

constexpr size_t kMostLine = 16 << 20;

}  // namespace

Result<void> EventStream::push(std::string_view bytes) {
  for (const char byte : bytes) {
    if (byte != '\n') {
      line_ += byte;
      if (line_.size() > kMostLine) return Failure{{.what = "an event is too long"}};
      continue;
    }
    if (line_.ends_with('\r')) line_.pop_back();
    const std::string line = std::move(line_);
    line_.clear();
    if (!line.starts_with("data:")) continue;  // comments, names of events
    PONDER_TRY(sink_(std::string_view(line).substr(line.starts_with("data: ") ? 6 : 5)));
  }
  return {};
}

}  // namespace ponder
