// Numbers as people read them, and the lists of numbers that they type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace ponder {

std::string format_duration(double seconds);  // "3.2 s", "2 min 05 s", "1 h 02 min"
std::string format_bytes(double bytes);       // "491 MB": powers of 1000
std::string format_count(double count);       // "494 M", "671 B"
// With three figures: "0.12", "9.51", "38.1", "212".
std::string format_rate(double per_second);

// "loading [####....] 50%  1.2 GB of 2.4 GB  512 MB/s  3.2 s left", shortened to `width` columns.
// `rate` is in units per second; 0: unknown.
std::string progress_text(const ProgressReport& report, double rate, int width);

// A number of type T written out in full and lying in [least, most]; `where` names the flag.
Result<double> parse_number(std::string_view text, double least, double most,
                            const std::string& where);
Result<int64_t> parse_integer(std::string_view text, int64_t least, int64_t most,
                              const std::string& where);
Result<uint64_t> parse_seed(std::string_view text, const std::string& where);

// "1,16,512": one or more, in the order given.
Result<std::vector<int64_t>> parse_integers(std::string_view text, int64_t least, int64_t most,
                                            const std::string& where);

// "1,2,3", "[1, 2, 3]" or "1 2 3": token ids, each in [0, vocabulary).
Result<std::vector<int32_t>> parse_ids(std::string_view text, int64_t vocabulary,
                                       const std::string& where);

// Without control characters other than tab and line feed (each becomes U+FFFD): text from a model
// or a file must not drive the terminal.
std::string terminal_safe(std::string_view text);

}  // namespace ponder
