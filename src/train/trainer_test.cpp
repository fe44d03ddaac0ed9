#include "train/trainer.hpp"

#include <gmock/gmock.h>

#include <cstring>

#include "base/rng.hpp"
#include "model/config.hpp"
#include "testing/isas.hpp"
#include "train/recipe.hpp"
#include "train/train_testing.hpp"

namespace ponder {
namespace {

class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() {
    testing::write_tiny_recipe(folder_);
    const auto path = folder_.path() / "config.json";
    config_ = config_from_json(testing::content_of(path), path.string()).take_value();
    Rng rng(7);
    for (int i = 0; i < 16; ++i) {
      std::vector<int32_t> tokens;
      for (uint64_t n = 4 + rng.next_below(12); n > 0; --n)
        tokens.push_back(static_cast<int32_t>(rng.next_below(500)));
      sequences_.push_back(std::move(tokens));
    }
  }

  // Leaf i learns sequences 2i and 2i + 1.
  LeafWork work(Trainer& trainer) {
    return [this, &trainer](int64_t leaf, std::span<float> gradients) -> Result<LeafResult> {
      const auto first = static_cast<size_t>(2 * leaf);
      const TrainSequence pair[] = {{sequences_[first]}, {sequences_[first + 1]}};
      double loss = 0.0;
      const auto score = [&](const RowScores& scores, std::span<float> gradient) {
        for (size_t row = 0; row < gradient.size(); ++row) {
          loss -= scores.log_probability[row];
          gradient[row] = -0.01f;
        }
      };
      LeafResult result;
      result.stats =
          PONDER_TRY(train_pass(trainer.context(), trainer.model(), pair, {}, score, gradients));
      result.sums = {loss, static_cast<double>(leaf)};
      return result;
    };
  }

  struct Outcome {
    std::vector<float> weights;
    std::vector<double> figures;
    bool operator==(const Outcome&) const = default;
  };

  // Three updates of `leaves` leaves, and what came of them on this rank.
  Outcome train(Communicator& ranks, Isa isa, int threads, int64_t leaves) {
    const Runtime runtime = testing::make_runtime(isa, threads, Activations::kFloat);
    auto model = TrainableModel::create(config_, runtime.context(), {.seed = 5}).take_value();
    auto trainer =
        Trainer::create(runtime.context(), *model, ranks, {.router_speed = 0.01}).take_value();
    Outcome outcome;
    for (int i = 0; i < 3; ++i) {
      const auto update = trainer->update(leaves, 1e-2, work(*trainer));
      EXPECT_TRUE(update.ok()) << update.error().message();
      outcome.figures.insert(outcome.figures.end(),
                             {update.value().sums[0], update.value().sums[1],
                              update.value().gradient_norm, update.value().load_imbalance});
    }
    for (const ParamSlot& slot : model->slots())
      outcome.weights.insert(outcome.weights.end(), slot.values.begin(), slot.values.end());
    return outcome;
  }

  testing::TempFolder folder_;
  Config config_;
  std::vector<std::vector<int32_t>> sequences_;
};

TEST_F(TrainerTest, LearnsTheSameBitsOnAnyThreadsAndRanks) {
  const auto alone = Communicator::alone();
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE(std::string(isa_name(isa)));
    for (const int64_t leaves : {8, 5, 1}) {
      const Outcome expected = train(*alone, isa, 1, leaves);
      EXPECT_LT(expected.figures[8], expected.figures[0]);  // it learns
      EXPECT_EQ(expected.figures[1], static_cast<double>(leaves * (leaves - 1) / 2));
      EXPECT_GT(expected.figures[3], 1.0);
      EXPECT_EQ(train(*alone, isa, 3, leaves), expected);
      for (const int size : {2, 4}) {
        testing::ThreadRanks ranks(size);
        ranks.run([&](Communicator& rank) { EXPECT_EQ(train(rank, isa, 1, leaves), expected); });
      }
    }
  }
}

TEST_F(TrainerTest, AnErrorOfOneRankEndsTheStepOfAll) {
  testing::ThreadRanks ranks(2);
  ranks.run([&](Communicator& rank) {
    const Runtime runtime = testing::make_runtime(available_isas().back(), 1, Activations::kFloat);
    auto model = TrainableModel::create(config_, runtime.context(), {}).take_value();
    auto trainer = Trainer::create(runtime.context(), *model, rank, {}).take_value();
    for (const char* what : {"broken", "stopped"}) {
      const auto update =
          trainer->update(4, 1.0, [&](int64_t leaf, std::span<float>) -> Result<LeafResult> {
            if (leaf == 3) return Failure{{.what = what}};
            return LeafResult{};
          });
      ASSERT_FALSE(update.ok());
      const bool here = trainer->owns(3) || std::string(what) == "stopped";
      EXPECT_EQ(update.error().what, here ? what : "another rank has failed");
    }
    EXPECT_EQ(trainer->updates(), 0);
  });
}

TEST_F(TrainerTest, AGradientThatIsNotFiniteChangesNothing) {
  const auto alone = Communicator::alone();
  const Runtime runtime = testing::make_runtime(available_isas().back(), 2, Activations::kFloat);
  auto model = TrainableModel::create(config_, runtime.context(), {}).take_value();
  auto trainer = Trainer::create(runtime.context(), *model, *alone, {}).take_value();
  const std::vector<float> before(model->slots()[0].values.begin(), model->slots()[0].values.end());
  const auto update = trainer->update(1, 1.0, [](int64_t, std::span<float> gradients) {
    gradients[5] = NAN;
    return Result<LeafResult>(LeafResult{});
  });
  EXPECT_FALSE(update.value().applied);
  EXPECT_EQ(trainer->updates(), 0);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), model->slots()[0].values.begin()));
}

TEST_F(TrainerTest, TheRoutersBiasFollowsTheLoad) {
  const auto alone = Communicator::alone();
  const Runtime runtime = testing::make_runtime(available_isas().back(), 1, Activations::kFloat);
  auto model = TrainableModel::create(config_, runtime.context(), {}).take_value();
  auto trainer =
      Trainer::create(runtime.context(), *model, *alone, {.router_speed = 0.5}).take_value();
  const auto loads = [](int64_t, std::span<float>) -> Result<LeafResult> {
    return LeafResult{.sums = {}, .stats = {.expert_tokens = {{}, {1, 5, 3, 3}}}};
  };
  const auto update = trainer->update(2, 0.0, loads).take_value();
  EXPECT_DOUBLE_EQ(update.load_imbalance, 5.0 / 3.0);
  const auto bias = model->router_bias(1);
  EXPECT_THAT(std::vector<float>(bias.begin(), bias.end()),
              ::testing::ElementsAre(0.5f, -0.5f, 0.0f, 0.0f));
}

TEST_F(TrainerTest, MoreRanksThanLanesAreRefused) {
  testing::ThreadRanks ranks(2);
  ranks.run([&](Communicator& rank) {
    const Runtime runtime = testing::make_runtime(available_isas().back(), 1, Activations::kFloat);
    auto model = TrainableModel::create(config_, runtime.context(), {}).take_value();
    EXPECT_FALSE(Trainer::create(runtime.context(), *model, rank, {.lanes = 1}).ok());
  });
}

TEST(OptimizerOptions, LanesAreAPowerOfTwo) {
  EXPECT_FALSE(read_optimizer(Recipe::parse("lanes = 3\n", "r").take_value()).ok());
  EXPECT_EQ(read_optimizer(Recipe::parse("lanes = 8\n", "r").take_value()).value().lanes, 8);
}

}  // namespace
}  // namespace ponder
