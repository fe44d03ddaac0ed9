#include "cli/format_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "io/printable.hpp"

namespace ponder {
namespace {

template <typename... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  char text[96];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

// Three figures of `value` and the prefix of its power of 1000.
std::string scaled(double value, const char* const (&units)[5]) {
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  const int decimals = unit == 0 || value >= 99.95 ? 0 : 1;
  return formatted("%.*f %s", decimals, value, units[unit]);
}

std::string bar(double share, int cells) {
  const int full = std::clamp(static_cast<int>(share * cells), 0, cells);
  return "[" + std::string(static_cast<size_t>(full), '#') +
         std::string(static_cast<size_t>(cells - full), '.') + "]";
}

std::string amount(double value, std::string_view unit) {
  if (unit == "B") return format_bytes(value);
  return formatted("%.0f %.*s", value, static_cast<int>(unit.size()), unit.data());
}

std::string rate_text(double rate, std::string_view unit) {
  if (unit == "B") return format_bytes(rate) + "/s";
  return format_rate(rate) + " " + std::string(unit) + "/s";
}

Failure not_a_number(std::string_view text, const std::string& where, const std::string& expected) {
  return Failure{{.what = printable(text) + " is not " + expected, .where = where}};
}

// Bytes of the control character at the start of `text`, or 0.
size_t control_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first == '\n' || first == '\t') return 0;
  if (first < 0x20 || first == 0x7f) return 1;
  // U+0080 … U+009F, the eight-bit forms of escape sequences.
  const bool wide = first == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0;
  return wide ? 2 : 0;
}

}  // namespace

std::string format_duration(double seconds) {
  if (!(seconds > 0)) seconds = 0;
  if (seconds < 9.95) return formatted("%.1f s", seconds);
  if (seconds < 59.5) return formatted("%.0f s", seconds);
  const auto whole = static_cast<long long>(std::min(std::round(seconds), 1e15));
  if (whole < 3600) return formatted("%lld min %02lld s", whole / 60, whole % 60);
  return formatted("%lld h %02lld min", whole / 3600, whole % 3600 / 60);
}

std::string format_bytes(double bytes) { return scaled(bytes, {"B", "kB", "MB", "GB", "TB"}); }

std::string format_count(double count) {
  std::string text = scaled(count, {"", "k", "M", "B", "T"});
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string format_rate(double per_second) {
  const int decimals = per_second < 9.995 ? 2 : per_second < 99.95 ? 1 : 0;
  return formatted("%.*f", decimals, per_second);
}

std::string progress_text(const ProgressReport& report, double rate, int width) {
  const auto done = static_cast<double>(report.done), total = static_cast<double>(report.total);
  std::string text(terminal_safe(report.what));
  if (report.total > 0) {
    const double share = std::min(done / total, 1.0);
    text += " " + bar(share, 20) + formatted(" %2.0f%%", std::floor(100 * share)) + "  " +
            amount(done, report.unit) + " of " + amount(total, report.unit);
  } else {
    text += "  " + amount(done, report.unit);
  }
  if (rate > 0) {
    text += "  " + rate_text(rate, report.unit);
    if (report.total > 0 && done < total)
      text += "  " + format_duration((total - done) / rate) + " left";
  }
  // The text is ASCII but for a name in `what`; cut before a continuation byte.
  const auto room = static_cast<size_t>(std::max(width - 1, 0));
  if (text.size() > room) {
    size_t end = room;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
  }
  return text;
}

Result<double> parse_number(std::string_view text, double least, double most,
                            const std::string& where) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  if (!whole || !(value >= least && value <= most))
    return not_a_number(text, where, formatted("a number from %g to %g", least, most));
  return value;
}

Result<int64_t> parse_integer(std::string_view text, int64_t least, int64_t most,
                              const std::string& where) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  if (!whole || value < least || value > most)
    return not_a_number(text, where,
                        formatted("a whole number from %lld to %lld", static_cast<long long>(least),
                                  static_cast<long long>(most)));
  return value;
}

Result<std::vector<int64_t>> parse_integers(std::string_view text, int64_t least, int64_t most,
                                            const std::string& where) {
  std::vector<int64_t> values;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    values.push_back(
        PONDER_TRY(parse_integer(text.substr(begin, end - begin), least, most, where)));
    begin = end + 1;
  }
  return values;
}

Result<uint64_t> parse_seed(std::string_view text, const std::string& where) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    return not_a_number(text, where, "a whole number from 0 to 2^64 - 1");
  return value;
}

Result<std::vector<int32_t>> parse_ids(std::string_view text, int64_t vocabulary,
                                       const std::string& where) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto trim = [&](std::string_view piece) {
    const size_t first = piece.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return std::string_view();
    return piece.substr(first, piece.find_last_not_of(kSpace) - first + 1);
  };
  text = trim(text);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = trim(text.substr(1, text.size() - 2));
  const bool commas = text.find(',') != std::string_view::npos;
  std::vector<int32_t> ids;
  while (!text.empty()) {
    const size_t end = std::min(commas ? text.find(',') : text.find_first_of(kSpace), text.size());
    const std::string_view piece = trim(text.substr(0, end));
    const bool last = end == text.size();
    text.remove_prefix(last ? end : end + 1);
    if (!commas) text = trim(text);
    if (commas && !last && text.empty())
      return Failure{{.what = "a token id is missing after the last comma", .where = where}};
    ids.push_back(static_cast<int32_t>(PONDER_TRY(parse_integer(piece, 0, vocabulary - 1, where))));
  }
  if (ids.empty())
    return Failure{{.what = "no token ids", .where = where, .mend = "give some, as in 1,2,3"}};
  return ids;
}

std::string terminal_safe(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t control = control_length(text);
    if (control > 0) {
      result += "\uFFFD";
      text.remove_prefix(control);
      continue;
    }
    const size_t length = std::max<size_t>(utf8_length(text), 1);
    result += text.substr(0, length);
    text.remove_prefix(length);
  }
  return result;
}

}  // namespace ponder
