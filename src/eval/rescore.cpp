#include "eval/rescore.hpp"

#include <map>

namespace ponder {
namespace {

// What decides whether an answer to one problem is an answer to the other.
std::string why_other(const Problem& then, const Problem& now) {
  if (then.prompt != now.prompt) return "its prompt is another one";
  if (then.task != now.task) return "it is judged as " + now.task + ", not as " + then.task;
  for (const char* key : {"language", "entry_point", "prefix", "choices"}) {
    const Json before = then.extra.is_object() ? then.extra.value(key, Json()) : Json();
    const Json after = now.extra.is_object() ? now.extra.value(key, Json()) : Json();
    if (before != after) return "its " + std::string(key) + " is another one";
  }
  return "";
}

}  // namespace

Result<std::vector<StoredProblem>> match_problems(const std::vector<StoredProblem>& stored,
                                                  const Suite& suite) {
  std::map<std::string_view, const Problem*> offered;
  for (const Problem& problem : suite.problems) offered[problem.id] = &problem;
  std::vector<StoredProblem> matched;
  std::string first;
  int64_t others = 0;
  for (const StoredProblem& before : stored) {
    const auto found = offered.find(before.problem.id);
    const std::string why =
        found == offered.end() ? "it is not there" : why_other(before.problem, *found->second);
    if (why.empty()) {
      matched.push_back({*found->second, before.contamination});
    } else if (++others == 1) {
      first = before.problem.id + ": " + why;
    }
  }
  if (others > 0)
    return Failure{{.what = "does not have the problems that were answered (" + first +
                            (others > 1 ? ", and " + std::to_string(others - 1) + " more)" : ")"),
                    .where = suite.name,
                    .mend = "give a suite with the same problems; its tests may differ"}};
  return matched;
}

OrderedJson suite_note(const Suite& suite) {
  return {{"name", suite.name},      {"format", suite.format}, {"origin", suite.origin},
          {"sha256", suite.sha256},  {"form", suite.form},     {"problems", suite.problems.size()},
          {"warning", suite.warning}};
}

Result<std::unique_ptr<RunStore>> prepare_rescore(const std::filesystem::path& from,
                                                  const std::filesystem::path& to,
                                                  const Suite* suite) {
  const auto source = PONDER_TRY(RunStore::read(from));
  const auto stored = PONDER_TRY(source->problems());
  OrderedJson note = PONDER_TRY(source->note("suite"));
  OrderedJson origin = {{"folder", std::filesystem::absolute(from).string()}, {"suite", note}};
  std::vector<StoredProblem> problems;
  if (suite != nullptr) {
    problems = PONDER_TRY(match_problems(stored, *suite));
    OrderedJson form = note.is_object() && note.contains("form") ? note["form"] : nullptr;
    note = suite_note(*suite);
    if (!form.is_null()) note["form"] = std::move(form);
    note["problems"] = problems.size();
  }
  auto store = PONDER_TRY(source->copy(to));
  PONDER_TRY(store->forget_judgements());
  if (suite != nullptr) {
    PONDER_TRY(store->set_problems(problems));
    PONDER_TRY(store->set_note("suite", note));
  }
  PONDER_TRY(store->set_note("judge", nullptr));
  PONDER_TRY(store->set_note("withheld", nullptr));
  PONDER_TRY(store->set_note("rescored", origin));
  return store;
}

Result<std::vector<ChangedVerdict>> changed_verdicts(RunStore& before, RunStore& now) {
  std::map<SampleKey, Verdict> then;
  for (const StoredAnswer& answer : PONDER_TRY(before.answers({-1, -1}, false)))
    if (answer.judgement) then[answer.key] = answer.judgement->verdict;
  const auto problems = PONDER_TRY(now.problems());
  std::vector<ChangedVerdict> changed;
  for (const StoredAnswer& answer : PONDER_TRY(now.answers({-1, -1}, false))) {
    const auto found = then.find(answer.key);
    if (!answer.judgement || found == then.end()) continue;
    const auto number = static_cast<size_t>(answer.key.problem);
    if (found->second == answer.judgement->verdict || number >= problems.size()) continue;
    changed.push_back({.problem = problems[number].problem.id,
                       .sample = answer.key.sample,
                       .before = found->second,
                       .now = answer.judgement->verdict});
  }
  return changed;
}

}  // namespace ponder
