#include "train/run.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "io/safetensors.hpp"
#include "testing/isas.hpp"
#include "train/adapter_files.hpp"
#include "train/model_output.hpp"
#include "train/train_testing.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

// Asks for a stop after so many steps.
class StopAfter : public RunObserver {
 public:
  explicit StopAfter(int64_t steps) : steps_(steps) {}
  void stepped(int64_t done, const Figures& figures) override {
    if (done >= steps_) stop = true;
    last = figures;
  }
  std::atomic<bool> stop{false};
  Figures last;

 private:
  int64_t steps_;
};

class RunTest : public ::testing::Test {
 protected:
  RunTest() { testing::write_tiny_recipe(folder_); }

  std::filesystem::path out(const std::string& name) const { return folder_.path() / name; }

  Result<RunEnd> run(const std::string& name, RunOptions options = {},
                     std::vector<std::string> sets = {}) {
    const Recipe recipe = PONDER_TRY(Recipe::open(folder_.path() / "recipe.toml", sets));
    options.out = out(name);
    if (options.threads == 0) options.threads = 1;
    for (const StageEntry& stage : stage_entries())
      if (stage.name == "sft") return train(recipe, stage.make, options);
    return Failure{{.what = "no such stage"}};
  }
  std::string finished(const std::string& name, const RunOptions& options = {},
                       const std::vector<std::string>& sets = {}) {
    const auto end = run(name, options, sets);
    EXPECT_TRUE(end.ok()) << end.error().message();
    EXPECT_TRUE(end.ok() && end.value().finished);
    return end.ok() ? end.value().sha256 : "";
  }
  // metrics.jsonl without what the clock says.
  std::vector<std::string> metrics(const std::string& name) const {
    std::vector<std::string> lines;
    EXPECT_TRUE(read_step_log(out(name) / "metrics.jsonl", [&](const OrderedJson& line) {
                  OrderedJson kept = line;
                  kept.erase("seconds");
                  kept.erase("time");
                  lines.push_back(kept.dump());
                  return true;
                }).ok());
    return lines;
  }

  testing::TempFolder folder_;
};

TEST_F(RunTest, TrainsAndLeavesAModelWhoseHashIsTold) {
  StopAfter observer(1000);
  const std::string hash = finished("a", {.observer = &observer});
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(tensors_sha256(out("a") / "model/model.safetensors").value(), hash);
  EXPECT_TRUE(std::filesystem::exists(out("a") / "model/tokenizer.json"));
  EXPECT_TRUE(std::filesystem::exists(out("a") / "tensorboard/events.out.tfevents.ponder"));
  const auto lines = metrics("a");
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_THAT(lines[0], HasSubstr("\"loss\":6."));  // log 519 = 6.25
  EXPECT_THAT(lines[2], HasSubstr("\"eval_loss\""));
  EXPECT_THAT(lines[2], HasSubstr("\"mtp_loss\""));
  EXPECT_THAT(lines[2], HasSubstr("\"load_imbalance\""));
  EXPECT_THAT(lines[1], ::testing::Not(HasSubstr("\"eval_loss\"")));
  EXPECT_THAT(testing::content_of(out("a") / "recipe.toml"), HasSubstr("optimizer.rate = 0.003"));
  // Again, elsewhere and with other threads: the same bytes. Another seed: others.
  EXPECT_EQ(finished("b", {.threads = 2}), hash);
  EXPECT_EQ(metrics("b"), lines);
  EXPECT_NE(finished("c", {.seed = 4}), hash);
}

TEST_F(RunTest, LearnsWhatItIsShown) {
  StopAfter observer(1000);
  finished("a", {.observer = &observer}, {"train.steps=60", "train.eval_every=0"});
  double loss = 100;
  for (const auto& [name, value] : observer.last)
    if (name == "loss") loss = value;
  EXPECT_LT(loss, 2.0);
}

TEST_F(RunTest, GoesOnToTheSameBytesAfterAStop) {
  const std::string hash = finished("whole");
  for (const int64_t steps : {1, 2, 3, 5}) {
    const std::string name = "stopped" + std::to_string(steps);
    StopAfter observer(steps);
    const auto stopped = run(name, {.stop = &observer.stop, .observer = &observer});
    ASSERT_TRUE(stopped.ok()) << stopped.error().message();
    EXPECT_FALSE(stopped.value().finished);
    EXPECT_EQ(stopped.value().steps, steps);
    EXPECT_EQ(finished(name, {.resume = true, .threads = 2}), hash);
    EXPECT_EQ(metrics(name), metrics("whole"));
  }
  EXPECT_EQ(finished("whole", {.resume = true}), hash);  // nothing is left to do
}

// What kill -9 leaves: files of a moment, among them lines of steps after the last checkpoint.
TEST_F(RunTest, GoesOnFromWhateverAKilledProcessLeft) {
  const std::string hash = finished("whole");
  EXPECT_EQ(finished("new", {.resume = true}), hash);  // killed before anything was written
  StopAfter observer(5);
  ASSERT_TRUE(run("killed", {.stop = &observer.stop, .observer = &observer}).ok());
  std::filesystem::remove_all(out("killed") / "checkpoints/step-000000005.0000");
  std::ofstream(out("killed") / "metrics.jsonl", std::ios::app) << "{\"step\":6,\"lo";
  std::filesystem::create_directory(out("killed") / "checkpoints/step-000000006.0000.aside");
  EXPECT_EQ(finished("killed", {.resume = true}), hash);
  EXPECT_EQ(metrics("killed"), metrics("whole"));
}

TEST_F(RunTest, RanksComeToTheSameBytes) {
  const std::string hash = finished("alone");
  for (const int size : {2, 4}) {
    testing::ThreadRanks ranks(size);
    const std::string name = "ranks" + std::to_string(size);
    ranks.run([&](Communicator& rank) { EXPECT_EQ(finished(name, {.ranks = &rank}), hash); });
    EXPECT_EQ(metrics(name), metrics("alone"));
  }
}

TEST_F(RunTest, AFullDiskDuringCheckpointsLosesNothing) {
  const std::string hash = finished("whole");
  ::signal(SIGXFSZ, SIG_IGN);
  StopAfter observer(2);
  ASSERT_TRUE(run("full", {.stop = &observer.stop, .observer = &observer}).ok());
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{4000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const auto failed = run("full", {.resume = true});
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(failed.ok());  // the model cannot be saved in the end
  EXPECT_TRUE(std::filesystem::exists(out("full") / "checkpoints/step-000000002.0000"));
  EXPECT_EQ(finished("full", {.resume = true}), hash);
  EXPECT_EQ(metrics("full"), metrics("whole"));
}

TEST_F(RunTest, RefusesWhatIsNotMeant) {
  EXPECT_THAT(run("a", {}, {"optimizer.ratte=1"}).error().message(), HasSubstr("optimizer.rate"));
  EXPECT_THAT(run("a", {}, {"data.train=[]"}).error().message(), HasSubstr("nothing to learn"));
  EXPECT_THAT(run("a", {}, {"model.path=x"}).error().message(), HasSubstr("either"));
  finished("a");
  EXPECT_THAT(run("a").error().message(), HasSubstr("holds a run already"));
  EXPECT_THAT(run("a", {.resume = true}, {"train.batch=2"}).error().message(),
              HasSubstr("other settings: train.batch = 5"));
  EXPECT_THAT(run("a", {.resume = true, .seed = 9}).error().message(), HasSubstr("# seed 3"));
  // The recipe that belongs to the folder is still there.
  EXPECT_TRUE(run("a", {.resume = true}).ok());
}

TEST_F(RunTest, WritesTranscripts) {
  finished("a", {}, {"train.steps=5"});
  std::vector<std::string> lines;
  EXPECT_TRUE(read_step_log(out("a") / "samples.jsonl", [&](const OrderedJson& line) {
                lines.push_back(line["step"].dump() + line["prompt"].dump());
                return line["answer"].is_string();
              }).ok());
  EXPECT_THAT(lines, ::testing::ElementsAre("2\"3+4=\"", "4\"3+4=\""));
}

TEST_F(RunTest, TrainsAdaptersAndSavesThemAsPeftDoes) {
  folder_.write("ids.jsonl", R"({"tokens": [1, 2, 3, 4, 5, 6, 7, 8]}
{"tokens": [9, 8, 7, 6, 5, 4]})");
  const std::string base = std::filesystem::absolute("tests/golden/model/qwen2-s1").string();
  const std::vector<std::string> sets = {
      "model.config=\"\"",    "model.path=" + base, "model.tokenizer=tokenizer.json",
      "model.mtp=false",      "train.mtp=0",        "train.balance=0",
      "data.train=ids.jsonl", "data.eval=[]",       "samples.prompts=[]",
      "lora.rank=2",          "lora.alpha=4",       "lora.modules=[\"q_proj\", \"down_proj\"]"};
  const std::string hash = finished("a", {}, sets);
  const auto adapter = out("a") / "adapter";
  EXPECT_EQ(tensors_sha256(adapter / kAdapterTensors).value(), hash);
  EXPECT_EQ(finished("b", {.threads = 2}, sets), hash);
  const auto file = SafetensorsFile::open(adapter / kAdapterTensors).take_value();
  const TensorView* b =
      file.tensors().find("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->shape, Shape::of({64, 2}));
  EXPECT_EQ(file.tensors().names().size(), 4u * 2 * 2);

  const AdapterConfig config = read_adapter_config(adapter).take_value();
  EXPECT_EQ(config.rank, 2);
  EXPECT_EQ(config.alpha, 4.0);
  EXPECT_EQ(config.modules, (std::vector<std::string>{"q_proj", "down_proj"}));
  const Runtime runtime = testing::make_runtime(available_isas().back(), 1, Activations::kFloat);
  const auto model = TrainableModel::open(base, runtime.context(),
                                          {.lora_rank = config.rank,
                                           .lora_alpha = static_cast<float>(config.alpha),
                                           .lora_on = config.modules})
                         .take_value();
  ASSERT_TRUE(load_adapter(*model, adapter).ok());
  ASSERT_TRUE(save_adapter(*model, out("again"), config).ok());
  EXPECT_EQ(testing::content_of(out("again") / kAdapterTensors),
            testing::content_of(adapter / kAdapterTensors));
  // An adapter of other modules does not fit.
  const auto other = TrainableModel::open(base, runtime.context(),
                                          {.lora_rank = 2, .lora_alpha = 4, .lora_on = {"q_proj"}})
                         .take_value();
  EXPECT_THAT(load_adapter(*other, adapter).error().message(), HasSubstr("no place"));
}

TEST_F(RunTest, AdaptersThatCannotBeReadAreRefused) {
  const std::string good = R"("r": 2, "lora_alpha": 4, "target_modules": ["q_proj"])";
  folder_.write("x/adapter_config.json", "{" + good + "}");
  EXPECT_TRUE(read_adapter_config(out("x")).ok());
  for (const std::string bad :
       {"\"use_dora\": true", "\"use_rslora\": true", "\"bias\": \"all\"",
        "\"rank_pattern\": {\"a\": 1}", "\"modules_to_save\": [\"x\"]", "\"peft_type\": \"IA3\""}) {
    folder_.write("x/adapter_config.json", "{" + good + ", " + bad + "}");
    EXPECT_FALSE(read_adapter_config(out("x")).ok()) << bad;
  }
  for (const std::string bad : {"{}", R"({"r": 0, "lora_alpha": 1, "target_modules": ["a"]})",
                                R"({"r": 1, "lora_alpha": 1, "target_modules": "all-linear"})"}) {
    folder_.write("x/adapter_config.json", bad);
    EXPECT_FALSE(read_adapter_config(out("x")).ok()) << bad;
  }
}

TEST_F(RunTest, RefusesWhatCannotFit) {
  Json config = Json::parse(testing::content_of(folder_.path() / "config.json"));
  config["hidden_size"] = 999936;
  folder_.write("config.json", config.dump());
  const auto refused = run("a");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("of memory, most of it for gradients"));
}

TEST_F(RunTest, AFolderServesOneProcessAtATime) {
  StopAfter observer(1);
  class Second : public StopAfter {
   public:
    explicit Second(std::function<void()> body) : StopAfter(1), body_(std::move(body)) {}
    void stepped(int64_t done, const Figures&) override {
      if (done == 1) body_();
    }

   private:
    std::function<void()> body_;
  };
  Second outer([&] {
    EXPECT_THAT(run("a", {.resume = true}).error().message(), HasSubstr("another process"));
  });
  finished("a", {.observer = &outer});
}

}  // namespace
}  // namespace ponder
