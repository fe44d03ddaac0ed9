#include "train/rl/problems.hpp"

#include <algorithm>
#include <numeric>

#include "base/file.hpp"
#include "base/rng.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr uint64_t kMostFileBytes = uint64_t{1} << 30;
constexpr size_t kMostPrompt = 1 << 20;
// How often another problem is made instead of one that is held out.
constexpr int kMostAttempts = 1000;

// Streams of random numbers, apart from one another.
constexpr uint64_t kMixStream = 1, kOrderStream = 1 << 20;

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

Result<Problem> problem_from_json(const Json& object, const std::string& task,
                                  const std::string& where) {
  if (!object.is_object()) return Failure{{.what = "a problem is an object", .where = where}};
  Problem problem;
  problem.id = PONDER_TRY(text_field_or(object, "id", where, ""));
  problem.task = PONDER_TRY(text_field_or(object, "task", where, task));
  problem.extra = Json::object();
  for (const char* key : {"prompt", "question", "problem"}) {
    if (!problem.prompt.empty()) break;
    problem.prompt = PONDER_TRY(text_field_or(object, key, where, ""));
  }
  if (problem.prompt.empty() || problem.prompt.size() > kMostPrompt)
    return Failure{
        {.what = problem.prompt.empty() ? "there is no prompt" : "the prompt is too long",
         .where = where,
         .mend = "give a text \"prompt\""}};
  if (find_task(problem.task) == nullptr) {
    std::string names;
    for (const std::string_view name : task_names()) names += " " + std::string(name);
    return Failure{{.what = "unknown task " + printable(problem.task),
                    .where = where,
                    .mend = "name one of" + names}};
  }
  if (const Json* answer = find_field(object, "answer")) problem.answer = text_of(*answer);
  problem.level =
      static_cast<int>(PONDER_TRY(integer_field_or(object, "level", where, 0, {0, 1000})));
  for (const auto& [key, value] : object.items()) {
    if (key == "extra" && value.is_object()) {
      problem.extra.update(value);
    } else if (key != "id" && key != "task" && key != "prompt" && key != "answer" &&
               key != "level") {
      problem.extra[key] = value;
    }
  }
  return problem;
}

Result<std::vector<Problem>> read_problems(const std::filesystem::path& path,
                                           const std::string& task) {
  const std::string text = PONDER_TRY(read_file(path, kMostFileBytes));
  std::vector<Problem> problems;
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = path.string() + " line " + std::to_string(number);
    const Json object = PONDER_TRY(parse_json(line, where));
    problems.push_back(PONDER_TRY(problem_from_json(object, task, where)));
    if (problems.back().id.empty())
      problems.back().id = path.filename().string() + ":" + std::to_string(number);
  }
  if (problems.empty()) return Failure{{.what = "there are no problems", .where = path.string()}};
  return problems;
}

Result<std::vector<ProblemStream::Source>> ProblemStream::read_sources(const Recipe& recipe) {
  std::vector<Source> sources;
  for (const Recipe& entry : PONDER_TRY(recipe.tables("task"))) {
    Source source;
    const std::string name = PONDER_TRY(entry.text("name", entry.has("file") ? "maths" : ""));
    const Task* task = find_task(name);
    if (task == nullptr) {
      std::string names;
      for (const std::string_view known : task_names()) names += " " + std::string(known);
      return Failure{{.what = "unknown task " + printable(name),
                      .where = entry.where("name"),
                      .mend = "use one of" + names}};
    }
    source.weight = PONDER_TRY(entry.number("weight", 1.0, {1e-6, 1e6}));
    if (entry.has("file")) {
      const std::filesystem::path file = PONDER_TRY(entry.path("file", ""));
      source.problems = PONDER_TRY(read_problems(file, name));
    } else {
      if (task->levels() == 0)
        return Failure{{.what = "the task " + name + " makes no problems of its own",
                        .where = entry.where("name"),
                        .mend = "give a file of problems"}};
      source.task = task;
      const auto most = static_cast<double>(task->levels() - 1);
      for (const double level : PONDER_TRY(entry.numbers("levels", {0.0, most})))
        source.levels.push_back(static_cast<int>(level));
      if (source.levels.empty()) source.levels = {0};
    }
    sources.push_back(std::move(source));
  }
  if (sources.empty())
    return Failure{{.what = "there are no problems",
                    .where = recipe.where("task"),
                    .mend = "add a [[task]] with a name, or a file"}};
  return sources;
}

Result<ProblemStream> ProblemStream::create(std::vector<Source> sources, uint64_t seed,
                                            std::set<std::string> excluded) {
  ProblemStream stream;
  for (Source& source : sources) {
    if (source.task != nullptr) continue;
    std::erase_if(source.problems,
                  [&](const Problem& problem) { return excluded.contains(problem.prompt); });
    if (source.problems.empty())
      return Failure{{.what = "all problems of a file are held out",
                      .where = "[[task]]",
                      .mend = "evaluate on fewer or on others"}};
  }
  for (const Source& source : sources) stream.weight_ += source.weight;
  stream.counts_.resize(sources.size());
  stream.orders_.resize(sources.size());
  stream.sources_ = std::move(sources);
  stream.seed_ = seed;
  stream.excluded_ = std::move(excluded);
  return stream;
}

// Problem `number` that source `index` makes.
Result<Problem> ProblemStream::made(const Source& source, size_t index, int64_t number) const {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const uint64_t draw = static_cast<uint64_t>(number) + (static_cast<uint64_t>(attempt) << 40);
    Rng rng(seed_, kMixStream + index + 1, draw);
    const int level = source.levels[rng.next_below(source.levels.size())];
    Problem problem = source.task->make(seed_, draw, level);
    if (!excluded_.contains(problem.prompt)) return problem;
  }
  return Failure{{.what = "the task " + std::string(source.task->name()) +
                          " makes no problems but those held out",
                  .where = "[[task]]",
                  .mend = "use higher levels, or hold out fewer"}};
}

bool ProblemStream::has_task(std::string_view name) const {
  return std::any_of(sources_.begin(), sources_.end(), [&](const Source& source) {
    if (source.task != nullptr) return source.task->name() == name;
    return std::any_of(source.problems.begin(), source.problems.end(),
                       [&](const Problem& problem) { return problem.task == name; });
  });
}

Result<Problem> ProblemStream::problem(int64_t index) {
  while (std::ssize(picks_) <= index) {
    const auto n = static_cast<uint64_t>(picks_.size());
    double left = Rng(seed_, kMixStream, n).next_double() * weight_;
    size_t chosen = 0;
    while (chosen + 1 < sources_.size() && left >= sources_[chosen].weight)
      left -= sources_[chosen++].weight;
    picks_.push_back({chosen, counts_[chosen]++});
  }
  const auto [chosen, number] = picks_[static_cast<size_t>(index)];
  const Source& source = sources_[chosen];
  if (source.task != nullptr) return made(source, chosen, number);
  const auto count = std::ssize(source.problems);
  Order& order = orders_[chosen];
  if (order.epoch != number / count) {
    order.epoch = number / count;
    order.order.resize(source.problems.size());
    std::iota(order.order.begin(), order.order.end(), 0u);
    Rng rng(seed_, kOrderStream + chosen, static_cast<uint64_t>(order.epoch) << 32);
    for (size_t i = order.order.size(); i > 1; --i)
      std::swap(order.order[i - 1], order.order[rng.next_below(i)]);
  }
  return source.problems[order.order[static_cast<size_t>(number % count)]];
}

}  // namespace ponder
