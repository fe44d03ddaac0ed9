#include "cli/train_dashboard.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/format_text.hpp"
#include "cli/terminal.hpp"

namespace ponder {
namespace {

constexpr size_t kMostCurves = 4;
constexpr size_t kLongestCurve = 4096;

// Figures whose course is drawn, the first of them that a stage has.
constexpr std::string_view kDrawn[] = {"reward", "accuracy", "loss", "eval_loss",
                                       "length", "entropy",  "kl",   "gradient_norm"};

std::string number_text(double value) {
  char text[40];
  const double size = std::abs(value);
  const char* format = size != 0 && (size < 1e-3 || size >= 1e7)    ? "%.2e"
                       : size >= 1000 || std::floor(value) == value ? "%.0f"
                                                                    : "%.4g";
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

double figure(const Figures& figures, std::string_view name) {
  for (const auto& [key, value] : figures)
    if (key == name) return value;
  return 0.0;
}

std::string headline(const DashboardState& state) {
  const double share =
      state.steps > 0 ? static_cast<double>(state.done) / static_cast<double>(state.steps) : 0.0;
  const auto full = static_cast<size_t>(20 * share);
  std::string line = state.stage + " [" + std::string(full, '#') + std::string(20 - full, '.') +
                     "] step " + std::to_string(state.done) + " of " + std::to_string(state.steps);
  if (state.tokens_per_second > 0)
    line += "  " + format_rate(state.tokens_per_second) + " tokens/s";
  if (state.seconds_left > 0) line += "  " + format_duration(state.seconds_left) + " left";
  if (!state.doing.empty()) line += "  " + state.doing;
  return line;
}

// Cut to `width` characters, so that no line wraps; a character may be several bytes.
std::string cut(const std::string& line, size_t width) {
  size_t characters = 0, end = 0;
  for (; end < line.size(); ++end)
    if ((static_cast<unsigned char>(line[end]) & 0xC0) != 0x80 && characters++ == width) break;
  return line.substr(0, end);
}

}  // namespace

std::string sparkline(const std::vector<double>& values, size_t width) {
  static constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const size_t first = values.size() > width ? values.size() - width : 0;
  double least = INFINITY, most = -INFINITY;
  for (size_t i = first; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    least = std::min(least, values[i]);
    most = std::max(most, values[i]);
  }
  std::string line;
  for (size_t i = first; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      line += ' ';
      continue;
    }
    const double share = most > least ? (values[i] - least) / (most - least) : 0.5;
    line += kBars[static_cast<size_t>(std::min(7.0, std::floor(share * 8)))];
  }
  return line;
}

std::vector<std::string> dashboard_lines(const DashboardState& state, int width) {
  const auto columns = static_cast<size_t>(std::max(20, width - 1));
  std::vector<std::string> lines = {headline(state)};
  size_t cell = 0;
  for (const auto& [name, value] : state.figures)
    cell = std::max(cell, name.size() + number_text(value).size() + 3);
  const size_t per_line = cell == 0 ? 1 : std::max<size_t>(1, columns / cell);
  std::string line;
  for (size_t i = 0; i < state.figures.size(); ++i) {
    const auto& [name, value] = state.figures[i];
    line += padded(name + " " + number_text(value), cell);
    if ((i + 1) % per_line == 0 || i + 1 == state.figures.size())
      lines.push_back(std::exchange(line, ""));
  }
  size_t name_width = 0;
  for (const auto& curve : state.curves) name_width = std::max(name_width, curve.first.size());
  for (const auto& [name, values] : state.curves)
    lines.push_back(padded(name, name_width) + " " +
                    sparkline(values, columns - std::min(columns, name_width + 1)));
  for (std::string& text : lines) text = cut(terminal_safe(text), columns);
  return lines;
}

Dashboard::Dashboard(std::string stage)
    : terminal_(is_terminal(STDERR_FILENO)), started_(Clock::now()) {
  state_.stage = std::move(stage);
}

Dashboard::~Dashboard() {
  if (drawn_ > 0) print_error("\n");
}

void Dashboard::memory(const MemoryTable& table) { note("memory\n" + table.text()); }

void Dashboard::started(int64_t first_step, int64_t steps) {
  first_step_ = state_.done = first_step;
  state_.steps = steps;
  started_ = Clock::now();
  if (first_step > 0) note("resumed after step " + std::to_string(first_step));
  draw(true);
}

void Dashboard::progress(std::string_view what, int64_t done, int64_t total) {
  state_.doing = std::string(what) + " " + std::to_string(done);
  if (total > 0) state_.doing += "/" + std::to_string(total);
  draw(false);
}

void Dashboard::stepped(int64_t done, const Figures& figures) {
  state_.done = done;
  state_.figures = figures;
  state_.doing.clear();
  tokens_ += figure(figures, "tokens");
  const std::chrono::duration<double> passed = Clock::now() - started_;
  const auto here = static_cast<double>(done - first_step_);
  state_.tokens_per_second = tokens_ / std::max(1e-9, passed.count());
  state_.seconds_left = passed.count() / here * static_cast<double>(state_.steps - done);
  for (const std::string_view name : kDrawn)
    for (const auto& [key, value] : figures) {
      if (key != name) continue;
      auto curve = std::find_if(state_.curves.begin(), state_.curves.end(),
                                [&](const auto& c) { return c.first == key; });
      if (curve == state_.curves.end()) {
        if (state_.curves.size() >= kMostCurves) continue;
        curve = state_.curves.insert(curve, {key, {}});
      }
      curve->second.push_back(value);
      if (curve->second.size() > kLongestCurve) curve->second.erase(curve->second.begin());
    }
  terminal_ ? draw(done == state_.steps) : print_step();
}

void Dashboard::note(std::string_view line) {
  clear();
  print_error(terminal_safe(line) + (line.ends_with('\n') ? "" : "\n"));
}

void Dashboard::clear() {
  if (drawn_ > 1) print_error("\033[" + std::to_string(drawn_ - 1) + "A");
  if (drawn_ > 0) print_error("\r\033[J");
  drawn_ = 0;
}

void Dashboard::draw(bool at_once) {
  const auto now = Clock::now();
  if (!terminal_ || (!at_once && now - redrawn_ < std::chrono::milliseconds(100))) return;
  redrawn_ = now;
  const auto lines = dashboard_lines(state_, terminal_width(STDERR_FILENO));
  std::string text;
  if (drawn_ > 1) text = "\033[" + std::to_string(drawn_ - 1) + "A";
  if (drawn_ > 0) text += "\r";
  for (size_t i = 0; i < lines.size(); ++i) text += (i > 0 ? "\n" : "") + lines[i] + "\033[K";
  print_error(text + "\033[J");
  drawn_ = lines.size();
}

// In a log: the first step, then one every few seconds, and the last.
void Dashboard::print_step() {
  const auto now = Clock::now();
  const bool edge = state_.done == first_step_ + 1 || state_.done == state_.steps;
  if (!edge && now - printed_ < std::chrono::seconds(5)) return;
  printed_ = now;
  std::string line = "step " + std::to_string(state_.done) + "/" + std::to_string(state_.steps);
  for (const auto& [name, value] : state_.figures) line += "  " + name + " " + number_text(value);
  line += "  " + format_rate(state_.tokens_per_second) + " tokens/s";
  if (state_.done < state_.steps) line += "  " + format_duration(state_.seconds_left) + " left";
  print_error(terminal_safe(line) + "\n");
}

}  // namespace ponder
