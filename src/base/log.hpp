// The log sink. Libraries never print: they hand lines to the sink that the program installed.
#pragma once

#include <functional>
#include <string_view>

namespace ponder {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

using LogSink = std::function<void(LogLevel, std::string_view)>;

// Installs the sink for the whole process; call before other threads start. Default: drops all.
void set_log_sink(LogSink sink);
void log(LogLevel level, std::string_view line);

}  // namespace ponder
