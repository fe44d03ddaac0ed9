// What the engine samples for training, and what is planned with it.
#include "train/rl/rollout.hpp"

#include <gmock/gmock.h>

#include <numeric>

#include "model/model_testing.hpp"
#include "testing/temp_folder.hpp"
#include "train/rl/evaluation.hpp"
#include "train/rl/pipeline.hpp"
#include "train/rl/rl_update.hpp"

namespace ponder::testing {
namespace {

using ::testing::HasSubstr;

class RolloutTest : public ::testing::Test {
 protected:
  RolloutTest()
      : runtime_(make_runtime(available_isas().back())),
        model_(load_model("deepseek_v3-s1", runtime_.context())) {}
  std::unique_ptr<RolloutEngine> open(int64_t parallel = 64) {
    auto engine = RolloutEngine::create(
        runtime_.context(), model_,
        {.context = 100, .max_tokens = 20, .parallel = parallel, .is_end = [](int32_t token) {
           return token % 16 == 0;
         }});
    EXPECT_TRUE(engine.ok());
    return std::move(engine).take_value();
  }
  Runtime runtime_;
  Model model_;
};

std::vector<RolloutPrompt> prompts(int64_t count, int samples) {
  std::vector<RolloutPrompt> result;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<int32_t> tokens(static_cast<size_t>(5 + 7 * i));
    std::iota(tokens.begin(), tokens.end(), static_cast<int32_t>(i));
    result.push_back({.tokens = std::move(tokens),
                      .seed = rollout_seed(1, 2, static_cast<uint64_t>(i)),
                      .samples = samples});
  }
  return result;
}

TEST_F(RolloutTest, AnAnswerDependsOnItsPromptAndSeedAlone) {
  const auto all = open()->run(prompts(6, 5), {}).value();
  const auto few_at_once = open(3)->run(prompts(6, 5), {}).value();
  std::set<std::vector<int32_t>> different;
  int ended = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t s = 0; s < all[i].size(); ++s) {
      const RolloutAnswer& answer = all[i][s];
      EXPECT_EQ(answer.tokens, few_at_once[i][s].tokens);
      EXPECT_EQ(answer.log_probability, few_at_once[i][s].log_probability);
      ASSERT_EQ(answer.tokens.size(), answer.log_probability.size());
      EXPECT_EQ(answer.ended, answer.tokens.back() % 16 == 0);
      EXPECT_TRUE(answer.ended || answer.tokens.size() == 20);
      ended += answer.ended ? 1 : 0;
      different.insert(answer.tokens);
    }
  }
  EXPECT_GT(different.size(), 25u);
  EXPECT_GT(ended, 3);
  // One sample again, alone.
  RolloutPrompt alone = prompts(6, 1)[4];
  alone.seed += 3;
  const auto again = open()->run(std::vector{alone}, {}).value();
  EXPECT_EQ(again[0][0].tokens, all[4][3].tokens);
  EXPECT_EQ(again[0][0].log_probability, all[4][3].log_probability);
}

TEST_F(RolloutTest, StopsAndRefusals) {
  const auto engine = open();
  EXPECT_EQ(engine->run(prompts(2, 2), {.stop = [] { return true; }}).error().what, "stopped");
  auto long_prompt = prompts(1, 1);
  long_prompt[0].tokens.resize(100);
  EXPECT_THAT(engine->run(long_prompt, {}).error().message(), HasSubstr("no room"));
  auto strange = prompts(3, 1);
  strange[1].tokens[0] = 100'000;
  EXPECT_THAT(engine->run(strange, {}).error().message(), HasSubstr("not in the vocabulary"));
  int64_t last = 0;
  const auto counted = [&](int64_t done, int64_t total) {
    EXPECT_GE(done, last);
    EXPECT_EQ(total, 6);
    last = done;
  };
  EXPECT_TRUE(engine->run(prompts(3, 2), {.temperature = 0.0f, .progress = counted}).ok());
  EXPECT_EQ(last, 6);
  EXPECT_TRUE(engine->run({}, {}).value().empty());
}

// --- Plans: no model needed ---

// Groups of two answers with these lengths, prompts of 3 tokens.
std::vector<Rollout> rollouts_of(const std::vector<size_t>& lengths) {
  std::vector<Rollout> rollouts;
  for (size_t i = 0; i < lengths.size(); ++i) {
    Rollout rollout;
    rollout.prompt_index = static_cast<int64_t>(i / 2);
    rollout.prompt = {1, 2, 3};
    rollout.answer = {std::vector<int32_t>(lengths[i], 7), std::vector<float>(lengths[i], -1.0f),
                      true};
    rollout.reward.total = i % 2 == 0 ? 1.0 : 0.0;
    rollouts.push_back(std::move(rollout));
  }
  return rollouts;
}

TEST(RlUpdate, LeavesHoldTheLongestFirst) {
  const auto rollouts = rollouts_of({4, 9, 1, 7, 4, 30});
  const std::vector<size_t> members = {0, 1, 2, 3, 4, 5};
  const auto leaves = pack_leaves(rollouts, members, 20);
  EXPECT_EQ(leaves, (std::vector<Leaf>{{5}, {1}, {3, 0}, {4, 2}}));
  EXPECT_TRUE(pack_leaves(rollouts, {}, 20).empty());
}

TEST(RlUpdate, LeavesOfGroupsCountAPromptOnce) {
  const auto rollouts = rollouts_of({4, 9, 1, 7, 4, 30});
  const std::vector<size_t> members = {0, 1, 2, 3, 4, 5};
  // 3 + 4 + 9 and 3 + 1; 3 + 7; with 30 alone.
  EXPECT_EQ(pack_groups(rollouts, members, 20), (std::vector<Leaf>{{0, 1, 2}, {3, 4}, {5}}));
  EXPECT_EQ(pack_groups(rollouts, members, 16), (std::vector<Leaf>{{0, 1}, {2, 3}, {4}, {5}}));
  EXPECT_TRUE(pack_groups(rollouts, {}, 20).empty());
}

TEST(RlUpdate, MinibatchesAreWholeGroups) {
  auto rollouts = rollouts_of({1, 1, 1, 1, 1, 1});
  std::vector<bool> learned(6, true);
  using Parts = std::vector<std::vector<size_t>>;
  EXPECT_EQ(split_minibatches(rollouts, learned, 1), (Parts{{0, 1, 2, 3, 4, 5}}));
  EXPECT_EQ(split_minibatches(rollouts, learned, 2), (Parts{{0, 1, 2, 3}, {4, 5}}));
  EXPECT_EQ(split_minibatches(rollouts, learned, 3), (Parts{{0, 1}, {2, 3}, {4, 5}}));
  learned = {true, false, false, false, true, true};
  EXPECT_EQ(split_minibatches(rollouts, learned, 3), (Parts{{0}, {4, 5}}));
  EXPECT_TRUE(split_minibatches(rollouts, std::vector<bool>(6), 2).empty());
}

TEST(RlUpdate, WhatIsLearnedFrom) {
  auto rollouts = rollouts_of({2, 2, 2, 0});
  rollouts[0].reward.total.reset();
  rollouts[1].answer.ended = false;
  EXPECT_EQ(learnable(rollouts, false), (std::vector<bool>{false, true, true, false}));
  EXPECT_EQ(learnable(rollouts, true), (std::vector<bool>{false, false, true, false}));
}

TEST(RlUpdate, AdvantagesOfTokens) {
  const auto rollouts = rollouts_of({2, 1, 3, 1});
  const std::vector<bool> learned = {true, true, true, false};
  const Algorithm grpo = algorithm_by_name("grpo", 8).value();
  EXPECT_EQ(token_advantages(rollouts, grpo, learned, {}),
            (RowNumbers{{1.0, 1.0}, {-1.0}, {1.0, 1.0, 1.0}, {}}));
  // REINFORCE++: rewards less KL to the end, then normalised over all six tokens.
  Algorithm plus = algorithm_by_name("reinforce++", 8).value();
  plus.kl_in_reward = 0.5;
  const RowNumbers kl = {{0.2, 0.4}, {0.0}, {0.0, 0.0, 0.0}, {}};
  const auto advantages = token_advantages(rollouts, plus, learned, kl);
  double sum = 0.0, squares = 0.0;
  for (const auto& answer : advantages)
    for (const double value : answer) sum += value, squares += value * value;
  EXPECT_NEAR(sum, 0.0, 1e-12);
  EXPECT_NEAR(squares, 6.0, 1e-12);
  // Returns 0.7, 0.8; 0; 1, 1, 1: the differences keep their proportions.
  EXPECT_NEAR((advantages[2][0] - advantages[0][0]) / (advantages[2][0] - advantages[1][0]), 0.3,
              1e-12);
}

TEST(Evaluation, IntervalsAndPassAt) {
  const ShareInterval half = wilson_interval(50, 100);  // R: prop.test(50, 100, correct = FALSE)
  EXPECT_EQ(half.share, 0.5);
  EXPECT_NEAR(half.low, 0.4038315, 1e-6);
  EXPECT_NEAR(half.high, 0.5961685, 1e-6);
  EXPECT_NEAR(wilson_interval(0, 10).high, 0.2775328, 1e-6);
  EXPECT_EQ(wilson_interval(0, 10).low, 0.0);
  EXPECT_EQ(pass_at(1, 4, 1), 0.25);
  EXPECT_NEAR(pass_at(2, 4, 1), 0.5, 1e-12);
  EXPECT_NEAR(pass_at(2, 5, 2), 0.7, 1e-12);  // 1 − C(3,2)/C(5,2)
  EXPECT_EQ(pass_at(4, 4, 1), 1.0);
  EXPECT_EQ(pass_at(3, 5, 0), 0.0);
}

TEST(Pipeline, KnowsStagesAndValues) {
  const TempFolder folder;
  const auto file =
      folder.write("p.toml",
                   "values = [\"model=models/x\"]\n"
                   "[[stage]]\nname = 'data'\nkind = 'demonstrations'\nrecipe = 'd.toml'\n"
                   "set = ['model.path={model}']\n"
                   "[[stage]]\nname = 'rl'\nkind = 'rl'\nrecipe = 'r.toml'\n"
                   "set = ['a={data}/x,{model}']\n");
  const auto stages = read_pipeline(file, "/out", std::vector<std::string>{"rl.rl.steps=3"});
  ASSERT_TRUE(stages.ok()) << stages.error().message();
  ASSERT_EQ(stages.value().size(), 2u);
  const std::string model = (folder.path() / "models/x").string();
  EXPECT_EQ(stages.value()[0].sets, std::vector<std::string>{"model.path=" + model});
  EXPECT_EQ(stages.value()[1].sets,
            (std::vector<std::string>{"a=/out/data/x," + model, "rl.steps=3"}));
  EXPECT_EQ(stages.value()[1].recipe, folder.path() / "r.toml");
  const auto other = read_pipeline(file, "/out", std::vector<std::string>{"values.model=/m"});
  EXPECT_EQ(other.value()[0].sets, std::vector<std::string>{"model.path=/m"});
  for (const char* bad : {"nothing", "values.no=1", "other.key=1"})
    EXPECT_FALSE(read_pipeline(file, "/out", std::vector<std::string>{bad}).ok()) << bad;
}

TEST(Pipeline, RefusesWhatCannotBe) {
  const TempFolder folder;
  const std::string stage = "[[stage]]\nname = 'a'\nkind = 'rl'\nrecipe = 'r.toml'\n";
  for (const std::string& text :
       {std::string(""), stage + stage, stage + "set = ['x={a}']\n", stage + "set = ['x={b']\n",
        stage + "speed = 3\n", stage + "solved = 0.5\n",
        stage + "[[stage]]\nname = 'b'\nkind = 'sample'\nrecipe = 'r'\nsolved = 2.0\nagain = 'a'\n",
        stage + "[[stage]]\nname = 'b'\nkind = 'sample'\nrecipe = 'r'\nsolved = 0.5\nagain = 'b'\n",
        std::string("[[stage]]\nname = '../a'\nkind = 'rl'\nrecipe = 'r'\n"),
        std::string("[[stage]]\nname = 'a'\nkind = 'magic'\nrecipe = 'r'\n")})
    EXPECT_FALSE(read_pipeline(folder.write("p.toml", text), "/out").ok()) << text;
}

TEST(Recipes, OursAreWellFormed) {
  for (const char* name : {"tiny-r1", "tiny-r1-controls", "r1"}) {
    const auto stages = read_pipeline("recipes/" + std::string(name) + ".toml", "/out");
    ASSERT_TRUE(stages.ok()) << stages.error().message();
    for (const PipelineStage& stage : stages.value()) {
      const auto recipe = Recipe::open(stage.recipe, stage.sets);
      ASSERT_TRUE(recipe.ok()) << recipe.error().message();
      if (stage.kind != "rl") continue;
      const auto options = read_rl_options(recipe.value());
      EXPECT_TRUE(options.ok()) << options.error().message();
    }
  }
  const auto recipe = Recipe::open("recipes/grpo-qwen2.5-coder-0.5b.toml");
  ASSERT_TRUE(recipe.ok());
  EXPECT_TRUE(read_rl_options(recipe.value()).ok());
}

}  // namespace
}  // namespace ponder::testing
