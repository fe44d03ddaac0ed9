// Rollouts on disk and back, damaged files, and what is kept of them as examples.
#include "train/rl/store.hpp"

#include <gmock/gmock.h>

#include "testing/temp_folder.hpp"
#include "train/rl/rescore.hpp"
#include "train/rl/selection.hpp"

namespace ponder {
namespace {

Rollout make_rollout(int64_t index, int sample, const std::string& text) {
  Rollout rollout{.prompt_index = index,
                  .sample = sample,
                  .seed = 0xfedcba9876543210u + static_cast<uint64_t>(sample),
                  .problem = {},
                  .prompt = {0, 2, 57, 3},
                  .starts_inside = false,
                  .answer = {.tokens = {4, 9, 5, 1},
                             .log_probability = {-0.1f, -1.23456789f, -3.4e-9f, -17.25f},
                             .ended = true},
                  .text = text,
                  .reward = {}};
  rollout.problem.id = "modular-" + std::to_string(index);
  rollout.problem.task = "modular";
  rollout.problem.prompt = "1+" + std::to_string(index);
  rollout.problem.answer = std::to_string((1 + index) % 10);
  rollout.problem.level = 2;
  rollout.problem.extra = {{"note", "x"}};
  rollout.reward = Rewarder({}, nullptr).judge(rollout.problem, {.text = rollout.text, .seed = 3});
  return rollout;
}

std::vector<Rollout> read_all(const std::filesystem::path& file) {
  std::vector<Rollout> rollouts;
  const auto read = read_rollouts(file, [&](Rollout rollout) {
    rollouts.push_back(std::move(rollout));
    return true;
  });
  EXPECT_TRUE(read.ok()) << read.error().message();
  return rollouts;
}

TEST(Store, GivesBackWhatItWasGiven) {
  const testing::TempFolder folder;
  const std::vector<Rollout> rollouts = {
      make_rollout(4, 0, "<think>1+4=5</think><answer>5</answer>"),
      make_rollout(4, 1, "<answer>6</answer>"), make_rollout(5, 0, "broken \xff text")};
  const auto file = rollout_file(folder.path(), 12);
  ASSERT_TRUE(write_rollouts(file, rollouts).ok());
  ASSERT_TRUE(write_rollouts(rollout_file(folder.path(), 3), {}).ok());
  EXPECT_EQ(stored_steps(folder.path()).value(), (std::vector<int64_t>{3, 12}));
  EXPECT_TRUE(read_all(rollout_file(folder.path(), 3)).empty());
  const auto read = read_all(file);
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(rollout_to_json(read[0]), rollout_to_json(rollouts[0]));
  EXPECT_EQ(read[1].seed, rollouts[1].seed);
  EXPECT_EQ(read[1].answer.log_probability, rollouts[1].answer.log_probability);  // to the bit
  EXPECT_EQ(read[1].reward.judgement.verdict, Verdict::kWrong);
  EXPECT_EQ(read[0].reward.total, 1.0);
}

TEST(Store, DamagedFilesAreErrorsAndNoMore) {
  const testing::TempFolder folder;
  const auto file = rollout_file(folder.path(), 0);
  ASSERT_TRUE(write_rollouts(file, {make_rollout(1, 0, "2"), make_rollout(2, 0, "3")}).ok());
  const std::string whole = testing::content_of(file);
  const auto nothing = [](const Rollout&) { return true; };
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(read_rollouts(folder.write("cut", whole.substr(0, length)), nothing).ok())
        << length;
  for (size_t byte = 0; byte < whole.size(); ++byte) {
    std::string other = whole;
    other[byte] = static_cast<char>(other[byte] ^ 0x10);
    (void)read_rollouts(folder.write("flipped", other), nothing).ok();  // must only come back
  }
}

TEST(Store, LinesThatDoNotAddUpAreRefused) {
  const Json good = Json::parse(rollout_to_json(make_rollout(1, 0, "2")).dump());
  ASSERT_TRUE(rollout_from_json(good, "test").ok());
  const auto without = [&](const char* key) {
    Json broken = good;
    broken.erase(key);
    return broken;
  };
  for (const auto& [key, value] : good.items()) {
    if (key == "extracted" || key == "why") continue;
    EXPECT_FALSE(rollout_from_json(without(key.c_str()), "test").ok()) << key;
  }
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, Json>>{{"tokens", {1, 2}},
                                                 {"tokens", {1, 2, 3, 1e30}},
                                                 {"tokens", "1234"},
                                                 {"verdict", "splendid"},
                                                 {"seed", -1},
                                                 {"prompt_index", -1},
                                                 {"log_probability", {0.0, "a", 0.0, 0.0}}}) {
    Json broken = good;
    broken[key] = value;
    EXPECT_FALSE(rollout_from_json(broken, "test").ok()) << key << " " << value;
  }
}

TEST(Rescore, FindsWhatAnotherJudgeWouldSay) {
  const testing::TempFolder folder;
  std::vector<Rollout> rollouts = {make_rollout(4, 0, "<think>1+4=5</think><answer>5</answer>"),
                                   make_rollout(4, 1, "<answer>5</answer>")};
  rollouts[1].reward.judgement = {Verdict::kWrong, "5", "a judge that was wrong"};
  rollouts[1].reward.accuracy = 0.0;
  rollouts[1].reward.total = 0.0;
  ASSERT_TRUE(write_rollouts(rollout_file(folder.path(), 7), rollouts).ok());
  ASSERT_TRUE(write_reward_file(folder.path(), {.form = 0.25, .language_name = "de"}).ok());
  const auto kept = read_reward_file(folder.path(), {});
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  EXPECT_EQ(kept.value().form, 0.25);
  EXPECT_EQ(kept.value().language_name, "de");
  StepScores scores;
  std::vector<ChangedAnswer> changes;
  const auto done =
      rescore(folder.path(), {.sets = {"reward.form=0.5"},
                              .threads = 2,
                              .on_step = [&](const StepScores& s) { scores = s; },
                              .on_change = [&](const ChangedAnswer& c) { changes.push_back(c); }});
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(scores.step, 7);
  EXPECT_EQ(scores.answers, 2);
  EXPECT_EQ(scores.accuracy_before, 0.5);
  EXPECT_EQ(scores.accuracy, 1.0);
  EXPECT_EQ(scores.reward_before, 0.5);
  EXPECT_EQ(scores.reward, 1.25);  // one of the two has the form
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].before, "wrong");
  EXPECT_EQ(changes[0].now, "pass");
  EXPECT_FALSE(rescore(folder.path() / "none", {}).ok());
}

TEST(Selection, KeepsRightAnswersOnce) {
  SampleSelection selection({.keep = 2});
  const std::string worked = "<think>1+4=5</think><answer>5</answer>";
  const std::string line = selection.add(make_rollout(4, 0, worked));
  EXPECT_EQ(
      line,
      R"({"id":"modular-4","prompt":"1+4","reasoning":"1+4=5","answer":"<answer>5</answer>"})");
  EXPECT_EQ(selection.add(make_rollout(4, 1, worked)), "");
  EXPECT_EQ(selection.add(make_rollout(4, 2, "<think>1+4=5</think> <answer>5</answer>")).empty(),
            false);
  EXPECT_EQ(selection.add(make_rollout(4, 3, "5")), "");                   // more than two
  EXPECT_EQ(selection.add(make_rollout(5, 0, "<answer>5</answer>")), "");  // wrong
  Rollout cut = make_rollout(5, 1, "6");
  cut.answer.ended = false;
  EXPECT_EQ(selection.add(cut), "");
  EXPECT_NE(selection.add(make_rollout(6, 0, "7")), "");
  const SelectionCounts& counts = selection.counts();
  EXPECT_EQ(counts.answers, 7);
  EXPECT_EQ(counts.kept, 3);
  EXPECT_EQ(counts.wrong, 2);
  EXPECT_EQ(counts.duplicates, 1);
  EXPECT_EQ(counts.surplus, 1);
  EXPECT_EQ(counts.problems, 3);
  EXPECT_EQ(counts.solved, 2);
}

TEST(Selection, LeavesOutWhatIsHardToRead) {
  const auto kept = [](const SelectionOptions& options, const std::string& text) {
    return !SampleSelection(options).add(make_rollout(4, 0, text)).empty();
  };
  EXPECT_FALSE(kept({.form = FormKind::kThinkAnswer}, "5"));
  EXPECT_FALSE(kept({.code_in_thoughts = false}, "<think>```x```</think>5"));
  EXPECT_TRUE(kept({.code_in_thoughts = false}, "<think>x</think>5"));
  EXPECT_FALSE(kept({.longest_paragraph = 5}, "<think>ab\n\nabcdef</think>5"));
  EXPECT_TRUE(kept({.longest_paragraph = 6}, "<think>ab\n\nabcdef</think>5"));
  EXPECT_FALSE(kept({.least_language = 0.9}, "<think>so 所以</think>5"));
  EXPECT_TRUE(kept({.least_language = 0.9}, "<think>so it is</think>5"));
  EXPECT_FALSE(kept({.most_tokens = 3}, "5"));
}

TEST(Selection, TokensAreThoseThatWereSampled) {
  SampleSelection selection({.as_tokens = true});
  EXPECT_EQ(selection.add(make_rollout(4, 0, "5")),
            R"({"tokens":[0,2,57,3,4,9,5,1],"learn_from":4})");
}

TEST(Reward, IsTheSumOfItsParts) {
  Problem problem;
  problem.task = "modular";
  problem.answer = "5";
  const Rewarder rewarder({.accuracy = 2.0,
                           .form = 0.5,
                           .language = 0.25,
                           .overlong = 1.0,
                           .overlong_buffer = 20,
                           .most_tokens = 100},
                          nullptr);
  const auto total = [&](std::string_view text, int64_t tokens = 10) {
    return *rewarder.judge(problem, {.text = text, .tokens = tokens}).total;
  };
  EXPECT_EQ(total("<think>so</think><answer>5</answer>"), 2.75);
  EXPECT_EQ(total("<think>所以</think><answer>5</answer>"), 2.5);
  EXPECT_EQ(total("5"), 2.25);
  EXPECT_EQ(total("6"), 0.25);
  EXPECT_EQ(total("<think>so</think><answer>5</answer>", 90), 2.25);
  problem.task = "no such task";
  EXPECT_EQ(rewarder.judge(problem, {.text = "5"}).total, std::nullopt);
}

TEST(Reward, TheControlIsACoin) {
  Problem problem;
  problem.task = "modular";
  problem.answer = "5";
  const Rewarder rewarder({.random = true}, nullptr);
  double sum = 0.0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const Reward reward = rewarder.judge(problem, {.text = "5", .seed = seed});
    EXPECT_EQ(reward.accuracy, 1.0);  // what is reported is the truth
    EXPECT_EQ(reward.total, rewarder.judge(problem, {.text = "6", .seed = seed}).total);
    sum += *reward.total;
  }
  EXPECT_NEAR(sum, 200.0, 40.0);
}

TEST(Reward, ACommandAddsItsShare) {
  Problem problem;
  problem.task = "modular";
  problem.answer = "5";
  Rewarder rewarder(
      {.command = 0.5,
       .command_options = {.command = "while read -r l; do echo '{\"reward\": 3}'; done"}},
      nullptr);
  Reward reward = rewarder.judge(problem, {.text = "5"});
  rewarder.ask_command(problem, {.text = "5"}, reward);
  EXPECT_EQ(reward.total, 2.5);
  EXPECT_EQ(reward.command, 3.0);
  Rewarder broken({.command = 0.5, .command_options = {.command = "true"}}, nullptr);
  Reward none = broken.judge(problem, {.text = "5"});
  broken.ask_command(problem, {.text = "5"}, none);
  EXPECT_EQ(none.total, std::nullopt);
}

}  // namespace
}  // namespace ponder
