// The comparison of a program's output with what is expected.
#include <charconv>
#include <cmath>
#include <vector>

#include "judge/sandbox/sandbox.hpp"

namespace ponder {
namespace {

constexpr size_t kShown = 200;  // bytes of a line in an explanation

// The next line without its end, and without spaces there; takes it off `text`.
std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  const size_t last = line.find_last_not_of(" \t\r\f\v");
  return last == std::string_view::npos ? std::string_view() : line.substr(0, last + 1);
}

std::string_view without_empty_end(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n\f\v");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::string_view take_word(std::string_view& line) {
  const size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    line = {};
    return {};
  }
  const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line = line.substr(end);
  return word;
}

std::optional<double> number(std::string_view word) {
  if (word.starts_with('+')) word.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

bool close(std::string_view expected, std::string_view actual, double tolerance) {
  if (expected == actual) return true;
  const auto wanted = number(expected), got = number(actual);
  if (!wanted || !got) return false;
  return std::abs(*wanted - *got) <= tolerance * std::max(1.0, std::abs(*wanted));
}

bool lines_agree(std::string_view expected, std::string_view actual, double tolerance) {
  if (expected == actual) return true;
  if (tolerance <= 0) return false;
  while (!expected.empty() || !actual.empty()) {
    if (!close(take_word(expected), take_word(actual), tolerance)) return false;
  }
  return true;
}

std::string shown(std::string_view line) {
  std::string text = "\"" + std::string(line.substr(0, kShown));
  return text + (line.size() > kShown ? "…\"" : "\"");
}

}  // namespace

std::optional<std::string> output_difference(std::string_view expected, std::string_view actual,
                                             double tolerance) {
  expected = without_empty_end(expected);
  actual = without_empty_end(actual);
  for (int number = 1; !expected.empty() || !actual.empty(); ++number) {
    const std::string line = "line " + std::to_string(number) + ": ";
    if (actual.empty()) return line + "expected " + shown(take_line(expected)) + ", got no more";
    if (expected.empty()) return line + "expected no more, got " + shown(take_line(actual));
    const std::string_view wanted = take_line(expected), got = take_line(actual);
    if (!lines_agree(wanted, got, tolerance))
      return line + "expected " + shown(wanted) + ", got " + shown(got);
  }
  return std::nullopt;
}

}  // namespace ponder
