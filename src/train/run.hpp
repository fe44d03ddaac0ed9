// A run: the loop around the steps of a stage, with checkpoints, logs, resuming and an end. A stage
// (pretraining, fine-tuning, reinforcement learning) says what a step is.
//
// DIR/recipe.toml        every setting with its value
// DIR/metrics.jsonl      one object a step; the same as TensorBoard's events in DIR/tensorboard/
// DIR/samples.jsonl      transcripts
// DIR/checkpoints/       to resume from
// DIR/model/             the trained model, with its tokenizer: f32 weights
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "text/tokenizer.hpp"
#include "train/checkpoint.hpp"
#include "train/memory.hpp"
#include "train/recipe.hpp"
#include "train/step_log.hpp"
#include "train/trainer.hpp"

namespace ponder {

// Named numbers of a step, in the order in which they are shown.
using Figures = std::vector<std::pair<std::string, double>>;

class TrainRun;

// What is trained and how. Every rank has one, and they do the same.
class Stage {
 public:
  virtual ~Stage() = default;

  virtual int64_t steps() const = 0;
  // What it needs besides weights, gradients and moments, told before anything is allocated.
  virtual std::vector<MemoryTable::Row> memory(const Config& /*config*/) { return {}; }
  // The model is there; before restore() and the first step.
  virtual Result<void> begin(TrainRun& /*run*/) { return {}; }
  // Step `step` of 0 … steps() − 1: any number of run.trainer().update(). What it depends on is
  // `step`, the seed, the weights and the state below. Gives what goes into metrics.jsonl;
  // "tokens", if it is among them, counts for the rate that is shown.
  virtual Result<Figures> step(TrainRun& run, int64_t step) = 0;
  // Figures on held-out data, now and then and at the end; none by default.
  virtual Result<Figures> evaluate(TrainRun& /*run*/) { return Figures(); }
  // Whether evaluate() is worth calling after `done` steps.
  virtual bool evaluates_after(int64_t /*done*/) const { return false; }

  // What checkpoints keep besides weights, moments and router biases. Numbers are saved from where
  // they lie and read back to there.
  virtual std::vector<NamedFloats> tensors() { return {}; }
  virtual std::string state() const { return {}; }
  virtual Result<void> restore(const std::string& /*state*/) { return {}; }
};

// Who watches a run; called on rank 0 only.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void memory(const MemoryTable& /*table*/) {}
  virtual void started(int64_t /*first_step*/, int64_t /*steps*/) {}
  // `what` is being done within a step: "rollouts", "updating" … with a count.
  virtual void progress(std::string_view /*what*/, int64_t /*done*/, int64_t /*total*/) {}
  virtual void stepped(int64_t /*done*/, const Figures& /*figures*/) {}
  virtual void note(std::string_view /*line*/) {}
};

struct RunOptions {
  std::filesystem::path out = {};
  bool resume = false;
  int threads = 0;  // 0: one per CPU
  std::string isa = {};
  std::optional<uint64_t> seed = {};        // instead of the recipe's
  const std::atomic<bool>* stop = nullptr;  // asks for a checkpoint and an end
  RunObserver* observer = nullptr;
  Communicator* ranks = nullptr;  // null: this process alone
};

struct RunEnd {
  int64_t steps = 0;
  bool finished = true;     // false: stopped; can be resumed
  std::string sha256 = {};  // of the weights, if finished
};

// What stages use of a run.
class TrainRun {
 public:
  virtual ~TrainRun() = default;

  virtual const Recipe& recipe() const = 0;
  virtual const Config& config() const = 0;
  // From Stage::begin() on, not before.
  virtual Trainer& trainer() = 0;
  virtual const Tokenizer& tokenizer() const = 0;
  virtual uint64_t seed() const = 0;
  virtual const std::filesystem::path& folder() const = 0;  // DIR
  virtual Communicator& ranks() = 0;
  // The recipe's [model] path: where the tokenizer and its template are; the weights, if it has
  // any.
  virtual const std::filesystem::path& model_path() const = 0;

  // Whether this process was asked to stop. A leaf that sees it gives an error whose what is
  // "stopped", and the trainer makes all ranks agree; elsewhere ask ranks().any(stopping()). A step
  // that stops gives that error; the run ends, to be resumed from the last checkpoint. Before it
  // stops a step that has changed nothing but state() may call checkpoint().
  virtual bool stopping() const = 0;
  // The same for PassOptions::stop; may be null.
  virtual const std::atomic<bool>* stop_flag() const = 0;
  // A checkpoint inside step `step` (so many are done): state() and the weights as they are now. An
  // error only if ranks disagree: a disk that is full is told in the log.
  virtual Result<void> checkpoint(int64_t step) = 0;
  // A line of DIR/samples.jsonl: {"step": …} and whatever is given. On rank 0 only.
  virtual void sample(int64_t step, const OrderedJson& object) = 0;
  // Another log of the same kind, DIR/NAME: cut to the step that is resumed from. On rank 0 only.
  virtual Result<StepLog> open_log(const std::string& name) = 0;
  virtual void progress(std::string_view what, int64_t done, int64_t total) = 0;
};

// Makes the stage: reads its keys of run.recipe() and its data. There is no model yet.
using StageMaker = Result<std::unique_ptr<Stage>> (*)(TrainRun& run);

// Trains as `recipe` says. Keys of the run itself: seed, [model] path, config, tokenizer, mtp,
// [lora] rank, alpha, modules, [optimizer] (OptimizerOptions), [checkpoints] every, keep. Errors:
// of the recipe, of files; "stopped" never, see RunEnd.
Result<RunEnd> train(const Recipe& recipe, StageMaker make_stage, const RunOptions& options);

// The stages by their names on the command line; RL's is in rl/.
struct StageEntry {
  std::string_view name, help;
  StageMaker make;
};
std::span<const StageEntry> stage_entries();

}  // namespace ponder
