#include "train/rl/demonstrations.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "base/rng.hpp"
#include "judge/format.hpp"
#include "judge/tasks/tree.hpp"
#include "train/rl/held_out.hpp"

namespace ponder {
namespace {

constexpr int64_t kModulus = 10;
constexpr uint64_t kDemonstrationStream = 0x64656d6f;

// Adds 1 … 9 modulo 10 to the digit that a step has put into `after`: where the texts first differ,
// or, if they do not, at the end, where the whole expression has become its own first digit.
std::string with_mistake(const std::string& before, std::string after, Rng& rng) {
  const auto differ =
      std::mismatch(before.begin(), before.end(), after.begin(), after.end()).second;
  const auto place = std::min(static_cast<size_t>(differ - after.begin()), after.size() - 1);
  const auto more = static_cast<int>(1 + rng.next_below(9));
  after[place] = static_cast<char>('0' + (after[place] - '0' + more) % kModulus);
  return after;
}

}  // namespace

Chain chain_with_mistakes(const Problem& problem, double mistake, Rng& rng) {
  Chain chain{.thoughts = problem.prompt, .answer = problem.prompt};
  auto tree = ArithmeticTree::parse(problem.prompt);
  while (tree && tree->reduce(kModulus)) {
    std::string next = tree->text();
    if (rng.next_double() < mistake) {
      next = with_mistake(chain.answer, std::move(next), rng);
      tree = ArithmeticTree::parse(next);
    }
    chain.thoughts += "=" + next;
    chain.answer = std::move(next);
  }
  return chain;
}

std::string demonstration(const Problem& problem, const DemonstrationOptions& options,
                          int64_t index) {
  Rng rng(options.seed, kDemonstrationStream, static_cast<uint64_t>(index) << 16);
  const bool worked = rng.next_double() < options.worked;
  if (!worked) return "<answer>" + problem.answer + "</answer>";
  Chain chain;
  if (options.mistake > 0.0) {
    chain = chain_with_mistakes(problem, options.mistake, rng);
  } else {
    chain = {find_task(problem.task)->worked(problem), problem.answer};
  }
  return in_form(chain.thoughts, chain.answer);
}

Result<void> write_demonstrations(const Recipe& recipe, std::optional<uint64_t> seed,
                                  const std::filesystem::path& folder,
                                  const ProgressSink& progress) {
  const Recipe table = recipe.table("demonstrations");
  DemonstrationOptions options;
  options.seed = static_cast<uint64_t>(PONDER_TRY(recipe.integer("seed", 0, {0, INT64_MAX})));
  if (seed) options.seed = *seed;
  options.count = PONDER_TRY(table.integer("count", options.count, {1, 1 << 28}));
  options.worked = PONDER_TRY(table.number("worked", options.worked, {0.0, 1.0}));
  options.mistake = PONDER_TRY(table.number("mistake", options.mistake, {0.0, 1.0}));
  const std::string form = PONDER_TRY(table.text("prompt", "chat"));
  const EvaluationOptions evaluation = PONDER_TRY(read_evaluation(recipe.table("evaluation")));
  ProblemSplit split = PONDER_TRY(split_problems(recipe, evaluation, options.seed));
  const char* const place = recipe.has("model.tokenizer") ? "model.tokenizer" : "model.path";
  const std::filesystem::path files = PONDER_TRY(recipe.path(place, std::nullopt));
  const Tokenizer tokenizer = PONDER_TRY(Tokenizer::load(files));
  PONDER_TRY(recipe.finish());
  const PromptFormat format =
      PONDER_TRY(PromptFormat::create(tokenizer, form, "", table.where("prompt")));
  if (!tokenizer.eos())
    return Failure{{.what = "the tokenizer names no end of text", .where = "model.path"}};
  AtomicFile file = PONDER_TRY(AtomicFile::create(folder / "demonstrations.jsonl"));
  for (int64_t i = 0; i < options.count; ++i) {
    const Problem problem = PONDER_TRY(split.training.problem(i));
    if (options.mistake > 0.0 && problem.task != "modular")
      return Failure{{.what = "mistakes can be made in chains of the task modular only",
                      .where = table.where("mistake"),
                      .mend = "set it to 0, or leave out other tasks"}};
    FormattedPrompt prompt = PONDER_TRY(format.format(problem.prompt));
    const auto learn_from = prompt.tokens.size();
    const auto answer = tokenizer.encode(demonstration(problem, options, i), {.add_bos = false});
    prompt.tokens.insert(prompt.tokens.end(), answer.begin(), answer.end());
    prompt.tokens.push_back(*tokenizer.eos());
    const OrderedJson line = {{"tokens", prompt.tokens}, {"learn_from", learn_from}};
    PONDER_TRY(file.write(line.dump() + "\n"));
    const bool go_on = !progress || i % 1000 != 0 ||
                       progress({.what = "demonstrations",
                                 .done = static_cast<uint64_t>(i),
                                 .total = static_cast<uint64_t>(options.count),
                                 .unit = "problems"});
    if (!go_on) return Failure{{.what = "stopped"}};
  }
  return file.commit();
}

}  // namespace ponder
