// A run from questions to a report, with a model that says what the test tells it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <mutex>

#include "eval/contamination.hpp"
#include "eval/pricing.hpp"
#include "eval/report.hpp"
#include "eval/rescore.hpp"
#include "eval/runner.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Runs : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        std::filesystem::path(::testing::TempDir()) / (std::string("ponder-run-") + info->name());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Suite suite(int problems) {
    Suite suite{.name = "s",
                .format = "maths",
                .origin = "o",
                .sha256 = "h",
                .form = "{prompt}!",
                .warning = {},
                .problems = {}};
    for (int i = 0; i < problems; ++i)
      suite.problems.push_back({.id = "p" + std::to_string(i),
                                .task = "maths",
                                .prompt = std::to_string(i),
                                .answer = std::to_string(i),
                                .extra = Json::object(),
                                .level = i % 2});
    return suite;
  }

  std::unique_ptr<RunStore> create(const Suite& suite, int64_t samples) {
    auto store = RunStore::create(folder_).value();
    std::vector<StoredProblem> problems;
    for (const Problem& problem : suite.problems) problems.push_back({problem, nullptr});
    EXPECT_TRUE(store->set_problems(problems).ok());
    EXPECT_TRUE(store->set_note("suite", {{"name", suite.name}}).ok());
    EXPECT_TRUE(store->set_note("model", {{"name", "fake"}, {"kind", "endpoint"}}).ok());
    EXPECT_TRUE(store->set_note("protocol", {{"samples", samples}}).ok());
    return store;
  }

  std::filesystem::path folder_;
};

class FakeModel : public AnsweringModel {
 public:
  std::function<Asked(const Question&)> say = [](const Question& question) {
    Reply reply;
    reply.text = question.prompt;
    reply.usage = {.input = 10, .output = 20, .told = true};
    reply.seconds = 1.0;
    return Asked{.reply = reply};
  };
  Asked ask(const Question& question, const AskOptions&, const std::atomic<bool>&) override {
    {
      const std::lock_guard lock(mutex);
      asked.push_back(question);
    }
    return say(question);
  }
  OrderedJson describe() const override { return {{"name", "fake"}}; }
  int concurrency() const override { return 3; }
  bool local() const override { return false; }

  std::mutex mutex;
  std::vector<Question> asked;
};

// Passes where the answer is the question's number and a sign.
Judgement strict(const Problem& problem, std::string_view text) {
  const bool right = text == problem.answer + "!";
  return {right ? Verdict::kPass : Verdict::kWrong, std::string(text), right ? "" : "no"};
}

TEST_F(Runs, AskEachSampleOnceWithItsOwnSeed) {
  const Suite problems = suite(5);
  FakeModel model;
  auto store = create(problems, 3);
  const AskPlan plan{.suite = &problems, .model = &model, .store = store.get(), .samples = 3};
  const AskOutcome outcome = ask_all(plan).value();
  EXPECT_EQ(outcome.answered, 15);
  EXPECT_EQ(outcome.missing, 0);
  std::set<uint64_t> seeds;
  std::set<std::string> ids;
  for (const Question& question : model.asked) {
    seeds.insert(question.seed);
    ids.insert(question.id);
  }
  EXPECT_EQ(seeds.size(), 15u);
  EXPECT_EQ(ids.size(), 15u);
  EXPECT_EQ(ask_all(plan).value().answered, 0);
  EXPECT_EQ(model.asked.size(), 15u);
}

TEST_F(Runs, GoOnWhereTheyStopped) {
  const Suite problems = suite(8);
  FakeModel model;
  auto store = create(problems, 1);
  int polls = 0;
  AskPlan plan{.suite = &problems, .model = &model, .store = store.get()};
  plan.stop = [&] { return ++polls > 0 ? 1 : 0; };
  model.say = [&, usual = model.say](const Question& question) {
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    return usual(question);
  };
  const AskOutcome first = ask_all(plan).value();
  EXPECT_TRUE(first.stopped);
  EXPECT_LT(first.answered, 8);
  EXPECT_EQ(first.answered + first.missing, 8);
  EXPECT_TRUE(store->interrupted().value().empty());
  store.reset();
  store = RunStore::open(folder_).value();
  plan.store = store.get();
  plan.stop = {};
  EXPECT_EQ(ask_all(plan).value().answered, first.missing);
  EXPECT_EQ(model.asked.size(), 8u);
}

TEST_F(Runs, FailuresAreKeptApartAndAskedAgain) {
  const Suite problems = suite(3);
  FakeModel model;
  auto store = create(problems, 1);
  const auto usual = model.say;
  model.say = [&](const Question& question) {
    if (question.prompt == "1!")
      return Asked{.reply = {}, .error = {.what = "busy"}, .lost_tokens = 9};
    return usual(question);
  };
  const AskPlan plan{.suite = &problems, .model = &model, .store = store.get()};
  const AskOutcome outcome = ask_all(plan).value();
  EXPECT_EQ(outcome.missing, 1);
  EXPECT_EQ(outcome.failure.what, "busy");
  EXPECT_EQ(store->failures().value().size(), 1u);
  EXPECT_EQ(store->lost_tokens().value(), 9);
  RunScore score = score_run(*store, folder_, {}).value();
  EXPECT_FALSE(score.pass_1.estimate.has_value());
  EXPECT_THAT(score.pass_1.withheld, HasSubstr("1 answer is missing"));
  model.say = usual;
  EXPECT_EQ(ask_all(plan).value().missing, 0);
  EXPECT_TRUE(store->failures().value().empty());
  EXPECT_EQ(store->lost_tokens().value(), 9);
}

TEST_F(Runs, AFatalErrorEndsThem) {
  const Suite problems = suite(50);
  FakeModel model;
  auto store = create(problems, 1);
  model.say = [](const Question&) {
    return Asked{.reply = {}, .error = {.what = "wrong key"}, .fatal = true};
  };
  const AskOutcome outcome =
      ask_all({.suite = &problems, .model = &model, .store = store.get()}).value();
  EXPECT_EQ(outcome.missing, 50);
  EXPECT_LE(model.asked.size(), 6u);
}

TEST_F(Runs, TheBudgetHolds) {
  const Suite problems = suite(100);
  FakeModel model;
  auto store = create(problems, 1);
  const TokenPrice price{.input = 0.0, .output = 1000.0};  // a token a tenth of a cent
  const AskPlan plan{.suite = &problems,
                     .model = &model,
                     .store = store.get(),
                     .options = {.max_tokens = 50},
                     .price = &price,
                     .budget = 0.5};
  const AskOutcome outcome = ask_all(plan).value();
  EXPECT_TRUE(outcome.over_budget);
  EXPECT_GT(outcome.answered, 15);
  EXPECT_LE(store->dollars().value(), 0.5);
  AskPlan unpriced = plan;
  unpriced.price = nullptr;
  EXPECT_FALSE(ask_all(unpriced).ok());
}

TEST_F(Runs, AnswersAreJudgedOnceAndInfraAgain) {
  const Suite problems = suite(4);
  FakeModel model;
  auto store = create(problems, 2);
  ASSERT_TRUE(
      ask_all({.suite = &problems, .model = &model, .store = store.get(), .samples = 2}).ok());
  const auto stored = store->problems().value();
  std::atomic<int> calls{0};
  JudgePlan plan{.problems = &stored, .store = store.get(), .threads = 3};
  plan.judge = [&](const Problem& problem, std::string_view text) {
    ++calls;
    if (problem.id == "p2") return Judgement{Verdict::kInfra, "", "no sandbox"};
    return strict(problem, text);
  };
  ASSERT_TRUE(judge_all(plan).ok());
  EXPECT_EQ(calls, 8);
  RunScore score = score_run(*store, folder_, {}).value();
  EXPECT_EQ(score.infra, 2);
  EXPECT_FALSE(score.pass_1.estimate.has_value());  // infra is no 0
  EXPECT_FALSE(score.tokens_per_solved.has_value());
  plan.judge = strict;
  ASSERT_TRUE(judge_all(plan).ok());
  score = score_run(*store, folder_, {}).value();
  EXPECT_EQ(score.infra, 0);
  EXPECT_EQ(score.pass_1.estimate->value, 1.0);
  calls = 0;
  plan.judge = [&](const Problem&, std::string_view) { return ++calls, Judgement{}; };
  ASSERT_TRUE(judge_all(plan).ok());
  EXPECT_EQ(calls, 0);
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(Runs, AreJudgedAgainFromACopy) {
  const Suite problems = suite(4);
  FakeModel model;
  {
    auto store = create(problems, 2);
    ASSERT_TRUE(store->set_note("suite", suite_note(problems)).ok());
    ASSERT_TRUE(store->set_note("withheld", "no sandbox").ok());
    ASSERT_TRUE(
        ask_all({.suite = &problems, .model = &model, .store = store.get(), .samples = 2}).ok());
    auto stored = store->problems().value();
    stored[1].contamination = Json{{"words", 12}};
    ASSERT_TRUE(store->set_problems(stored).ok());
    ASSERT_TRUE(
        judge_all({.problems = &stored, .store = store.get(), .judge = strict, .threads = 2}).ok());
  }
  const std::string before = bytes_of(folder_ / "run.sqlite");
  Suite others = suite(6);  // more of them, in another order, with other answers
  others.name = "others";
  others.form = "Other words: {prompt}";
  std::reverse(others.problems.begin(), others.problems.end());
  for (Problem& problem : others.problems)
    if (problem.id == "p2") problem.answer = "7";
  auto store = prepare_rescore(folder_, folder_ / "again", &others).value();
  const auto matched = store->problems().value();
  ASSERT_EQ(matched.size(), 4u);
  EXPECT_EQ(matched[2].problem.id, "p2");
  EXPECT_EQ(matched[2].problem.answer, "7");
  EXPECT_EQ(matched[1].contamination["words"], 12);
  const OrderedJson note = store->note("suite").value();
  EXPECT_EQ(note["name"], "others");
  EXPECT_EQ(note["form"], "{prompt}!");  // as it was asked
  EXPECT_EQ(note["problems"], 4);
  EXPECT_EQ(store->note("rescored").value()["suite"]["name"], "s");
  EXPECT_TRUE(store->note("withheld").value().is_null());
  EXPECT_EQ(score_run(*store, folder_, {}).value().unjudged, 8);
  ASSERT_TRUE(
      judge_all({.problems = &matched, .store = store.get(), .judge = strict, .threads = 2}).ok());
  EXPECT_EQ(score_run(*store, folder_, {}).value().pass_1.estimate->value, 0.75);
  const auto changed = changed_verdicts(*RunStore::read(folder_).value(), *store).value();
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_EQ(changed[1].problem, "p2");
  EXPECT_EQ(changed[1].sample, 1);
  EXPECT_EQ(changed[1].before, Verdict::kPass);
  EXPECT_EQ(changed[1].now, Verdict::kWrong);
  EXPECT_EQ(bytes_of(folder_ / "run.sqlite"), before);
  EXPECT_EQ(model.asked.size(), 8u);
}

TEST_F(Runs, AreNotJudgedAgainByOtherProblems) {
  const Suite problems = suite(3);
  create(problems, 1);
  const auto refusal = [&](const Suite& others) {
    const auto store = prepare_rescore(folder_, folder_ / "again", &others);
    EXPECT_FALSE(RunStore::exists(folder_ / "again"));
    return store.ok() ? "" : store.error().message();
  };
  EXPECT_THAT(refusal(suite(2)), HasSubstr("p2: it is not there"));
  EXPECT_THAT(refusal(suite(1)), HasSubstr("and 1 more"));
  Suite others = suite(3);
  others.problems[1].prompt += " ";
  EXPECT_THAT(refusal(others), HasSubstr("p1: its prompt is another one"));
  others = suite(3);
  others.problems[1].task = "choice";
  EXPECT_THAT(refusal(others), HasSubstr("p1: it is judged as choice"));
  others = suite(3);
  others.problems[0].extra["entry_point"] = "f";
  EXPECT_THAT(refusal(others), HasSubstr("p0: its entry_point is another one"));
  EXPECT_TRUE(prepare_rescore(folder_, folder_ / "again", nullptr).ok());
  const auto twice = prepare_rescore(folder_, folder_ / "again", nullptr);
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().message(), HasSubstr("there is a run already"));
}

TEST_F(Runs, ScoresAndCosts) {
  const Suite problems = suite(4);  // p0 right, p1 half, others wrong
  auto store = create(problems, 2);
  for (int64_t problem = 0; problem < 4; ++problem)
    for (int64_t sample = 0; sample < 2; ++sample) {
      Reply reply;
      reply.text = "x";
      reply.usage = {.input = 100, .output = 50, .told = true};
      reply.end = problem == 3 ? AnswerEnd::kLength : AnswerEnd::kStop;
      ASSERT_TRUE(store->set_answer({problem, sample}, reply, 0.25).ok());
      const bool pass = problem == 0 || (problem == 1 && sample == 0);
      ASSERT_TRUE(
          store
              ->set_judgement({problem, sample}, {pass ? Verdict::kPass : Verdict::kWrong, "w", ""})
              .ok());
    }
  ASSERT_TRUE(store->set_session(store->new_session().value(), 40.0).ok());
  const RunScore score = score_run(*store, folder_, {}).value();
  EXPECT_NEAR(score.pass_1.estimate->value, 0.375, 1e-12);
  EXPECT_NEAR(score.pass_k.at(2).estimate->value, 0.5, 1e-12);
  EXPECT_NEAR(score.cons_k.at(2).estimate->value, (1 + 0.5) / 4, 1e-12);
  EXPECT_TRUE(score.pass_1.estimate->samples.has_value());
  EXPECT_EQ(score.truncated, 2);
  EXPECT_NEAR(*score.money.dollars, 2.0, 1e-12);
  EXPECT_NEAR(score.money.dollars_per_task->value, 0.25, 1e-12);
  EXPECT_NEAR(score.money.dollars_per_solved->value, 0.25 / 0.375, 1e-12);
  EXPECT_NEAR(score.tokens_per_solved->value, 50 / 0.375, 1e-12);
  EXPECT_EQ(score.levels.size(), 2u);
}

TEST_F(Runs, MachineTimeIsSharedOut) {
  const Suite problems = suite(2);
  auto store = create(problems, 1);
  ASSERT_TRUE(store->set_note("model", {{"name", "m"}, {"kind", "engine"}}).ok());
  for (int64_t problem = 0; problem < 2; ++problem) {
    Reply reply;
    reply.seconds = problem == 0 ? 10.0 : 30.0;  // together, in 20 seconds
    ASSERT_TRUE(store->set_answer({problem, 0}, reply, {}).ok());
    ASSERT_TRUE(store->set_judgement({problem, 0}, {Verdict::kPass, "", ""}).ok());
  }
  ASSERT_TRUE(store->set_session(store->new_session().value(), 20.0).ok());
  const RunScore score = score_run(*store, folder_, 3.6).value();
  EXPECT_NEAR(*score.problems[0].samples[0].dollars, 0.005, 1e-12);
  EXPECT_NEAR(*score.problems[1].samples[0].dollars, 0.015, 1e-12);
  EXPECT_NEAR(*score.money.dollars, 20.0 / 3600 * 3.6, 1e-12);
  EXPECT_FALSE(score_run(*store, folder_, {}).value().money.dollars.has_value());
}

TEST_F(Runs, ScoresAreWithheldWithoutATrustedSandbox) {
  const Suite problems = suite(1);
  FakeModel model;
  auto store = create(problems, 1);
  ASSERT_TRUE(ask_all({.suite = &problems, .model = &model, .store = store.get()}).ok());
  const auto stored = store->problems().value();
  ASSERT_TRUE(judge_all({.problems = &stored, .store = store.get(), .judge = strict}).ok());
  ASSERT_TRUE(store->set_note("withheld", "the sandbox fails its self-test").ok());
  const RunScore score = score_run(*store, folder_, {}).value();
  EXPECT_FALSE(score.pass_1.estimate.has_value());
  EXPECT_THAT(score.pass_1.withheld, HasSubstr("self-test"));
}

TEST_F(Runs, OneProcessAtATime) {
  auto store = create(suite(1), 1);
  EXPECT_FALSE(RunStore::open(folder_).ok());
  EXPECT_TRUE(RunStore::read(folder_).ok());
  store.reset();
  EXPECT_FALSE(RunStore::create(folder_).ok());
  EXPECT_TRUE(RunStore::open(folder_).ok());
}

TEST_F(Runs, DamagedFilesAreErrors) {
  EXPECT_FALSE(RunStore::read(folder_).ok());
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "run.sqlite") << std::string(5000, 'x');
  auto store = RunStore::read(folder_);
  EXPECT_FALSE(store.ok() && score_run(*store.value(), folder_, {}).ok());
}

std::vector<ReportedRun> hostile_run(RunStore& store, const std::filesystem::path& folder) {
  Reply reply;
  reply.text = "</pre><script>alert(1)</script><img src=x onerror=y>\x1b[31m \xff\xfe &amp;";
  reply.reasoning = "<style>*{display:none}</style>";
  reply.doubts = "<b>odd</b>";
  EXPECT_TRUE(store.set_answer({0, 0}, reply, 0.5).ok());
  EXPECT_TRUE(store.set_judgement({0, 0}, {Verdict::kPass, "<i>", "<u>"}).ok());
  EXPECT_TRUE(store.set_note("model", {{"name", "<script>m</script>|x"}}).ok());
  std::vector<ReportedRun> runs;
  runs.push_back({score_run(store, folder, {}).value(), &store});
  return runs;
}

TEST_F(Runs, ReportsShowTextAsText) {
  Suite problems = suite(1);
  problems.problems[0].id = "<h1>id</h1>";
  problems.problems[0].prompt = "<iframe>";
  auto store = create(problems, 1);
  const auto runs = hostile_run(*store, folder_);
  const std::string html = report_html(runs).value();
  for (const char* bad :
       {"<script", "<img", "<style>*", "<b>odd", "<i>", "<u>", "<iframe", "<h1>id", "\x1b", "\xff"})
    EXPECT_THAT(html, Not(HasSubstr(bad))) << bad;
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(html, HasSubstr("&amp;amp;"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  const std::string markdown = report_markdown(runs);
  EXPECT_THAT(markdown, HasSubstr("\\<script>m\\</script>\\|x"));
  const OrderedJson json = report_json(runs);
  EXPECT_EQ(json["runs"][0]["pass@1"]["value"], 1.0);
}

TEST_F(Runs, ReportsAreBounded) {
  auto store = create(suite(1), 8);
  for (int64_t sample = 0; sample < 8; ++sample) {
    Reply reply;
    reply.text = std::string(1 << 20, 'z');
    ASSERT_TRUE(store->set_answer({0, sample}, reply, {}).ok());
    ASSERT_TRUE(store->set_judgement({0, sample}, {Verdict::kWrong, "", ""}).ok());
  }
  std::vector<ReportedRun> runs;
  runs.push_back({score_run(*store, folder_, {}).value(), store.get()});
  const std::string html = report_html(runs).value();
  EXPECT_LT(html.size(), 100'000u);
  EXPECT_THAT(html, HasSubstr("5 more samples"));
  EXPECT_THAT(html, HasSubstr("of 1048576 bytes"));
}

TEST(Pareto, HasTheRunsThatNoneBeats) {
  const auto run = [](const char* name, double merit, double price) {
    RunScore score;
    score.model = name;
    score.pass_1.estimate = Estimate{.value = merit, .problems = {merit, merit}};
    score.money.dollars_per_task = Ratio{.value = price, .problems = {price / 2, price * 2}};
    return ReportedRun{std::move(score), nullptr};
  };
  const std::vector<ReportedRun> runs = {run("dear", 0.9, 10), run("bad", 0.3, 5),
                                         run("cheap", 0.5, 1), run("twin", 0.4, 1)};
  EXPECT_EQ(pareto_front(runs, ""), (std::vector<size_t>{2, 0}));
  EXPECT_THAT(pareto_plot(runs, ""), HasSubstr("dear"));
  EXPECT_TRUE(pareto_plot({}, "").empty());
}

TEST(Prices, AreReadAndApplied) {
  const auto table = PriceTable::parse(
                         "[[price]]\nmodel='m'\ndate='2024-01-01'\ninput=9\noutput=9\n"
                         "[[price]]\nmodel='m'\ndate=2025-02-01\ninput=1\ncached_input=0.1\n"
                         "output=4\nsource='s'\n",
                         "f")
                         .value();
  const TokenPrice* price = table.find("m");
  ASSERT_NE(price, nullptr);
  EXPECT_EQ(price->date, "2025-02-01");
  EXPECT_EQ(price->reasoning, 4.0);
  EXPECT_EQ(table.find("n"), nullptr);
  const TokenUsage usage{
      .input = 1'000'000, .cached = 400'000, .output = 500'000, .reasoning = 100'000};
  EXPECT_NEAR(token_cost(*price, usage), 0.6 + 0.04 + 2.0, 1e-12);
  EXPECT_GE(token_cost(*price, {.input = 5, .cached = 50, .output = 1, .reasoning = 9}), 0.0);
  for (const char* text : {"", "x", "[[price]]\nmodel='m'\ndate='2024-01-01'\ninput=1\n",
                           "[[price]]\nmodel='m'\ninput=1\noutput=1\n",
                           "[[price]]\nmodel='m'\ndate='2024-01-01'\ninput=-1\noutput=1\n",
                           "[[price]]\nmodel='m'\ndate='2024-01-01'\ninput='a'\noutput=1\n",
                           "[[price]]\nmodel='m'\ndate='2024-01-01'\ninput=1\noutput=nan\n"})
    EXPECT_FALSE(PriceTable::parse(text, "f").ok()) << text;
}

Problem worded(const char* id, const std::string& prompt) {
  return {.id = id, .task = "maths", .prompt = prompt, .answer = "1", .extra = Json::object()};
}

TEST(Contamination, IsFoundByTenWords) {
  const std::vector<Problem> problems = {
      worded("in", "How many apples does Ada have left after she gives nine of them away today"),
      worded("out", "A train leaves the station at seven and nobody knows where it is going now"),
      worded("short", "Name the largest prime below ninety"), worded("tiny", "2+2")};
  ContaminationCheck check(problems);
  check.add("Once: HOW many apples does Ada have left, after she gives nine! The end", "d1");
  check.add("a train leaves the station at seven and nobody cares", "d2");
  check.add("name the largest prime below ninety?", "d3");
  const auto& overlaps = check.overlaps();
  EXPECT_GT(overlaps[0].found, 0);
  EXPECT_LT(overlaps[0].found, overlaps[0].ngrams);
  EXPECT_EQ(overlaps[0].where, "d1");
  EXPECT_THAT(overlaps[0].words, HasSubstr("HOW many apples"));
  EXPECT_EQ(overlaps[1].found, 0);
  EXPECT_EQ(overlaps[2].found, 1);
  EXPECT_EQ(overlaps[3].ngrams, 0);
  EXPECT_TRUE(is_contaminated(overlaps[0].json()));
  EXPECT_FALSE(is_contaminated(overlaps[1].json()));
  EXPECT_FALSE(is_contaminated(nullptr));
}

TEST_F(Runs, ContaminationIsFoundInFilesAcrossEdges) {
  std::filesystem::create_directories(folder_);
  const std::string words = "one two three four five six seven eight nine ten eleven twelve";
  const std::vector<Problem> problems = {worded("p", words)};
  {
    std::ofstream plain(folder_ / "t.txt");
    for (int i = 0; i < 104'850; ++i) plain << "filler...\n";  // the words lie over a MiB's edge
    plain << words << "\n";
    for (int i = 0; i < 1000; ++i) plain << "filler\n";
  }
  ContaminationCheck check(problems);
  ASSERT_TRUE(check.read(folder_ / "t.txt", {}).ok());
  EXPECT_EQ(check.overlaps()[0].found, check.overlaps()[0].ngrams);
  std::ofstream(folder_ / "t.jsonl") << Json({{"a", "x"}, {"m", {{{"c", words}}}}}).dump() << "\n";
  ContaminationCheck lines(problems);
  ASSERT_TRUE(lines.read(folder_ / "t.jsonl", {}).ok());
  EXPECT_EQ(lines.overlaps()[0].where, "t.jsonl: line 1");
  std::ofstream(folder_ / "bad.jsonl") << "{\n";
  EXPECT_FALSE(lines.read(folder_ / "bad.jsonl", {}).ok());
}

}  // namespace
}  // namespace ponder
