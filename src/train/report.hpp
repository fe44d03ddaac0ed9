// The report of training runs: one HTML file with curves of every figure, runs beside each other,
// and transcripts over time. It needs nothing from outside.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "io/json.hpp"

namespace ponder {

// One figure of a run over its steps.
struct Curve {
  std::vector<double> steps, values;
};

struct ReportRun {
  std::string name;                     // of its folder
  std::string parent = {};              // of the folder around it
  std::vector<std::string> figures;     // in the order of metrics.jsonl
  std::map<std::string, Curve> curves;  // by figure
  std::vector<OrderedJson> samples;     // some of samples.jsonl, spread over the steps
  std::string settings;                 // recipe.toml
  int64_t steps = 0;
  double seconds = 0.0;
};

// Reads metrics.jsonl, samples.jsonl and recipe.toml of a run's folder. Errors: there is no
// metrics.jsonl, a line of it is broken.
Result<ReportRun> read_run(const std::filesystem::path& folder);

// What the report calls a run: its folder, with the one around it if another run has that name.
std::string run_label(std::span<const ReportRun> runs, const ReportRun& run);

// At most `count` points: means of neighbours, with the least and most of them.
struct Bucket {
  double step = 0.0, mean = 0.0, least = 0.0, most = 0.0;
};
std::vector<Bucket> buckets_of(const Curve& curve, size_t count);

// Round numbers that divide [least, most] into about `count` parts.
std::vector<double> ticks_between(double least, double most, int count);

// The curves of one figure as an <svg> element, a colour for each run; `runs` without that figure
// are left out.
std::string chart_svg(const std::string& figure, std::span<const ReportRun> runs);

std::string html_escaped(std::string_view text);
std::string report_html(std::span<const ReportRun> runs);

}  // namespace ponder
