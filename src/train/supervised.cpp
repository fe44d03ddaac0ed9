#include "train/supervised.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/log.hpp"
#include "train/examples.hpp"
#include "train/packing.hpp"
#include "train/schedule.hpp"
#include "train/transcripts.hpp"

namespace ponder {
namespace {

// What leaves add up.
enum Sum { kLoss, kEntropy, kLearned, kTokens, kBalance, kMtp, kSumCount };

struct Settings {
  int64_t steps = 1;
  int64_t batch = 1;  // groups of a step
  int64_t eval_every = 0;
  int64_t largest = 0;  // tokens of the largest group
  double balance = 0.0, mtp = 0.0;
  bool recompute = true;
  Schedule schedule = {};
};

struct Data {
  ExampleSet set;
  std::optional<GroupOrder> order = {};
};

std::vector<int64_t> lengths_of(const ExampleSet& set) {
  std::vector<int64_t> lengths;
  for (const Example& example : set.examples) lengths.push_back(example.length());
  return lengths;
}

class SupervisedStage : public Stage {
 public:
  SupervisedStage(Settings settings, Data train, Data held_out, Transcripts transcripts)
      : settings_(settings),
        train_(std::move(train)),
        held_out_(std::move(held_out)),
        transcripts_(std::move(transcripts)) {}

  int64_t steps() const override { return settings_.steps; }

  std::vector<MemoryTable::Row> memory(const Config& config) override {
    const auto data = static_cast<uint64_t>(train_.set.tokens() + held_out_.set.tokens());
    return {{.what = "activations",
             .bytes = activation_bytes(config, settings_.largest, settings_.recompute),
             .mend = settings_.recompute ? "set a smaller data.group or data.length"
                                         : "set train.recompute = true"},
            {.what = "data", .bytes = data * sizeof(int32_t), .mend = "train on fewer files"}};
  }

  Result<Figures> step(TrainRun& run, int64_t step) override;
  Result<Figures> evaluate(TrainRun& run) override;
  bool evaluates_after(int64_t done) const override {
    if (!held_out_.order) return false;
    return done == settings_.steps ||
           (settings_.eval_every > 0 && done % settings_.eval_every == 0);
  }

 private:
  struct Group {
    Data* data;
    std::span<const int64_t> examples;
    double weight;     // of a token in the loss: 1 / those that the step learns
    double sequences;  // of the step
  };
  Result<LeafResult> pass(TrainRun& run, const Group& group, std::span<float> gradients);

  Settings settings_;
  Data train_, held_out_;
  Transcripts transcripts_;
};

// One group through the model: the loss is the mean over all learned tokens of the step, so it does
// not matter how they lie in groups.
Result<LeafResult> SupervisedStage::pass(TrainRun& run, const Group& group,
                                         std::span<float> gradients) {
  std::vector<TrainSequence> sequences;
  std::vector<float> weights, mtp_weights;  // of rows
  LeafResult result{.sums = std::vector<double>(kSumCount)};
  for (const int64_t index : group.examples) {
    const Example& example = group.data->set.examples[static_cast<size_t>(index)];
    sequences.push_back({example.tokens});
    const auto weight_at = [&](int64_t target) {
      const bool learned = target >= example.learn_from && target < example.length();
      return learned ? static_cast<float>(group.weight) : 0.0f;
    };
    for (int64_t row = 0; row + 1 < example.length(); ++row) {
      weights.push_back(weight_at(row + 1));
      mtp_weights.push_back(weight_at(row + 2));
    }
    result.sums[kLearned] += static_cast<double>(example.learned());
    result.sums[kTokens] += static_cast<double>(example.length());
  }
  const auto loss = [&](const RowScores& scores, std::span<float> gradient) {
    for (size_t row = 0; row < weights.size(); ++row) {
      gradient[row] = -weights[row];
      if (weights[row] == 0.0f) continue;
      result.sums[kLoss] -= scores.log_probability[row];
      result.sums[kEntropy] += scores.entropy[row];
    }
  };
  const PassOptions options{
      .balance_weight = static_cast<float>(settings_.balance / group.sequences),
      .mtp_weight = static_cast<float>(settings_.mtp),
      .mtp_row_weight = mtp_weights,
      .recompute = settings_.recompute,
      .stop = run.stop_flag()};
  Trainer& trainer = run.trainer();
  result.stats = PONDER_TRY(
      train_pass(trainer.context(), trainer.model(), sequences, options, loss, gradients));
  result.sums[kBalance] = result.stats.balance_loss;
  result.sums[kMtp] = result.stats.mtp_loss;
  return result;
}

Result<Figures> SupervisedStage::step(TrainRun& run, int64_t step) {
  std::vector<std::vector<int64_t>> groups;
  double learned = 0.0, sequences = 0.0;
  for (int64_t i = 0; i < settings_.batch; ++i) {
    const auto group = train_.order->group(step * settings_.batch + i);
    groups.emplace_back(group.begin(), group.end());
    sequences += static_cast<double>(group.size());
    for (const int64_t index : group)
      learned += static_cast<double>(train_.set.examples[static_cast<size_t>(index)].learned());
  }
  const double rate = settings_.schedule.at(step);
  int64_t done = 0;
  const LeafWork work = [&](int64_t leaf, std::span<float> gradients) -> Result<LeafResult> {
    run.progress("groups", done++, (settings_.batch + run.ranks().size() - 1) / run.ranks().size());
    return pass(run,
                {.data = &train_,
                 .examples = groups[static_cast<size_t>(leaf)],
                 .weight = 1.0 / learned,
                 .sequences = sequences},
                gradients);
  };
  const UpdateResult update = PONDER_TRY(run.trainer().update(settings_.batch, rate, work));
  const double epoch = static_cast<double>((step + 1) * settings_.batch) /
                       static_cast<double>(train_.order->groups());
  Figures figures = {{"loss", update.sums[kLoss] / learned},
                     {"learning_rate", rate},
                     {"gradient_norm", update.gradient_norm},
                     {"entropy", update.sums[kEntropy] / learned},
                     {"tokens", update.sums[kTokens]},
                     {"learned_tokens", learned},
                     {"epoch", epoch}};
  if (settings_.mtp > 0) figures.emplace_back("mtp_loss", update.sums[kMtp]);
  if (update.load_imbalance > 0) {
    figures.emplace_back("balance_loss", update.sums[kBalance] / sequences);
    figures.emplace_back("load_imbalance", update.load_imbalance);
  }
  if (!update.applied) figures.emplace_back("skipped", 1.0);
  PONDER_TRY(transcripts_.write(run, step + 1));
  return figures;
}

Result<Figures> SupervisedStage::evaluate(TrainRun& run) {
  const int64_t groups = held_out_.order->groups();
  const LeafWork work = [&](int64_t leaf, std::span<float>) -> Result<LeafResult> {
    run.progress("evaluating", leaf, groups);
    const Group group{.data = &held_out_,
                      .examples = held_out_.order->group(leaf),
                      .weight = 1.0,
                      .sequences = 1.0};
    return pass(run, group, {});
  };
  const auto sums = PONDER_TRY(run.trainer().measure(groups, work));
  return Figures{{"eval_loss", sums[kLoss] / sums[kLearned]},
                 {"eval_perplexity", std::exp(sums[kLoss] / sums[kLearned])}};
}

Result<std::optional<ChatTemplate>> read_template(const TrainRun& run, bool chat) {
  const std::string name = PONDER_TRY(run.recipe().text("data.template", chat ? "auto" : "none"));
  if (name == "none") return std::optional<ChatTemplate>();
  if (name != "auto") return std::optional(PONDER_TRY(ChatTemplate::by_name(name)));
  const std::string source = run.tokenizer().chat_template();
  if (source.empty())
    return Failure{{.what = "the model has no chat template",
                    .where = run.model_path().string(),
                    .mend = "set data.template to a name, or to none for plain prompts"}};
  return std::optional(PONDER_TRY(ChatTemplate::recognise(source, run.model_path().string())));
}

Result<ExampleOptions> read_example_options(const TrainRun& run, bool chat) {
  constexpr std::array<std::string_view, 2> kTooLong = {"cut", "drop"};
  constexpr std::array<std::string_view, 2> kTurns = {"last", "every"};
  const Recipe data = run.recipe().table("data");
  ExampleOptions options{.chat = PONDER_TRY(read_template(run, chat))};
  options.length = PONDER_TRY(data.integer("length", std::min<int64_t>(1024, run.config().context),
                                           {8, run.config().context}));
  options.drop_long = PONDER_TRY(data.word("too_long", "cut", kTooLong)) == "drop";
  options.every_answer = PONDER_TRY(data.word("turns", "last", kTurns)) == "every";
  return options;
}

Result<Data> read_data(TrainRun& run, std::string_view key, const ExampleOptions& options,
                       const PackingOptions& packing) {
  const Recipe data = run.recipe().table("data");
  const auto files = PONDER_TRY(data.paths(key));
  Data result{.set = PONDER_TRY(read_examples(files, run.tokenizer(), options))};
  for (const Example& example : result.set.examples)
    for (const int32_t id : example.tokens)
      if (id >= run.config().vocab)
        return Failure{{.what = "token " + std::to_string(id) + " is beyond the model's " +
                                std::to_string(run.config().vocab),
                        .where = data.where(key),
                        .mend = "use the tokenizer that belongs to the model"}};
  if (!result.set.examples.empty()) result.order.emplace(lengths_of(result.set), packing);
  if (run.ranks().rank() == 0 && (result.set.cut > 0 || result.set.dropped > 0))
    log(LogLevel::kWarning, "data." + std::string(key) + ": " + std::to_string(result.set.cut) +
                                " examples were cut, " + std::to_string(result.set.dropped) +
                                " left out");
  return result;
}

// What the three ways differ in, when a recipe says nothing.
struct Habits {
  bool chat = true;
  ScheduleShape schedule = ScheduleShape::kCosine;
};

Result<std::unique_ptr<Stage>> make_stage(TrainRun& run, const Habits& habits) {
  const Recipe& recipe = run.recipe();
  const ExampleOptions options = PONDER_TRY(read_example_options(run, habits.chat));
  PackingOptions packing{.seed = run.seed()};
  packing.group_tokens = PONDER_TRY(recipe.integer(
      "data.group", std::max<int64_t>(options.length, 2048), {options.length, 1 << 24}));
  packing.shuffle = PONDER_TRY(recipe.flag("data.shuffle", true));
  Data train = PONDER_TRY(read_data(run, "train", options, packing));
  if (!train.order)
    return Failure{{.what = "there is nothing to learn from",
                    .where = recipe.where("data.train"),
                    .mend = "name files with examples"}};
  PackingOptions in_order = packing;
  in_order.shuffle = false;
  Data held_out = PONDER_TRY(read_data(run, "eval", options, in_order));
  Transcripts transcripts = PONDER_TRY(Transcripts::read(run, options.chat));
  Settings settings{.largest = packing.group_tokens};
  settings.batch = PONDER_TRY(recipe.integer("train.batch", 4, {1, 1 << 20}));
  const double groups = static_cast<double>(train.order->groups());
  const double epochs = PONDER_TRY(recipe.number("train.epochs", 1.0, {1e-6, 1e6}));
  const auto of_epochs =
      static_cast<int64_t>(std::ceil(epochs * groups / static_cast<double>(settings.batch)));
  settings.steps =
      PONDER_TRY(recipe.integer("train.steps", std::max<int64_t>(1, of_epochs), {1, 1 << 30}));
  settings.eval_every = PONDER_TRY(recipe.integer("train.eval_every", 0, {0, 1 << 30}));
  settings.balance = PONDER_TRY(recipe.number("train.balance", 0.0, {0, 10}));
  settings.mtp = PONDER_TRY(recipe.number("train.mtp", 0.0, {0, 10}));
  settings.recompute = PONDER_TRY(recipe.flag("train.recompute", true));
  settings.schedule =
      PONDER_TRY(read_schedule(recipe.table("optimizer"), settings.steps, habits.schedule));
  return std::unique_ptr<Stage>(std::make_unique<SupervisedStage>(
      settings, std::move(train), std::move(held_out), std::move(transcripts)));
}

}  // namespace

Result<std::unique_ptr<Stage>> make_pretrain_stage(TrainRun& run) {
  return make_stage(run, {.chat = false});
}
Result<std::unique_ptr<Stage>> make_sft_stage(TrainRun& run) { return make_stage(run, {}); }
Result<std::unique_ptr<Stage>> make_distill_stage(TrainRun& run) { return make_stage(run, {}); }

}  // namespace ponder
