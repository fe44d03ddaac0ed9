// One chart of a report, drawn as SVG.
#include <algorithm>
#include <cmath>
#include <set>

#include "train/report.hpp"
#include "train/report_page.hpp"

namespace ponder {
namespace {

constexpr double kLeft = 52, kRight = 410, kTop = 8, kBottom = 205;
constexpr size_t kPoints = 300;

std::string text_of(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// One label for each tick, with as few digits as tell them apart.
std::vector<std::string> labels(std::span<const double> ticks) {
  std::vector<std::string> texts;
  for (int digits = 0; digits <= 9; ++digits) {
    texts.clear();
    for (const double tick : ticks) {
      char text[40];
      const double size = std::abs(tick);
      const bool extreme = size != 0 && (size < 1e-3 || size >= 1e6);
      std::snprintf(text, sizeof text, extreme ? "%.*e" : "%.*g", extreme ? digits : 6 + digits,
                    tick);
      texts.emplace_back(text);
    }
    if (std::set<std::string>(texts.begin(), texts.end()).size() == texts.size()) break;
  }
  return texts;
}

// What the axes cover, and where a point lies in the picture.
struct Frame {
  double first = INFINITY, last = -INFINITY, least = INFINITY, most = -INFINITY;

  void include(const Bucket& bucket) {
    first = std::min(first, bucket.step);
    last = std::max(last, bucket.step);
    least = std::min(least, bucket.least);
    most = std::max(most, bucket.most);
  }
  void widen() {
    if (!(last > first)) last = first + 1;
    if (!(most > least)) {
      const double room = least == 0 ? 1 : std::abs(least) * 0.1;
      least -= room;
      most += room;
    }
  }
  double x(double step) const { return kLeft + (step - first) / (last - first) * (kRight - kLeft); }
  double y(double value) const {
    return kBottom - (value - least) / (most - least) * (kBottom - kTop);
  }
};

std::string axes(const Frame& frame) {
  std::string svg;
  const auto values = ticks_between(frame.least, frame.most, 4);
  const auto value_labels = labels(values);
  for (size_t i = 0; i < values.size(); ++i) {
    const double y = frame.y(values[i]);
    const std::string line = text_of(y);
    svg += "<line class=grid x1=52 x2=410 y1=" + line + " y2=" + line + " />";
    svg += "<text x=46 y=" + text_of(y + 4) + " text-anchor=end>" + value_labels[i] + "</text>";
  }
  const auto steps = ticks_between(frame.first, frame.last, 4);
  const auto step_labels = labels(steps);
  for (size_t i = 0; i < steps.size(); ++i)
    svg += "<text x=" + text_of(frame.x(steps[i])) + " y=222 text-anchor=middle>" + step_labels[i] +
           "</text>";
  return svg;
}

// The band between least and most, and the line of means.
std::string curve_svg(const Frame& frame, const std::vector<Bucket>& buckets,
                      std::string_view colour) {
  std::string line, upper, lower;
  for (size_t i = 0; i < buckets.size(); ++i) {
    const std::string x = text_of(frame.x(buckets[i].step));
    const auto point = [&](double value) { return x + " " + text_of(frame.y(value)); };
    line += (i == 0 ? "M" : "L") + point(buckets[i].mean);
    upper += (i == 0 ? "M" : "L") + point(buckets[i].most);
    lower = "L" + point(buckets[i].least) + lower;
  }
  std::string svg =
      "<path d=\"" + upper + lower + "Z\" fill=\"" + std::string(colour) + "\" opacity=.15 />";
  svg += "<path d=\"" + line + "\" fill=none stroke-width=1.8 stroke=\"" + std::string(colour) +
         "\" />";
  if (buckets.size() == 1)
    svg += "<circle r=3 cx=" + text_of(frame.x(buckets[0].step)) +
           " cy=" + text_of(frame.y(buckets[0].mean)) + " fill=\"" + std::string(colour) + "\" />";
  return svg;
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    if (c == '&') {
      html += "&amp;";
    } else if (c == '<') {
      html += "&lt;";
    } else if (c == '>') {
      html += "&gt;";
    } else if (c == '"') {
      html += "&quot;";
    } else if (c == '\'') {
      html += "&#39;";
    } else {
      html += c;
    }
  }
  return html;
}

std::string chart_svg(const std::string& figure, std::span<const ReportRun> runs) {
  std::vector<std::vector<Bucket>> of_run;
  Frame frame;
  for (const ReportRun& run : runs) {
    const auto curve = run.curves.find(figure);
    of_run.push_back(curve == run.curves.end() ? std::vector<Bucket>()
                                               : buckets_of(curve->second, kPoints));
    for (const Bucket& bucket : of_run.back()) frame.include(bucket);
  }
  if (!std::isfinite(frame.first)) return "<p>no finite value</p>";
  frame.widen();
  OrderedJson data = {{"left", kLeft},
                      {"right", kRight},
                      {"first", frame.first},
                      {"last", frame.last},
                      {"curves", OrderedJson::array()}};
  std::string curves;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (of_run[i].empty()) continue;
    curves += curve_svg(frame, of_run[i], run_colour(i));
    OrderedJson points = OrderedJson::array();
    for (const Bucket& bucket : of_run[i]) points.push_back({bucket.step, bucket.mean});
    data["curves"].push_back({{"name", run_label(runs, runs[i])}, {"points", points}});
  }
  const std::string text = data.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  return "<svg viewBox=\"0 0 420 230\" role=img aria-label=\"" + html_escaped(figure) +
         "\" data-curves=\"" + html_escaped(text) + "\">" + axes(frame) + curves +
         "<line class=cross y1=8 y2=205 x1=0 x2=0 style=\"display:none\" /></svg>";
}

}  // namespace ponder
