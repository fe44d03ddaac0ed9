#include "train/run.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/file.hpp"
#include "base/log.hpp"
#include "ops/runtime.hpp"
#include "train/event_file.hpp"
#include "train/model_output.hpp"

namespace ponder {
namespace {

using Clock = std::chrono::steady_clock;

// Keeps a second process out of a run's folder, until this one ends.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::filesystem::path& folder) {
    FolderLock lock;
    const auto path = folder / "lock";
    lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock.descriptor_ < 0)
      return Failure{{.what = std::string("cannot create: ") + std::strerror(errno),
                      .where = path.string(),
                      .mend = "name a folder that can be written with --out"}};
    if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0)
      return Failure{{.what = "another process is training into it", .where = folder.string()}};
    return lock;
  }
  FolderLock() = default;
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  int descriptor_ = -1;
};

// Where the model comes from.
struct ModelSettings {
  std::filesystem::path path;       // with weights; empty: random ones
  std::filesystem::path config;     // a config.json, if there is no path
  std::filesystem::path tokenizer;  // a folder or file
  TrainableOptions options;
};

Result<ModelSettings> read_model_settings(const Recipe& recipe, uint64_t seed) {
  ModelSettings settings;
  const Recipe model = recipe.table("model");
  settings.path = PONDER_TRY(model.path("path", ""));
  settings.config = PONDER_TRY(model.path("config", ""));
  if (settings.path.empty() == settings.config.empty())
    return Failure{{.what = "name either a model to go on with or a config.json to begin with",
                    .where = recipe.where("model"),
                    .mend = "set model.path or model.config"}};
  const auto& source = settings.path.empty() ? settings.config : settings.path;
  settings.tokenizer = PONDER_TRY(model.path("tokenizer", source.string()));
  settings.options.seed = seed;
  settings.options.mtp = PONDER_TRY(model.flag("mtp", false));
  const Recipe lora = recipe.table("lora");
  settings.options.lora_rank = PONDER_TRY(lora.integer("rank", 0, {0, 4096}));
  const double alpha =
      PONDER_TRY(lora.number("alpha", 2.0 * static_cast<double>(settings.options.lora_rank)));
  settings.options.lora_alpha = static_cast<float>(alpha);
  settings.options.lora_on = PONDER_TRY(lora.texts("modules"));
  if (settings.options.lora_rank > 0 && settings.path.empty())
    return Failure{{.what = "adapters need a model that is there already",
                    .where = recipe.where("lora.rank"),
                    .mend = "set model.path"}};
  return settings;
}

// The first line of `then` that `now` does not have.
std::string first_difference(const std::string& then, const std::string& now) {
  for (size_t begin = 0; begin < then.size();) {
    const size_t end = std::min(then.find('\n', begin), then.size());
    const std::string line = then.substr(begin, end - begin);
    if (("\n" + now).find("\n" + line + "\n") == std::string::npos) return line;
    begin = end + 1;
  }
  return "a key more";
}

Result<Config> read_model_config(const ModelSettings& settings) {
  if (!settings.path.empty()) return read_config(settings.path);
  const std::string text = PONDER_TRY(read_file(settings.config, 1 << 20));
  return config_from_json(text, settings.config.string());
}

struct CheckpointSettings {
  int64_t every = 50;
  int64_t keep = 3;
};

class RunImpl : public TrainRun {
 public:
  RunImpl(const Recipe& recipe, const RunOptions& options, Communicator& ranks)
      : recipe_(recipe), options_(options), ranks_(ranks) {}

  const Recipe& recipe() const override { return recipe_; }
  const Config& config() const override { return config_; }
  Trainer& trainer() override { return *trainer_; }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }
  uint64_t seed() const override { return seed_; }
  const std::filesystem::path& folder() const override { return options_.out; }
  Communicator& ranks() override { return ranks_; }
  const std::filesystem::path& model_path() const override { return model_.tokenizer; }
  bool stopping() const override { return options_.stop != nullptr && *options_.stop; }
  const std::atomic<bool>* stop_flag() const override { return options_.stop; }
  Result<void> checkpoint(int64_t step) override;
  void sample(int64_t step, const OrderedJson& object) override;
  Result<StepLog> open_log(const std::string& name) override {
    return StepLog::open(options_.out / name, first_step_);
  }
  void progress(std::string_view what, int64_t done, int64_t total) override {
    if (watched()) options_.observer->progress(what, done, total);
  }

  Result<RunEnd> train(StageMaker make_stage);

 private:
  bool leads() const { return ranks_.rank() == 0; }
  bool watched() const { return leads() && options_.observer != nullptr; }
  Result<void> prepare(StageMaker make_stage);
  Result<void> check_identity(const std::string& then) const;
  Result<void> enter_folder();
  Result<void> check_memory();
  Result<void> open_model();
  Result<void> open_checkpoints();
  Result<void> resume();
  Result<void> open_logs();
  Result<RunEnd> loop();
  Result<void> one_step(int64_t step);
  void record(int64_t done, const Figures& figures, double seconds);
  std::vector<NamedFloats> tensors();
  Result<void> save_model(std::string& sha256);
  Result<RunEnd> finish();
  // The first error of any rank becomes everybody's.
  Result<void> agree(const Result<void>& here);

  Recipe recipe_;
  RunOptions options_;
  Communicator& ranks_;
  uint64_t seed_ = 0;
  ModelSettings model_;
  CheckpointSettings checkpoint_settings_;
  OptimizerOptions optimizer_;
  Config config_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<Runtime> runtime_;
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<TrainableModel> weights_;
  std::unique_ptr<Trainer> trainer_;
  std::optional<FolderLock> lock_;
  std::optional<CheckpointFolder> checkpoints_;
  std::optional<StepLog> metrics_, samples_;
  std::optional<EventFile> events_;
  std::string identity_;  // what a run is known by
  int64_t first_step_ = 0;
  int64_t saved_step_ = 0;  // of the last checkpoint
};

Result<void> RunImpl::agree(const Result<void>& here) {
  if (!ranks_.any(!here.ok()) || !here.ok()) return here;
  return Failure{{.what = "another rank has failed", .where = "mpirun"}};
}

Result<void> RunImpl::prepare(StageMaker make_stage) {
  seed_ = static_cast<uint64_t>(PONDER_TRY(recipe_.integer("seed", 0, {.least = 0})));
  if (options_.seed) seed_ = *options_.seed;
  model_ = PONDER_TRY(read_model_settings(recipe_, seed_));
  const Recipe checkpoints = recipe_.table("checkpoints");
  checkpoint_settings_.every = PONDER_TRY(checkpoints.integer("every", 50, {0, 1 << 30}));
  checkpoint_settings_.keep = PONDER_TRY(checkpoints.integer("keep", 3, {1, 1 << 20}));
  optimizer_ = PONDER_TRY(read_optimizer(recipe_.table("optimizer")));
  config_ = PONDER_TRY(read_model_config(model_));
  if (model_.options.lora_on.empty()) model_.options.lora_on = usual_lora_modules(config_);
  tokenizer_ = PONDER_TRY(load_tokenizer_of(model_.tokenizer));
  runtime_ = PONDER_TRY(Runtime::create(
      {.threads = options_.threads, .isa = options_.isa, .activations = Activations::kFloat}));
  stage_ = PONDER_TRY(make_stage(*this));
  PONDER_TRY(recipe_.finish());
  identity_ = recipe_.resolved() + "# seed " + std::to_string(seed_) + "\n";
  return {};
}

Result<void> RunImpl::check_identity(const std::string& then) const {
  if (then == identity_) return {};
  return Failure{{.what = "began with other settings: " + first_difference(then, identity_),
                  .where = options_.out.string(),
                  .mend = "resume with the recipe, --set and --seed that it began with"}};
}

Result<void> RunImpl::enter_folder() {
  if (leads()) {
    std::error_code code;
    std::filesystem::create_directories(options_.out, code);
    if (code)
      return Failure{{.what = "cannot create: " + code.message(), .where = options_.out.string()}};
    lock_ = PONDER_TRY(FolderLock::take(options_.out));
    const auto path = options_.out / "recipe.toml";
    if (!std::filesystem::exists(path, code)) return write_file(path, identity_);
    if (!options_.resume)
      return Failure{{.what = "holds a run already",
                      .where = options_.out.string(),
                      .mend = "go on with --resume, or name another folder with --out"}};
    return check_identity(PONDER_TRY(read_file(path, 1 << 20)));
  }
  return {};
}

Result<void> RunImpl::check_memory() {
  const ParameterCount count = count_parameters(config_);
  const auto parameters = static_cast<uint64_t>(count.total + (model_.options.mtp ? count.mtp : 0));
  MemoryTable table{.ranks = ranks_.size(), .available = available_memory()};
  const bool lora = model_.options.lora_rank > 0;
  const int64_t trained =
      lora ? lora_parameters(config_, model_.options) : static_cast<int64_t>(parameters);
  const uint64_t weights = lora ? base_bytes(model_.path) : parameters * sizeof(float);
  table.rows = {{.what = "weights", .bytes = weights, .mend = "train a smaller model"},
                {.what = "gradients and moments",
                 .bytes = Trainer::memory_bytes(trained, optimizer_.lanes, ranks_.size()),
                 .mend = lora ? "set a smaller lora.rank" : "train with [lora]"}};
  for (MemoryTable::Row& row : stage_->memory(config_)) table.rows.push_back(std::move(row));
  if (watched()) options_.observer->memory(table);
  return table.check();
}

Result<void> RunImpl::open_model() {
  const Context& context = runtime_->context();
  weights_ = model_.path.empty()
                 ? PONDER_TRY(TrainableModel::create(config_, context, model_.options))
                 : PONDER_TRY(TrainableModel::open(model_.path, context, model_.options));
  trainer_ = PONDER_TRY(Trainer::create(context, *weights_, ranks_, optimizer_));
  return stage_->begin(*this);
}

// What a checkpoint keeps: what is trained, and whatever the stage wants.
std::vector<NamedFloats> RunImpl::tensors() {
  std::vector<NamedFloats> list;
  for (ParamSlot& slot : weights_->slots())
    if (slot.trained) list.push_back({"weights." + slot.name, slot.values});
  list.push_back({"moment1", trainer_->first_moment()});
  list.push_back({"moment2", trainer_->second_moment()});
  for (int64_t layer = 0; layer < config_.layers + config_.mtp_layers; ++layer)
    if (const auto bias = weights_->router_bias(layer); !bias.empty())
      list.push_back({"router_bias." + std::to_string(layer), bias});
  for (NamedFloats& tensor : stage_->tensors())
    list.push_back({"stage." + tensor.name, tensor.values});
  return list;
}

Result<void> RunImpl::open_checkpoints() {
  checkpoints_ =
      PONDER_TRY(CheckpointFolder::open(options_.out / "checkpoints", checkpoint_settings_.keep));
  return {};
}

Result<void> RunImpl::resume() {
  if (!leads()) PONDER_TRY(open_checkpoints());
  if (!options_.resume) return {};
  const std::string isa(isa_name(runtime_->context().isa));
  const auto accept = [&](const CheckpointState& state) -> Result<void> {
    if (state.isa != isa)
      return Failure{{.what = "was trained with " + state.isa + ", not " + isa,
                      .where = options_.out.string(),
                      .mend = "go on with --isa " + state.isa}};
    return check_identity(state.run);
  };
  const auto tensors_here = tensors();
  auto state = PONDER_TRY(checkpoints_->load_newest(tensors_here, accept));
  if (!state) return {};
  first_step_ = saved_step_ = state->step;
  trainer_->set_updates(state->updates);
  return stage_->restore(state->stage_state);
}

// DIR/tensorboard is made again from metrics.jsonl, so that it never jumps either.
Result<void> RunImpl::open_logs() {
  if (!leads()) return {};
  metrics_ = PONDER_TRY(open_log("metrics.jsonl"));
  samples_ = PONDER_TRY(open_log("samples.jsonl"));
  std::error_code code;
  std::filesystem::create_directories(options_.out / "tensorboard", code);
  events_ = PONDER_TRY(EventFile::create(options_.out / "tensorboard/events.out.tfevents.ponder"));
  return read_step_log(options_.out / "metrics.jsonl", [&](const OrderedJson& line) {
    Figures figures;
    for (const auto& [name, value] : line.items())
      if (value.is_number() && name != "step" && name != "time")
        figures.emplace_back(name, value.get<double>());
    events_->add(line.value("step", int64_t{0}), line.value("time", 0.0), figures);
    return true;
  });
}

Result<void> RunImpl::checkpoint(int64_t step) {
  ranks_.barrier();
  // Collective, perhaps: a stage may gather what its ranks have.
  CheckpointState state{.step = step,
                        .updates = trainer_->updates(),
                        .run = identity_,
                        .isa = std::string(isa_name(runtime_->context().isa)),
                        .stage_state = stage_->state()};
  if (!leads()) return {};
  auto saved = metrics_->flush();
  if (saved.ok()) saved = samples_->flush();
  if (saved.ok()) saved = checkpoints_->save(state, tensors());
  if (saved.ok()) {
    saved_step_ = step;
    return {};
  }
  const std::string warning = "no checkpoint after step " + std::to_string(step) +
                              ", the one before stays: " + saved.error().message();
  // What watches may be in the middle of a line.
  if (watched())
    options_.observer->note("warning: " + warning);
  else
    log(LogLevel::kWarning, warning);
  return {};
}

void RunImpl::sample(int64_t step, const OrderedJson& object) {
  if (!samples_) return;
  OrderedJson line = {{"step", step}};
  line.update(object);
  samples_->append(line);
}

void RunImpl::record(int64_t done, const Figures& figures, double seconds) {
  if (!leads()) return;
  const double time =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  OrderedJson line = {{"step", done}};
  Figures scalars = figures;
  for (const auto& [name, value] : figures) line[name] = value;
  line["seconds"] = seconds;
  line["time"] = time;
  scalars.emplace_back("seconds", seconds);
  metrics_->append(line);
  events_->add(done, time, scalars);
  if (watched()) options_.observer->stepped(done, figures);
}

Result<void> RunImpl::one_step(int64_t step) {
  const auto start = Clock::now();
  Figures figures = PONDER_TRY(stage_->step(*this, step));
  const std::chrono::duration<double> seconds = Clock::now() - start;
  const int64_t done = step + 1;
  if (stage_->evaluates_after(done)) {
    const Figures held_out = PONDER_TRY(stage_->evaluate(*this));
    figures.insert(figures.end(), held_out.begin(), held_out.end());
  }
  record(done, figures, seconds.count());
  const bool due = checkpoint_settings_.every > 0 && done % checkpoint_settings_.every == 0;
  if (due && done < stage_->steps()) return checkpoint(done);
  return {};
}

Result<RunEnd> RunImpl::loop() {
  for (int64_t step = first_step_; step < stage_->steps(); ++step) {
    const bool stop = ranks_.any(stopping());
    if (stop) {
      PONDER_TRY(checkpoint(step));
      return RunEnd{.steps = step, .finished = false};
    }
    const int64_t updates = trainer_->updates();
    const auto done = agree(one_step(step));
    if (done.ok()) continue;
    if (!ranks_.any(stopping())) return Failure{done.error()};
    // Half a step is done again; if the weights are still those of its start, nothing else is.
    if (trainer_->updates() == updates) PONDER_TRY(checkpoint(step));
    return RunEnd{.steps = saved_step_, .finished = false};
  }
  return finish();
}

Result<void> RunImpl::save_model(std::string& sha256) {
  if (!leads()) return {};
  PONDER_TRY(metrics_->flush());
  sha256 = PONDER_TRY(save_trained(*weights_, {.out = options_.out,
                                               .base = model_.path,
                                               .tokenizer = model_.tokenizer,
                                               .options = model_.options}));
  return {};
}

Result<RunEnd> RunImpl::finish() {
  PONDER_TRY(check_same_on_all_ranks(*weights_, ranks_));
  PONDER_TRY(checkpoint(stage_->steps()));
  RunEnd end{.steps = stage_->steps()};
  PONDER_TRY(agree(save_model(end.sha256)));
  ranks_.broadcast(end.sha256);
  return end;
}

Result<RunEnd> RunImpl::train(StageMaker make_stage) {
  PONDER_TRY(agree(prepare(make_stage)));
  PONDER_TRY(agree(enter_folder()));
  PONDER_TRY(agree(check_memory()));
  PONDER_TRY(agree(open_model()));
  // The first to come removes what was left behind; then all may read.
  PONDER_TRY(agree(leads() ? open_checkpoints() : Result<void>()));
  PONDER_TRY(agree(resume()));
  PONDER_TRY(agree(open_logs()));
  if (watched()) options_.observer->started(first_step_, stage_->steps());
  return loop();
}

}  // namespace

Result<RunEnd> train(const Recipe& recipe, StageMaker make_stage, const RunOptions& options) {
  const auto alone = Communicator::alone();
  RunImpl run(recipe, options, options.ranks != nullptr ? *options.ranks : *alone);
  return run.train(make_stage);
}

}  // namespace ponder
