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

  // Gives the hash of its weights, if it has any.
  Result<std::string> run(const PipelineStage& stage);

 private:
  Result<std::optional<std::string>> done_before(const PipelineStage& stage,
                                                 const std::string& recipe) const;
  Result<std::string> run_kind(const PipelineStage& stage, const Recipe& recipe, bool resume,
                               RunObserver* observer);
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
                                          bool resume, RunObserver* observer) {
  const std::filesystem::path out = options_.out / stage.name;
  if (stage.kind == kSampleKind) {
    PONDER_TRY(run_sampling(recipe, {.out = out,
                                     .resume = resume,
                                     .threads = options_.threads,
                                     .isa = options_.isa,
                                     .seed = options_.seed,
                                     .stop = [this] { return stopping(); },
                                     .progress = progress(observer),
                                     .ranks = options_.ranks}));
    return std::string();
  }
  if (stage.kind == kDemonstrationsKind) {
    Result<void> written;
    if (options_.ranks->rank() == 0)
      written = write_demonstrations(recipe, options_.seed, out, progress(observer));
    PONDER_TRY(agreed(*options_.ranks, written));
    return std::string();
  }
  const RunEnd end = PONDER_TRY(train(recipe, find_stage(stage.kind)->make,
                                      {.out = out,
                                       .resume = resume,
                                       .threads = options_.threads,
                                       .isa = options_.isa,
                                       .seed = options_.seed,
                                       .stop = options_.stop,
                                       .observer = observer,
                                       .ranks = options_.ranks}));
  if (!end.finished) return Failure{{.what = "stopped"}};
  return end.sha256;
}

Result<std::string> PipelineRun::run(const PipelineStage& stage) {
  const std::string recipe_hash = PONDER_TRY(fingerprint(stage, options_.seed));
  const std::filesystem::path folder = options_.out / stage.name;
  if (const auto done = PONDER_TRY(done_before(stage, recipe_hash))) return *done;
  std::error_code error;
  const bool exists = std::filesystem::exists(folder, error);
  std::filesystem::create_directories(folder, error);
  if (error) return Failure{{.what = error.message(), .where = folder.string()}};
  const Recipe recipe = PONDER_TRY(Recipe::open(stage.recipe, stage.sets));
  std::unique_ptr<RunObserver> observer;
  if (options_.observer && options_.ranks->rank() == 0) observer = options_.observer(stage);
  const std::string sha256 = PONDER_TRY(run_kind(stage, recipe, exists, observer.get()));
  Result<void> written;
  if (options_.ranks->rank() == 0) {
    const OrderedJson done = {{"kind", stage.kind}, {"recipe", recipe_hash}, {"sha256", sha256}};
    written = write_file(folder / "done.json", done.dump() + "\n");
  }
  PONDER_TRY(agreed(*options_.ranks, written));
  return sha256;
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
  for (const PipelineStage& stage : stages) {
    auto hash = run.run(stage);
    if (!hash.ok() && hash.error().what == "stopped") return PipelineEnd{.finished = false};
    if (!hash.ok())
      return Failure{{.what = hash.error().what,
                      .where = "stage " + stage.name +
                               (hash.error().where.empty() ? "" : ", " + hash.error().where),
                      .mend = hash.error().mend}};
    if (!hash.value().empty()) end.sha256 = hash.value();
  }
  return end;
}

}  // namespace ponder
