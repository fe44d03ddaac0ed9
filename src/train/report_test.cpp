#include "train/report.hpp"

#include <gmock/gmock.h>

#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Report, TicksAreRound) {
  EXPECT_THAT(ticks_between(0, 1, 4), ElementsAre(0, 0.5, 1));
  EXPECT_THAT(ticks_between(-3, 103, 4), ElementsAre(0, 50, 100));
  EXPECT_THAT(ticks_between(1, 1, 4), ElementsAre(1));
}

// A learning rate's axis: all ticks would be 3e-04 with one digit.
TEST(Report, LabelsOfAnAxisDiffer) {
  testing::TempFolder folder;
  folder.write("run/metrics.jsonl",
               "{\"step\":1,\"rate\":0.00025}\n{\"step\":2,\"rate\":0.00034}\n");
  const std::vector<ReportRun> runs = {read_run(folder.path() / "run").take_value()};
  const std::string svg = chart_svg("rate", runs);
  EXPECT_THAT(svg, HasSubstr(">3.0e-04<"));
  EXPECT_THAT(svg, HasSubstr(">2.5e-04<"));
  EXPECT_THAT(svg, Not(HasSubstr(">3e-04<")));
}

TEST(Report, BucketsAreMeansOfNeighbours) {
  const Curve curve{.steps = {1, 2, 3, 4, 5}, .values = {1, 3, NAN, 5, 9}};
  const auto two = buckets_of(curve, 2);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].mean, 2.0);
  EXPECT_EQ(two[0].step, 1.5);
  EXPECT_EQ(two[1].least, 5.0);
  EXPECT_EQ(two[1].most, 9.0);
  EXPECT_EQ(buckets_of(curve, 100).size(), 4u);
}

TEST(Report, RunsOfOneNameAreToldApartAndSingleFiguresStayInTheTable) {
  testing::TempFolder folder;
  std::vector<ReportRun> runs;
  for (const std::string run : {"first/zero", "second/zero", "second/last"}) {
    folder.write(run + "/metrics.jsonl",
                 "{\"step\":1,\"loss\":2,\"start\":3}\n{\"step\":2,\"loss\":1}\n");
    runs.push_back(read_run(folder.path() / run).take_value());
  }
  const std::string html = report_html(runs);
  for (const char* label : {"</i>first/zero<", "</i>second/zero<", "</i>last<"})
    EXPECT_THAT(html, HasSubstr(label));
  EXPECT_THAT(html, Not(HasSubstr("second/last")));
  EXPECT_THAT(html, HasSubstr("<figcaption>loss</figcaption>"));
  EXPECT_THAT(html, HasSubstr("<th>start"));
  EXPECT_THAT(html, Not(HasSubstr("<figcaption>start</figcaption>")));
}

TEST(Report, HasCurvesAndTranscriptsOfEveryRunAndRunsNoForeignMarkup) {
  testing::TempFolder folder;
  const std::string bad = "<script>alert(1)</script>";
  for (const std::string run : {"one", "two"}) {
    std::string metrics;
    for (int step = 1; step <= 9; ++step)
      metrics += OrderedJson({{"step", step}, {"loss", 1.0 / step}, {bad, 1}}).dump() + "\n";
    folder.write(run + "/metrics.jsonl", metrics);
    folder.write(run + "/samples.jsonl",
                 OrderedJson({{"step", 1}, {"prompt", bad}, {"answer", "a & b"}}).dump() + "\n");
    folder.write(run + "/recipe.toml", "a = \"" + bad + "\"\n");
  }
  std::vector<ReportRun> runs;
  for (const char* name : {"one", "two/"})
    runs.push_back(read_run(folder.path() / name).take_value());
  EXPECT_EQ(runs[1].name, "two");
  EXPECT_EQ(runs[0].steps, 9);
  const std::string html = report_html(runs);
  EXPECT_THAT(html, Not(HasSubstr(bad)));
  EXPECT_THAT(html, HasSubstr("a &amp; b"));
  EXPECT_THAT(html, HasSubstr("<figcaption>loss</figcaption>"));
  EXPECT_THAT(html, HasSubstr("Transcripts of two"));
  const std::string svg = chart_svg("loss", runs);
  EXPECT_THAT(svg, HasSubstr("#0072b2"));
  EXPECT_THAT(svg, HasSubstr("#d55e00"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_FALSE(read_run(folder.path()).ok());
}

}  // namespace
}  // namespace ponder
