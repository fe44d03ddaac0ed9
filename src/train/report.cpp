#include "train/report.hpp"

#include <algorithm>
#include <cmath>

#include "base/file.hpp"
#include "io/printable.hpp"
#include "train/report_page.hpp"
#include "train/step_log.hpp"

namespace ponder {
namespace {

constexpr size_t kMostFigures = 200;
constexpr size_t kMostSamples = 24;
constexpr size_t kLongestText = 20'000;  // of a sample's field, in bytes

std::string amount(double value) {
  char text[40];
  const double size = std::abs(value);
  const char* format = size != 0 && (size < 1e-3 || size >= 1e7) ? "%.2e" : "%.4g";
  std::snprintf(text, sizeof text, format, value);
  return text;
}

void add_line(ReportRun& run, const OrderedJson& line) {
  const auto step = integer_field(line, "step", "");
  if (!step.ok()) return;
  run.steps = std::max(run.steps, step.value());
  for (const auto& [name, value] : line.items()) {
    if (!value.is_number() || name == "step" || name == "time") continue;
    const double number = value.get<double>();
    if (name == "seconds") run.seconds += number;
    auto found = run.curves.find(name);
    if (found == run.curves.end()) {
      if (run.figures.size() >= kMostFigures) continue;
      run.figures.push_back(name);
      found = run.curves.emplace(name, Curve()).first;
    }
    found->second.steps.push_back(static_cast<double>(step.value()));
    found->second.values.push_back(number);
  }
}

std::string sample_html(const OrderedJson& sample) {
  std::string html = "<details class=sample><summary>step ";
  html += html_escaped(sample.contains("step") ? sample["step"].dump() : "?");
  for (const auto& [name, value] : sample.items())
    if (name != "step" && (value.is_number() || value.is_boolean()))
      html += " · " + html_escaped(name) + " " + html_escaped(value.dump());
  html += "</summary>";
  for (const auto& [name, value] : sample.items()) {
    if (value.is_number() || value.is_boolean() || value.is_null()) continue;
    std::string text = value.is_string()
                           ? value.get<std::string>()
                           : value.dump(1, ' ', false, OrderedJson::error_handler_t::replace);
    if (text.size() > kLongestText) text = text.substr(0, kLongestText) + " …";
    html += "<h4>" + html_escaped(name) + "</h4><pre>" + html_escaped(text) + "</pre>";
  }
  return html + "</details>";
}

// Whether some run has it at more than one step; if not, the table says all there is.
bool is_a_curve(std::span<const ReportRun> runs, const std::string& figure) {
  return std::any_of(runs.begin(), runs.end(), [&](const ReportRun& run) {
    const auto curve = run.curves.find(figure);
    return curve != run.curves.end() && curve->second.values.size() > 1;
  });
}

// A row for each run, a column for each figure's last value.
std::string summary_table(std::span<const ReportRun> runs,
                          const std::vector<std::string>& figures) {
  std::string html = "<div class=scroll><table><tr><th>run<th>steps<th>hours";
  for (const std::string& figure : figures) html += "<th>" + html_escaped(figure);
  for (size_t i = 0; i < runs.size(); ++i) {
    const ReportRun& run = runs[i];
    html += "<tr><td><i class=key style=\"background:" + std::string(run_colour(i)) + "\"></i>" +
            html_escaped(run_label(runs, run)) + "<td>" + std::to_string(run.steps) + "<td>" +
            amount(run.seconds / 3600);
    for (const std::string& figure : figures) {
      const auto curve = run.curves.find(figure);
      html += "<td>" + (curve == run.curves.end() ? "" : amount(curve->second.values.back()));
    }
  }
  return html + "</table></div>";
}

}  // namespace

Result<ReportRun> read_run(const std::filesystem::path& folder) {
  ReportRun run;
  const auto plain = folder.filename().empty() ? folder.parent_path() : folder;
  run.name = plain.filename().string();
  std::error_code ignored;
  run.parent = std::filesystem::absolute(plain, ignored).parent_path().filename().string();
  if (!std::filesystem::is_regular_file(folder / "metrics.jsonl", ignored))
    return Failure{{.what = "holds no metrics.jsonl",
                    .where = folder.string(),
                    .mend = "name the folder that was given to --out"}};
  PONDER_TRY(read_step_log(folder / "metrics.jsonl", [&](const OrderedJson& line) {
    add_line(run, line);
    return true;
  }));
  if (std::filesystem::is_regular_file(folder / "samples.jsonl", ignored)) {
    std::vector<OrderedJson> all;
    PONDER_TRY(read_step_log(folder / "samples.jsonl", [&](const OrderedJson& line) {
      // Halved whenever it is full, so that what stays is spread over all of them.
      if (all.size() >= 4096) {
        for (size_t i = 0; i < all.size() / 2; ++i) all[i] = std::move(all[2 * i]);
        all.resize(all.size() / 2);
      }
      all.push_back(line);
      return true;
    }));
    const size_t count = std::min(kMostSamples, all.size());
    for (size_t i = 0; i < count; ++i)
      run.samples.push_back(all[count == 1 ? 0 : i * (all.size() - 1) / (count - 1)]);
  }
  if (auto settings = read_file(folder / "recipe.toml", 1 << 20); settings.ok())
    run.settings = std::move(settings).take_value();
  return run;
}

std::string run_label(std::span<const ReportRun> runs, const ReportRun& run) {
  const auto same = std::count_if(runs.begin(), runs.end(),
                                  [&](const ReportRun& r) { return r.name == run.name; });
  return same > 1 ? run.parent + "/" + run.name : run.name;
}

std::vector<Bucket> buckets_of(const Curve& curve, size_t count) {
  std::vector<Bucket> buckets;
  std::vector<size_t> finite;
  for (size_t i = 0; i < curve.values.size(); ++i)
    if (std::isfinite(curve.values[i])) finite.push_back(i);
  const size_t parts = std::min(count, finite.size());
  for (size_t part = 0; part < parts; ++part) {
    const size_t begin = part * finite.size() / parts, end = (part + 1) * finite.size() / parts;
    Bucket bucket{.least = INFINITY, .most = -INFINITY};
    for (size_t i = begin; i < end; ++i) {
      const double value = curve.values[finite[i]];
      bucket.step += curve.steps[finite[i]];
      bucket.mean += value;
      bucket.least = std::min(bucket.least, value);
      bucket.most = std::max(bucket.most, value);
    }
    bucket.step /= static_cast<double>(end - begin);
    bucket.mean /= static_cast<double>(end - begin);
    buckets.push_back(bucket);
  }
  return buckets;
}

std::vector<double> ticks_between(double least, double most, int count) {
  std::vector<double> ticks;
  if (!(most > least)) return {least};
  const double rough = (most - least) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double nice : {1.0, 2.0, 5.0})
    if (nice * power >= rough) {
      step = nice * power;
      break;
    }
  for (double tick = std::ceil(least / step) * step; tick <= most + step * 1e-9; tick += step)
    ticks.push_back(std::abs(tick) < step * 1e-9 ? 0.0 : tick);
  return ticks;
}

std::string report_html(std::span<const ReportRun> runs) {
  std::vector<std::string> figures;
  for (const ReportRun& run : runs)
    for (const std::string& figure : run.figures)
      if (std::find(figures.begin(), figures.end(), figure) == figures.end())
        figures.push_back(figure);
  std::string html = std::string(report_head()) + "<h1>Training</h1>" +
                     summary_table(runs, figures) + "<div class=charts>";
  for (const std::string& figure : figures)
    if (is_a_curve(runs, figure))
      html += "<figure><figcaption>" + html_escaped(figure) + "</figcaption>" +
              chart_svg(figure, runs) + "</figure>";
  html += "</div>";
  for (const ReportRun& run : runs) {
    if (!run.samples.empty())
      html += "<h2>Transcripts of " + html_escaped(run_label(runs, run)) + "</h2>";
    for (const OrderedJson& sample : run.samples) html += sample_html(sample);
  }
  for (const ReportRun& run : runs)
    if (!run.settings.empty())
      html += "<details><summary>Settings of " + html_escaped(run_label(runs, run)) +
              "</summary><pre>" + html_escaped(run.settings) + "</pre></details>";
  return html + std::string(report_script()) + "</html>\n";
}

}  // namespace ponder
