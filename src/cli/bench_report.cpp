#include "cli/bench_report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "base/file.hpp"
#include "cli/format_text.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMaxBaselineBytes = 16 << 20;

[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return line;
}

// The part of the limit that was reached: least possible seconds over those it took.
double fraction(const Cost& cost, double seconds, const BenchMachine& machine) {
  return speed_limit(cost, machine.roofline).seconds() / seconds;
}

// A row of the profile, of all repeats together.
struct ProfileRow {
  std::string_view name;
  int64_t calls = 0;
  double seconds = 0, share = 0;
  Cost cost;
};

// The ops that took longest first; last what no op accounts for.
std::vector<ProfileRow> profile_rows(const BenchResult& result) {
  double wall = 0, inside = 0;
  for (const double seconds : result.speed.seconds) wall += seconds;
  std::vector<ProfileRow> rows;
  for (const Profile::Op& op : result.speed.profile.ops()) {
    rows.push_back({op.name, op.calls, op.seconds, op.seconds / wall, op.cost});
    inside += op.seconds;
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  const double rest = std::max(wall - inside, 0.0);
  rows.push_back({"other", 0, rest, rest / wall, {}});
  return rows;
}

OutputJson rounded(double value) { return std::round(value * 1e4) / 1e4; }

OutputJson result_json(const BenchMachine& machine, const BenchResult& result,
                       const BenchBaseline* baseline) {
  const SpeedLimit limit = speed_limit(result.speed.cost, machine.roofline);
  OutputJson object = {
      {"test", result.test.name()},
      {"batch", result.test.batch},
      {"depth", result.test.depth},
      {"tokens_per_second", result.median()},
      {"min", result.least()},
      {"max", result.most()},
      {"roofline_fraction", rounded(limit.seconds() / result.speed.median)},
      {"limit", limit.memory_seconds > limit.multiply_seconds ? "memory" : "multiplication"}};
  const double before = baseline == nullptr ? 0 : baseline->rate(result.test);
  if (baseline != nullptr)
    object["ratio"] = before > 0 ? OutputJson(rounded(result.median() / before)) : OutputJson();
  return object;
}

OutputJson profile_json(const BenchMachine& machine, const std::vector<BenchResult>& results) {
  OutputJson list = OutputJson::array();
  for (const BenchResult& result : results) {
    for (const ProfileRow& row : profile_rows(result)) {
      list.push_back({{"test", result.test.name()},
                      {"batch", result.test.batch},
                      {"depth", result.test.depth},
                      {"op", row.name},
                      {"calls", row.calls},
                      {"seconds", row.seconds},
                      {"share", rounded(row.share)},
                      {"bytes", row.cost.bytes()},
                      {"multiply_adds", row.cost.products()},
                      {"limit_fraction",
                       rounded(row.seconds > 0 ? fraction(row.cost, row.seconds, machine) : 0.0)}});
    }
  }
  return list;
}

}  // namespace

Result<BenchBaseline> BenchBaseline::open(const std::string& path) {
  const std::string text = PONDER_TRY(read_file(path, kMaxBaselineBytes));
  const Json json = PONDER_TRY(parse_json(text, path));
  const auto failure = [&](std::string what) {
    return Failure{{.what = std::move(what),
                    .where = path,
                    .mend = "give a file that `ponder bench --json` wrote"}};
  };
  const Json* results = find_field(json, "results");
  if (results == nullptr || !results->is_array() || results->empty())
    return failure("is no result of ponder bench: it has no list 'results'");
  BenchBaseline baseline;
  if (const Json* model = find_field(json, "model"))
    baseline.model_ = PONDER_TRY(text_field_or(*model, "file", path, ""));
  for (const Json& result : *results) {
    if (!result.is_object()) return failure("is no result of ponder bench: its results are none");
    Entry entry;
    entry.test = PONDER_TRY(text_field(result, "test", path));
    entry.batch = PONDER_TRY(integer_field(result, "batch", path));
    entry.depth = PONDER_TRY(integer_field(result, "depth", path));
    entry.rate = PONDER_TRY(number_field(result, "tokens_per_second", path));
    if (!(entry.rate > 0)) return failure("has a speed of " + std::to_string(entry.rate));
    baseline.entries_.push_back(std::move(entry));
  }
  return baseline;
}

double BenchBaseline::rate(const SpeedTest& test) const {
  for (const Entry& entry : entries_)
    if (entry.test == test.name() && entry.batch == test.batch && entry.depth == test.depth)
      return entry.rate;
  return 0;
}

std::string bench_head_text(const BenchMachine& machine, const BenchModel& model,
                            const BenchBaseline* baseline) {
  const Roofline& r = machine.roofline;
  std::string text =
      formatted("machine   %s, %s, %d %s\n", machine.cpu.c_str(), machine.isa.c_str(),
                machine.threads, machine.threads == 1 ? "thread" : "threads") +
      formatted("limits    %.1f GB/s read, %.0f G/s multiply-adds in 8 bits, %.0f G/s in f32\n",
                r.bytes_per_second / 1e9, r.int8_products_per_second / 1e9,
                r.float_products_per_second / 1e9) +
      "model     " + model.file + ", " + format_bytes(static_cast<double>(model.bytes)) + ", " +
      format_count(static_cast<double>(model.parameters)) + " parameters, loaded in " +
      format_duration(model.load_seconds) + "\n";
  if (baseline != nullptr)
    text += "compared  with " +
            (baseline->model().empty() ? std::string("an unnamed model") : baseline->model()) +
            "\n";
  text += formatted("\n%-10s%6s%8s%10s%10s%10s%10s  %-15s%s\n", "test", "batch", "depth",
                    "tokens/s", "min", "max", "of limit", "by", baseline ? "ratio" : "");
  return text;
}

std::string bench_row_text(const BenchMachine& machine, const BenchResult& result,
                           const BenchBaseline* baseline) {
  const SpeedLimit limit = speed_limit(result.speed.cost, machine.roofline);
  std::string ratio;
  if (baseline != nullptr) {
    const double before = baseline->rate(result.test);
    ratio = before > 0 ? formatted("%.3f", result.median() / before) : "-";
  }
  return formatted(
      "%-10s%6lld%8lld%10s%10s%10s%9.0f%%  %-15s%s\n", result.test.name().c_str(),
      static_cast<long long>(result.test.batch), static_cast<long long>(result.test.depth),
      format_rate(result.median()).c_str(), format_rate(result.least()).c_str(),
      format_rate(result.most()).c_str(), 100 * limit.seconds() / result.speed.median,
      limit.memory_seconds > limit.multiply_seconds ? "memory" : "multiplication", ratio.c_str());
}

std::string bench_profile_text(const BenchMachine& machine, const BenchResult& result) {
  std::string text = formatted("  %-16s%8s%12s%8s%10s%12s%10s\n", "op", "calls", "time", "share",
                               "bytes", "mult-adds", "of limit");
  for (const ProfileRow& row : profile_rows(result)) {
    const double part = row.seconds > 0 ? fraction(row.cost, row.seconds, machine) : 0;
    text += formatted("  %-16s%8lld%9.1f ms%7.1f%%%10s%12s%10s\n", std::string(row.name).c_str(),
                      static_cast<long long>(row.calls), 1e3 * row.seconds, 100 * row.share,
                      format_bytes(static_cast<double>(row.cost.bytes())).c_str(),
                      format_count(static_cast<double>(row.cost.products())).c_str(),
                      part > 0 ? formatted("%.0f%%", 100 * part).c_str() : "-");
  }
  return text + "\n";
}

OutputJson bench_json(const BenchMachine& machine, const BenchModel& model,
                      const std::vector<BenchResult>& results, const BenchBaseline* baseline,
                      bool with_profile) {
  const Roofline& r = machine.roofline;
  OutputJson object = {
      {"machine",
       {{"cpu", machine.cpu},
        {"isa", machine.isa},
        {"threads", machine.threads},
        {"read_bandwidth_gb_s", r.bytes_per_second / 1e9},
        {"multiply_rate_g_s", r.int8_products_per_second / 1e9},
        {"float_multiply_rate_g_s", r.float_products_per_second / 1e9}}},
      {"model", {{"file", model.file}, {"bytes", model.bytes}, {"params", model.parameters}}},
      {"load_seconds", model.load_seconds},
      {"peak_bytes", model.peak_bytes},
      {"results", OutputJson::array()}};
  for (const BenchResult& result : results)
    object["results"].push_back(result_json(machine, result, baseline));
  if (with_profile) object["profile"] = profile_json(machine, results);
  return object;
}

}  // namespace ponder
