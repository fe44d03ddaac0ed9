#include "train/rl/pipeline.hpp"

#include <algorithm>
#include <map>

#include "base/file.hpp"
#include "io/json.hpp"
#include "io/printable.hpp"
#include "io/sha256.hpp"
#include "train/rl/demonstrations.hpp"
#include "train/rl/sample_run.hpp"
#include "train/rl/sampler.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMostFileBytes = 1 << 20;
constexpr std::string_view kValues = "values.";
constexpr std::string_view kSampleKind = "sample", kDemonstrationsKind = "demonstrations";

const StageEntry* find_stage(std::string_view kind) {
  const auto entries = stage_entries();
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const StageEntry& entry) { return entry.name == kind; });
  return found == entries.end() ? nullptr : &*found;
}

bool known_kind(std::string_view kind) {
  return kind == kSampleKind || kind == kDemonstrationsKind || find_stage(kind) != nullptr;
}

bool good_name(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(kLetters) == name.npos;
}

// What a name in {} stands for: the folder of an earlier stage, or a value.
using Names = std::map<std::string, std::string>;

Result<std::string> with_names(std::string text, const Names& names, const std::string& where) {
  for (size_t open = text.find('{'); open != std::string::npos; open = text.find('{', open)) {
    const size_t close = text.find('}', open);
    const std::string name =
        close == std::string::npos ? "" : text.substr(open + 1, close - open - 1);
    const auto found = names.find(name);
    if (found == names.end())
      return Failure{{.what = printable(text) + " has neither an earlier stage nor a value in {}",
                      .where = where}};
    text.replace(open, close - open + 1, found->second);
    open += found->second.size();
  }
  return text;
}

// "name=value" of the recipe's `values`, or of `sets` ("values.name=value").
Result<Names> read_values(const Recipe& recipe, std::span<const std::string> sets) {
  Names names;
  for (const std::string& value : PONDER_TRY(recipe.texts("values"))) {
    const size_t equals = std::min(value.find('='), value.size());
    if (!good_name(value.substr(0, equals)) || equals == value.size())
      return Failure{
          {.what = printable(value) + " is no name=value", .where = recipe.where("values")}};
    const std::filesystem::path path = value.substr(equals + 1);
    names[value.substr(0, equals)] =
        (path.is_absolute() ? path : std::filesystem::absolute(recipe.folder() / path)).string();
  }
  for (const std::string& set : sets) {
    if (!set.starts_with(kValues)) continue;
    const size_t equals = std::min(set.find('='), set.size());
    const auto found = names.find(set.substr(kValues.size(), equals - kValues.size()));
    if (found == names.end() || equals == set.size())
      return Failure{{.what = printable(set) + " sets no value of the pipeline", .where = "--set"}};
    found->second = std::filesystem::absolute(set.substr(equals + 1)).string();
  }
  return names;
}

// One pipeline on its way through the stages.
class PipelineRun {
 public:
  explicit PipelineRun(const PipelineOptions& options) : options_(options) {}

  // Gives the hash of its weights, if it has any. `tried`: how often it was run before this.
  Result<std::string> run(const PipelineStage& stage, int64_t tried);
  // How often a stage was run and found wanting, `most` or fewer.
  int64_t tries_before(const PipelineStage& stage, int64_t most) const;
  // Whether the stage has found enough; if not, and there are tries left, stages from
  // stages[at].again to `at` are put aside.
  Result<bool> satisfied(std::span<const PipelineStage> stages, size_t at);

 private:
  Result<std::optional<std::string>> done_before(const PipelineStage& stage,
                                                 const std::string& recipe) const;
  Result<std::string> run_kind(const PipelineStage& stage, const Recipe& recipe, bool resume,
                               RunObserver* observer, std::optional<uint64_t> seed);
  Result<void> put_aside(std::span<const PipelineStage> stages, int64_t number) const;
  bool stopping() const { return options_.stop != nullptr && *options_.stop; }
  ProgressSink progress(RunObserver* observer) const {
    return [this, observer](const ProgressReport& report) {
      if (observer != nullptr)
        observer->progress(report.what, static_cast<int64_t>(report.done),
                           static_cast<int64_t>(report.total));
      return !stopping();
    };
  }

  const PipelineOptions& options_;
};

// What a stage is known by: its kind, its recipe's text and what is set.
Result<std::string> fingerprint(const PipelineStage& stage, const std::optional<uint64_t>& seed) {
  std::string text = stage.kind + "\n" + (seed ? std::to_string(*seed) : "") + "\n" +
                     PONDER_TRY(read_file(stage.recipe, kMostFileBytes));
  for (const std::string& set : stage.sets) text += "\n" + set;
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.hex();
}

// The hash that a finished stage has left; nothing if it is not finished.
Result<std::optional<std::string>> PipelineRun::done_before(const PipelineStage& stage,
                                                            const std::string& recipe) const {
  const std::filesystem::path file = options_.out / stage.name / "done.json";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::optional<std::string>();
  const std::string text = PONDER_TRY(read_file(file, kMostFileBytes));
  const Json done = PONDER_TRY(parse_json(text, file.string()));
  if (PONDER_TRY(text_field(done, "recipe", file.string())) != recipe)
    return Failure{{.what = "stage " + stage.name + " was done with another recipe",
                    .where = file.string(),
                    .mend = "remove its folder to run it again, or use another --out"}};
  return std::optional(PONDER_TRY(text_field(done, "sha256", file.string())));
}

Result<std::string> PipelineRun::run_kind(const PipelineStage& stage, const Recipe& recipe,
                                          bool resume, RunObserver* observer,
                                          std::optional<uint64_t> seed) {
  const std::filesystem::path out = options_.out / stage.name;
  if (stage.kind == kSampleKind) {
    PONDER_TRY(run_sampling(recipe, {.out = out,
                                     .resume = resume,
                                     .threads = options_.threads,
                                     .isa = options_.isa,
                                     .seed = seed,
                                     .stop = [this] { return stopping(); },
                                     .progress = progress(observer),
                                     .ranks = options_.ranks}));
    return std::string();
  }
  if (stage.kind == kDemonstrationsKind) {
    Result<void> written;
    if (options_.ranks->rank() == 0)
      written = write_demonstrations(recipe, seed, out, progress(observer));
    PONDER_TRY(agreed(*options_.ranks, written));
    return std::string();
  }
  const RunEnd end = PONDER_TRY(train(recipe, find_stage(stage.kind)->make,
                                      {.out = out,
                                       .resume = resume,
                                       .threads = options_.threads,
                                       .isa = options_.isa,
                                       .seed = seed,
                                       .stop = options_.stop,
                                       .observer = observer,
                                       .ranks = options_.ranks}));
  if (!end.finished) return Failure{{.what = "stopped"}};
  return end.sha256;
}

std::filesystem::path aside(const std::filesystem::path& out, const PipelineStage& stage,
                            int64_t number) {
  return out / (stage.name + "-try" + std::to_string(number));
}

int64_t PipelineRun::tries_before(const PipelineStage& stage, int64_t most) const {
  int64_t count = 0;
  std::error_code ignored;
  if (options_.ranks->rank() == 0)
    while (count < most && std::filesystem::exists(aside(options_.out, stage, count + 1), ignored))
      ++count;
  return options_.ranks->largest(count);
}

// The first stage's folder goes last: as long as it is there nothing counts as put aside.
Result<void> PipelineRun::put_aside(std::span<const PipelineStage> stages, int64_t number) const {
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    const auto from = options_.out / stage->name, to = aside(options_.out, *stage, number);
    std::error_code error;
    if (!std::filesystem::exists(from, error)) continue;  // an earlier process was killed here
    std::filesystem::remove_all(to, error);
    std::filesystem::rename(from, to, error);
    if (error)
      return Failure{{.what = "cannot be renamed: " + error.message(), .where = from.string()}};
  }
  return {};
}

Result<bool> PipelineRun::satisfied(std::span<const PipelineStage> stages, size_t at) {
  const PipelineStage& stage = stages[at];
  if (stage.solved == 0.0) return true;
  const auto judge = [&]() -> Result<double> {
    const auto file = options_.out / stage.name / "report.json";
    const std::string text = PONDER_TRY(read_file(file, kMostFileBytes));
    const Json report = PONDER_TRY(parse_json(text, file.string()));
    const auto solved = PONDER_TRY(integer_field(report, "solved", file.string()));
    const auto problems = PONDER_TRY(integer_field(report, "problems", file.string()));
    return static_cast<double>(solved) / std::max(1.0, static_cast<double>(problems));
  };
  const bool leads = options_.ranks->rank() == 0;
  Result<double> share = leads ? judge() : Result<double>(0.0);
  PONDER_TRY(agreed(*options_.ranks, share.ok() ? Result<void>() : Failure{share.error()}));
  if (options_.ranks->any(leads && share.value() >= stage.solved)) return true;
  const int64_t number = tries_before(stages[stage.again], stage.tries) + 1;
  if (number >= stage.tries)
    return Failure{{.what = std::to_string(share.value()) + " of the problems are solved, where " +
                            std::to_string(stage.solved) + " are wanted, after " +
                            std::to_string(number) + " tries",
                    .where = stage.name,
                    .mend = "train " + stages[stage.again].name +
                            " for longer, or set a lower `solved` in the pipeline's recipe"}};
  Result<void> moved;
  if (leads) moved = put_aside(stages.subspan(stage.again, at - stage.again + 1), number);
  PONDER_TRY(agreed(*options_.ranks, moved));
  return false;
}

Result<std::string> PipelineRun::run(const PipelineStage& stage, int64_t tried) {
  constexpr uint64_t kSeedStep = 1000;  // from one try to the next
  std::optional<uint64_t> seed = options_.seed;
  if (tried > 0) {
    const Recipe recipe = PONDER_TRY(Recipe::open(stage.recipe, stage.sets));
    if (!seed) seed = static_cast<uint64_t>(PONDER_TRY(recipe.integer("seed", 0, {.least = 0})));
    *seed += kSeedStep * static_cast<uint64_t>(tried);
  }
  const std::string recipe_hash = PONDER_TRY(fingerprint(stage, seed));
  const std::filesystem::path folder = options_.out / stage.name;
  if (const auto done = PONDER_TRY(done_before(stage, recipe_hash))) return *done;
  std::error_code error;
  const bool exists = std::filesystem::exists(folder, error);
  std::filesystem::create_directories(folder, error);
  if (error) return Failure{{.what = error.message(), .where = folder.string()}};
  const Recipe recipe = PONDER_TRY(Recipe::open(stage.recipe, stage.sets));
  std::unique_ptr<RunObserver> observer;
  if (options_.observer && options_.ranks->rank() == 0) observer = options_.observer(stage);
  const std::string sha256 = PONDER_TRY(run_kind(stage, recipe, exists, observer.get(), seed));
  Result<void> written;
  if (options_.ranks->rank() == 0) {
    const OrderedJson done = {{"kind", stage.kind}, {"recipe", recipe_hash}, {"sha256", sha256}};
    written = write_file(folder / "done.json", done.dump() + "\n");
  }
  PONDER_TRY(agreed(*options_.ranks, written));
  return sha256;
}

}  // namespace

namespace {

// The keys `solved`, `again` and `tries`, after those of earlier stages.
Result<void> read_judgement(const Recipe& entry, std::span<const PipelineStage> earlier,
                            PipelineStage& stage) {
  stage.solved = PONDER_TRY(entry.number("solved", 0.0, {0.0, 1.0}));
  if (stage.solved == 0.0) return {};
  if (stage.kind != kSampleKind)
    return Failure{{.what = "only stages of kind sample count what is solved",
                    .where = entry.where("solved")}};
  const std::string again = PONDER_TRY(entry.text("again", std::nullopt));
  const auto found = std::find_if(earlier.begin(), earlier.end(),
                                  [&](const PipelineStage& s) { return s.name == again; });
  if (found == earlier.end())
    return Failure{
        {.what = printable(again) + " is no earlier stage", .where = entry.where("again")}};
  stage.again = static_cast<size_t>(found - earlier.begin());
  stage.tries = PONDER_TRY(entry.integer("tries", 3, {1, 100}));
  return {};
}

}  // namespace

Result<std::vector<PipelineStage>> read_pipeline(const std::filesystem::path& file,
                                                 const std::filesystem::path& out,
                                                 std::span<const std::string> sets) {
  const Recipe recipe = PONDER_TRY(Recipe::open(file));
  std::vector<PipelineStage> stages;
  Names names = PONDER_TRY(read_values(recipe, sets));
  for (const Recipe& entry : PONDER_TRY(recipe.tables("stage"))) {
    PipelineStage stage;
    stage.name = PONDER_TRY(entry.text("name", std::nullopt));
    stage.kind = PONDER_TRY(entry.text("kind", std::nullopt));
    stage.recipe = PONDER_TRY(entry.path("recipe", std::nullopt));
    if (!good_name(stage.name) || names.contains(stage.name))
      return Failure{{.what = "a stage cannot be called " + printable(stage.name),
                      .where = entry.where("name"),
                      .mend = "use each name once, and only a-z, 0-9, - and _"}};
    if (!known_kind(stage.kind))
      return Failure{{.what = "unknown kind of stage " + printable(stage.kind),
                      .where = entry.where("kind"),
                      .mend = "use pretrain, sft, rl, distill, sample or demonstrations"}};
    PONDER_TRY(read_judgement(entry, stages, stage));
    for (const std::string& set : PONDER_TRY(entry.texts("set")))
      stage.sets.push_back(PONDER_TRY(with_names(set, names, entry.where("set"))));
    names[stage.name] = (out / stage.name).string();
    stages.push_back(std::move(stage));
  }
  PONDER_TRY(recipe.finish());
  for (const std::string& set : sets) {
    if (set.starts_with(kValues)) continue;
    const size_t dot = std::min(set.find('.'), set.size());
    const auto stage = std::find_if(stages.begin(), stages.end(), [&](const PipelineStage& s) {
      return s.name == set.substr(0, dot);
    });
    if (stage == stages.end() || dot == set.size())
      return Failure{{.what = printable(set) + " begins with no stage's name",
                      .where = "--set",
                      .mend = "write stage.key=value"}};
    stage->sets.push_back(set.substr(dot + 1));
  }
  if (stages.empty())
    return Failure{
        {.what = "there are no stages", .where = file.string(), .mend = "add [[stage]]"}};
  return stages;
}

Result<PipelineEnd> run_pipeline(const std::filesystem::path& file,
                                 const PipelineOptions& options) {
  const std::filesystem::path out = std::filesystem::absolute(options.out);
  PipelineOptions absolute = options;
  absolute.out = out;
  const auto stages = PONDER_TRY(read_pipeline(file, out, options.sets));
  std::error_code error;
  const bool begun = std::filesystem::exists(out / stages.front().name, error);
  if (options.ranks->any(begun) && !options.resume)
    return Failure{{.what = "there is a run already",
                    .where = out.string(),
                    .mend = "go on with --resume, or name another folder"}};
  PipelineRun run(absolute);
  PipelineEnd end;
  for (size_t at = 0; at < stages.size(); ++at) {
    const PipelineStage& stage = stages[at];
    int64_t tried = 0;
    for (size_t judge = at + 1; judge < stages.size(); ++judge)
      if (stages[judge].solved > 0.0 && stages[judge].again <= at)
        tried = std::max(tried, run.tries_before(stages[stages[judge].again], stages[judge].tries));
    auto hash = run.run(stage, tried);
    if (!hash.ok() && hash.error().what == "stopped") return PipelineEnd{.finished = false};
    if (!hash.ok())
      return Failure{{.what = hash.error().what,
                      .where = "stage " + stage.name +
                               (hash.error().where.empty() ? "" : ", " + hash.error().where),
                      .mend = hash.error().mend}};
    if (!hash.value().empty()) end.sha256 = hash.value();
    if (!PONDER_TRY(run.satisfied(stages, at))) at = stage.again - 1;  // and on with that
  }
  return end;
}

}  // namespace ponder
