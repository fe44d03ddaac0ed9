// Prometheus' text format.
#include "serve/http/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace ponder {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, WritesTheTextFormat) {
  Metrics metrics;
  metrics.counter("b_total", "Things.\nMore \\ of them", {{"path", "a\"b\\c\nd"}}).add(3);
  metrics.gauge("a", "A gauge.").set(-0.5);
  metrics.gauge_from("c", "Read when asked.", [] { return 1e20; });
  EXPECT_EQ(metrics.text(),
            "# HELP a A gauge.\n# TYPE a gauge\na -0.5\n"
            "# HELP b_total Things.\\nMore \\\\ of them\n# TYPE b_total counter\n"
            "b_total{path=\"a\\\"b\\\\c\\nd\"} 3\n"
            "# HELP c Read when asked.\n# TYPE c gauge\nc 1e+20\n");
}

TEST(Metrics, HistogramsAreCumulative) {
  Metrics metrics;
  auto& histogram = metrics.histogram("h", "H.", {0.1, 1}, {{"x", "y"}});
  for (const double value : {0.05, 0.1, 0.5, 7.0}) histogram.observe(value);
  EXPECT_EQ(metrics.text(),
            "# HELP h H.\n# TYPE h histogram\n"
            "h_bucket{x=\"y\",le=\"0.1\"} 2\nh_bucket{x=\"y\",le=\"1\"} 3\n"
            "h_bucket{x=\"y\",le=\"+Inf\"} 4\nh_sum{x=\"y\"} 7.65\nh_count{x=\"y\"} 4\n");
}

TEST(Metrics, SameNameAndLabelsAreTheSame) {
  Metrics metrics;
  EXPECT_EQ(&metrics.counter("a", "A.", {{"x", "1"}}), &metrics.counter("a", "A.", {{"x", "1"}}));
  EXPECT_NE(&metrics.counter("a", "A.", {{"x", "1"}}), &metrics.counter("a", "A.", {{"x", "2"}}));
}

TEST(Metrics, LabelsOfStrangersAreBounded) {
  Metrics metrics;
  for (size_t i = 0; i < 3 * Metrics::kMostSeries; ++i) {
    metrics.counter("a", "A.", {{"x", std::to_string(i)}}).add();
  }
  EXPECT_THAT(metrics.text(), HasSubstr("a{x=\"other\"} 2000\n"));
}

TEST(Metrics, ManyThreadsLoseNothing) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        metrics.counter("a", "A.").add();
        metrics.histogram("h", "H.", {1}).observe(0.5);
        if (i % 100 == 0) {
          EXPECT_THAT(metrics.text(), HasSubstr("# TYPE"));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(metrics.text(), HasSubstr("a 4000\n"));
  EXPECT_THAT(metrics.text(), HasSubstr("h_sum 2000\nh_count 4000\n"));
}

}  // namespace
}  // namespace ponder
