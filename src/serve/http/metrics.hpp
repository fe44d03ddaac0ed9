// Figures of a running server, in Prometheus' text format 0.0.4. Counters and the like are made
// once, by name and labels, and then only touched: atomics, no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ponder {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Only goes up.
class Counter {
 public:
  void add(double amount = 1.0) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

// Goes up and down.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

// How many observations were at most each bound.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);  // ascending

  void observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  uint64_t count(size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;  // (bounds + 1), not cumulative; the last: above all
  std::atomic<double> sum_{0.0};
};

// Seconds from a millisecond to two minutes: of requests, queues, first tokens.
std::vector<double> latency_bounds();

// What is returned lives as long as the Metrics; the same name and labels give the same object.
// A name keeps its kind and help text. Names and label names are ours ([a-zA-Z_][a-zA-Z0-9_]*),
// label values may be anything. A name has at most kMostSeries sets of labels: those that come
// later share one whose values are all "other".
class Metrics {
 public:
  static constexpr size_t kMostSeries = 1000;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter& counter(const std::string& name, const std::string& help,
                   const MetricLabels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                       const MetricLabels& labels = {});
  // Values that are read when somebody asks, from that thread; `read` must not use this Metrics.
  void gauge_from(const std::string& name, const std::string& help, std::function<double()> read,
                  const MetricLabels& labels = {});
  void counter_from(const std::string& name, const std::string& help, std::function<double()> read,
                    const MetricLabels& labels = {});

  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";
  std::string text() const;  // families by name, series by labels

 private:
  enum class Kind { kCounter, kGauge, kHistogram };
  struct Series;
  struct Family;

  Series& series(const std::string& name, const std::string& help, Kind kind,
                 const MetricLabels& labels);

  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Family>> families_;
};

}  // namespace ponder
