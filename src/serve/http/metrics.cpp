#include "serve/http/metrics.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/macros.hpp"

namespace ponder {
namespace {

// The shortest text that reads back as `value`; whole numbers without an exponent.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[400];
  const bool whole = value == std::floor(value) && std::fabs(value) < 1e15;
  const auto end = whole ? std::to_chars(text, text + sizeof text, value, std::chars_format::fixed)
                         : std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || (quotes && c == '"')) out += '\\';
      out += c;
    }
  }
  return out;
}

// {a="b",c="d"}, or nothing.
std::string label_text(const MetricLabels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    out += (out.empty() ? "{" : ",") + name + "=\"" + escaped(value, true) + "\"";
  }
  return out.empty() ? out : out + "}";
}

MetricLabels with(MetricLabels labels, std::string name, std::string value) {
  labels.emplace_back(std::move(name), std::move(value));
  return labels;
}

bool good_name(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {
  PONDER_CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<double> latency_bounds() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120};
}

// One of the objects, or a function.
struct Metrics::Series {
  MetricLabels labels;
  Counter counter;
  Gauge gauge;
  std::unique_ptr<Histogram> histogram;
  std::function<double()> read;

  void append(std::string& out, const std::string& name, Kind kind) const;
  void append_histogram(std::string& out, const std::string& name) const;
};

struct Metrics::Family {
  std::string help;
  Kind kind;
  std::map<MetricLabels, std::unique_ptr<Series>> series;
};

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

void Metrics::Series::append(std::string& out, const std::string& name, Kind kind) const {
  if (kind == Kind::kHistogram) return append_histogram(out, name);
  const double value = read ? read() : kind == Kind::kCounter ? counter.value() : gauge.value();
  out += name + label_text(labels) + " " + number(value) + "\n";
}

void Metrics::Series::append_histogram(std::string& out, const std::string& name) const {
  uint64_t below = 0;
  const auto& bounds = histogram->bounds();
  for (size_t bucket = 0; bucket <= bounds.size(); ++bucket) {
    below += histogram->count(bucket);
    const std::string bound = bucket < bounds.size() ? number(bounds[bucket]) : "+Inf";
    out += name + "_bucket" + label_text(with(labels, "le", bound)) + " " + std::to_string(below) +
           "\n";
  }
  out += name + "_sum" + label_text(labels) + " " + number(histogram->sum()) + "\n";
  out += name + "_count" + label_text(labels) + " " + std::to_string(below) + "\n";
}

Metrics::Series& Metrics::series(const std::string& name, const std::string& help, Kind kind,
                                 const MetricLabels& labels) {
  auto& family = families_[name];
  if (!family) {
    PONDER_CHECK(good_name(name));
    family = std::make_unique<Family>(Family{help, kind, {}});
  }
  PONDER_CHECK(family->kind == kind);
  MetricLabels key = labels;
  if (family->series.size() >= kMostSeries && !family->series.contains(key)) {
    for (auto& label : key) label.second = "other";
  }
  auto& entry = family->series[key];
  if (!entry) {
    for (const auto& label : key) PONDER_CHECK(good_name(label.first));
    entry = std::make_unique<Series>();
    entry->labels = std::move(key);
  }
  return *entry;
}

Counter& Metrics::counter(const std::string& name, const std::string& help,
                          const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  return series(name, help, Kind::kCounter, labels).counter;
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help,
                      const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  return series(name, help, Kind::kGauge, labels).gauge;
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                              std::vector<double> bounds, const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  auto& entry = series(name, help, Kind::kHistogram, labels);
  if (!entry.histogram) entry.histogram = std::make_unique<Histogram>(std::move(bounds));
  return *entry.histogram;
}

void Metrics::gauge_from(const std::string& name, const std::string& help,
                         std::function<double()> read, const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  series(name, help, Kind::kGauge, labels).read = std::move(read);
}

void Metrics::counter_from(const std::string& name, const std::string& help,
                           std::function<double()> read, const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  series(name, help, Kind::kCounter, labels).read = std::move(read);
}

std::string Metrics::text() const {
  static constexpr const char* kKinds[] = {"counter", "gauge", "histogram"};
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += "# HELP " + name + " " + escaped(family->help, false) + "\n";
    out += "# TYPE " + name + " " + kKinds[static_cast<int>(family->kind)] + "\n";
    for (const auto& [labels, entry] : family->series) entry->append(out, name, family->kind);
  }
  return out;
}

}  // namespace ponder
