#include "base/log.hpp"

#include <utility>

namespace ponder {
namespace {

LogSink& sink_instance() {
  static LogSink sink;
  return sink;
}

}  // namespace

void set_log_sink(LogSink sink) { sink_instance() = std::move(sink); }

void log(LogLevel level, std::string_view line) {
  if (const auto& sink = sink_instance()) sink(level, line);
}

}  // namespace ponder
