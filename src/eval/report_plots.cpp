// Accuracy against cost, and accuracy by level, as SVG that takes its colours from the page. Runs
// are numbered from 1, so that long names cover nothing and small screens show all; a legend names
// them.
#include <algorithm>
#include <cmath>
#include <set>

#include "eval/report.hpp"

namespace ponder {
namespace {

constexpr double kWidth = 720, kHeight = 400;
constexpr double kLeft = 80, kRight = 24, kTop = 16, kBottom = 62;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string line(const char* name, double x1, double y1, double x2, double y2) {
  return std::string("<line class=\"") + name + "\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) +
         "\" x2=\"" + number(x2) + "\" y2=\"" + number(y2) + "\"/>\n";
}

std::string label(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
         html_text(text) + "</text>\n";
}

std::string colour(size_t run) { return "c" + std::to_string(run % kColours); }

// Dollars on a logarithmic axis, accuracy on a linear one.
struct Axes {
  double least, most;  // exponents of ten

  double x(double dollars) const {
    const double place = (std::log10(dollars) - least) / (most - least);
    return kLeft + std::clamp(place, 0.0, 1.0) * (kWidth - kLeft - kRight);
  }
  static double y(double accuracy) { return kTop + (1.0 - accuracy) * (kHeight - kTop - kBottom); }
};

std::string grid(const Axes& axes) {
  std::string out;
  for (int tenth = 0; tenth <= 10; tenth += 2) {
    const double y = Axes::y(tenth / 10.0);
    out += line("grid", kLeft, y, kWidth - kRight, y);
    out += label(kLeft - 8, y + 4, "end", std::to_string(10 * tenth) + " %");
  }
  for (int exponent = static_cast<int>(axes.least); exponent <= static_cast<int>(axes.most);
       ++exponent) {
    const double dollars = std::pow(10.0, exponent);
    out += line("grid", axes.x(dollars), kTop, axes.x(dollars), kHeight - kBottom);
    char text[32];
    std::snprintf(text, sizeof text, "$%.*f", std::max(0, -exponent), dollars);
    const bool first = exponent == static_cast<int>(axes.least);
    const bool last = exponent == static_cast<int>(axes.most);
    out += label(axes.x(dollars), kHeight - kBottom + 20,
                 first  ? "start"
                 : last ? "end"
                        : "middle",
                 text);
  }
  return out + label(kWidth / 2, kHeight - 8, "middle", "dollars a task");
}

std::string legend(const std::vector<ReportedRun>& runs, const std::vector<size_t>& shown) {
  std::string out = "<ul class=\"legend\">\n";
  for (const size_t i : shown)
    out += "<li class=\"" + colour(i) + "\"><b>" + std::to_string(i + 1) + "</b> " +
           html_text(run_title(runs[i].score)) + "</li>\n";
  return out + "</ul>\n";
}

std::string open_svg(double height, const std::string& title) {
  return "<svg viewBox=\"0 0 " + number(kWidth) + " " + number(height) +
         "\" role=\"img\">\n<title>" + html_text(title) + "</title>\n";
}

}  // namespace

std::string pareto_plot(const std::vector<ReportedRun>& runs, const std::string& suite) {
  double least = 1e300, most = 0.0;
  std::vector<size_t> shown;
  for (size_t i = 0; i < runs.size(); ++i) {
    const auto& price = runs[i].score.money.dollars_per_task;
    if (runs[i].score.suite != suite || !runs[i].score.pass_1.estimate || !price ||
        price->value <= 0.0)
      continue;
    shown.push_back(i);
    least = std::min({least, price->value, std::max(price->problems.low, price->value / 100)});
    most = std::max({most, price->value, price->problems.high});
  }
  if (shown.empty()) return "";
  Axes axes{std::floor(std::log10(least)), std::ceil(std::log10(most))};
  if (axes.least == axes.most) axes.most += 1.0;
  std::string out = open_svg(kHeight, "Accuracy against cost") + grid(axes);
  std::string front;
  for (const size_t i : pareto_front(runs, suite)) {
    const RunScore& score = runs[i].score;
    if (score.money.dollars_per_task->value <= 0.0) continue;
    front += number(axes.x(score.money.dollars_per_task->value)) + "," +
             number(Axes::y(score.pass_1.estimate->value)) + " ";
  }
  out += "<polyline class=\"front\" points=\"" + front + "\"/>\n";
  for (const size_t i : shown) {
    const RunScore& score = runs[i].score;
    const Ratio& price = *score.money.dollars_per_task;
    const Estimate& merit = *score.pass_1.estimate;
    const double x = axes.x(price.value), y = Axes::y(merit.value);
    out += "<g class=\"" + colour(i) + "\">\n";
    out += line("bar", axes.x(std::max(price.problems.low, 1e-300)), y, axes.x(price.problems.high),
                y);
    out += line("bar", x, Axes::y(merit.problems.low), x, Axes::y(merit.problems.high));
    out += "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"5\"/>\n</g>\n";
    const bool right = x > kWidth * 0.7;
    out += label(x + (right ? -9 : 9), y - 8, right ? "end" : "start", std::to_string(i + 1));
  }
  return out + "</svg>\n" + legend(runs, shown);
}

std::string level_bars(const std::vector<ReportedRun>& runs, const std::string& suite) {
  std::set<int> levels;
  for (const ReportedRun& run : runs)
    for (const auto& [level, headline] : run.score.levels)
      if (run.score.suite == suite && headline.estimate) levels.insert(level);
  if (levels.empty()) return "";
  constexpr double kBar = 24, kGap = 14, kBase = 17;
  const double names = 48, from = names + 12, room = kWidth - from - 70;
  std::vector<size_t> shown;
  std::string body;
  double y = 8;
  for (const int level : levels) {
    body += label(4, y + kBase, "start", "level " + std::to_string(level));
    y += kBar + 2;
    for (size_t i = 0; i < runs.size(); ++i) {
      const auto found = runs[i].score.levels.find(level);
      if (runs[i].score.suite != suite || found == runs[i].score.levels.end() ||
          !found->second.estimate)
        continue;
      const Estimate& estimate = *found->second.estimate;
      if (std::find(shown.begin(), shown.end(), i) == shown.end()) shown.push_back(i);
      body += label(names, y + kBase, "end", std::to_string(i + 1));
      body += "<g class=\"" + colour(i) + "\"><rect x=\"" + number(from) + "\" y=\"" + number(y) +
              "\" width=\"" + number(std::max(1.0, room * estimate.value)) + "\" height=\"" +
              number(kBar - 2) + "\"/></g>\n";
      const double middle = y + kBar / 2 - 1;
      body += line("range", from + room * estimate.problems.low, middle,
                   from + room * estimate.problems.high, middle);
      body += label(from + room * std::max(estimate.value, estimate.problems.high) + 6, y + kBase,
                    "start", percent(estimate.value));
      y += kBar + 2;
    }
    y += kGap;
  }
  std::sort(shown.begin(), shown.end());
  return open_svg(y, "Accuracy by level") + body + "</svg>\n" + legend(runs, shown);
}

}  // namespace ponder
