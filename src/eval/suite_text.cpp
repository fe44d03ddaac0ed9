// GSM8K, MATH, AIME and whatever else asks for one mathematical answer; questions with choices.
#include <algorithm>
#include <array>

#include "base/rng.hpp"
#include "eval/suite_readers.hpp"

namespace ponder {
namespace {

constexpr size_t kMostChoices = 26;

// R1's own words.
constexpr std::string_view kMathsForm =
    "{prompt}\n\nPlease reason step by step, and put your final answer within \\boxed{}.";
constexpr std::string_view kChoiceForm =
    "{prompt}\n\nExactly one choice is right. Please reason step by step, and put its letter "
    "within "
    "\\boxed{}.";

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// What stands in the last \boxed{} of a solution; empty if there is none that closes.
std::string last_boxed(std::string_view text) {
  constexpr std::string_view kOpen = "\\boxed{";
  const size_t start = text.rfind(kOpen);
  if (start == text.npos) return "";
  int depth = 1;
  for (size_t at = start + kOpen.size(); at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && --depth == 0)
      return std::string(text.substr(start + kOpen.size(), at - start - kOpen.size()));
  }
  return "";
}

// The reference: a field of its own, behind GSM8K's ####, or in the box of a solution.
Result<std::string> reference_answer(const Json& record, const std::string& where) {
  const std::string given =
      any_text_or(record, {"answer", "Answer", "expected_answer", "final_answer", "target"}, "");
  if (const size_t mark = given.rfind("####"); mark != std::string::npos)
    return trimmed(std::string_view(given).substr(mark + 4));
  if (!trimmed(given).empty()) return trimmed(given);
  const std::string solution = any_text_or(record, {"solution", "Solution"}, "");
  if (const std::string boxed = last_boxed(solution); !trimmed(boxed).empty())
    return trimmed(boxed);
  return Failure{{.what = "has no answer, and no \\boxed{} in its solution", .where = where}};
}

// "Level 5", 5 or "5"; anything else is level 0.
int level_of(const Json& record) {
  const std::string text = any_text_or(record, {"level", "difficulty"}, "");
  const size_t digit = text.find_first_of("0123456789");
  return digit == std::string::npos ? 0 : text[digit] - '0';
}

Result<Problem> read_maths(const Json& record, int64_t, const std::string& where) {
  Problem problem;
  problem.task = "maths";
  problem.id = any_text_or(record, {"unique_id", "id", "ID"}, "");
  problem.prompt =
      PONDER_TRY(any_text(record, {"problem", "Problem", "question", "Question"}, where));
  problem.answer = PONDER_TRY(reference_answer(record, where));
  problem.level = level_of(record);
  problem.extra = Json::object();
  const std::string subject = any_text_or(record, {"type", "subject"}, "");
  if (!subject.empty()) problem.extra["subject"] = subject;
  const std::string solution = any_text_or(record, {"solution", "Solution", "answer"}, "");
  if (solution != problem.answer) problem.extra["solution"] = solution;
  return problem;
}

struct Choices {
  std::vector<std::string> all;
  size_t right = 0;
};

// GPQA: the right one has a field of its own. All are shuffled, each question in its own way.
Result<Choices> gpqa_choices(const Json& record, const std::string& question,
                             const std::string& where) {
  Choices choices;
  choices.all.push_back(PONDER_TRY(any_text(record, {"Correct Answer"}, where)));
  for (const char* key : {"Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"})
    choices.all.push_back(PONDER_TRY(any_text(record, {key}, where)));
  Rng rng(stable_hash(question));
  for (size_t i = choices.all.size() - 1; i > 0; --i) {
    const size_t j = rng.next_below(i + 1);
    std::swap(choices.all[i], choices.all[j]);
    if (choices.right == i)
      choices.right = j;
    else if (choices.right == j)
      choices.right = i;
  }
  return choices;
}

Result<Choices> listed_choices(const Json& record, const std::string& where) {
  Choices choices;
  for (const char* key : {"choices", "options"}) {
    const Json* list = find_field(record, key);
    if (list == nullptr) continue;
    for (const Json& choice : list->is_array() ? *list : Json::array()) {
      if (!choice.is_string())
        return Failure{{.what = "must be a list of texts", .where = where + ": " + key}};
      choices.all.push_back(choice.get<std::string>());
    }
    break;
  }
  if (choices.all.size() < 2 || choices.all.size() > kMostChoices)
    return Failure{{.what = "must have 2 to 26 choices", .where = where}};
  const Json* answer = find_field(record, "answer");
  size_t right = kMostChoices;
  if (answer != nullptr && answer->is_number_integer() && answer->get<int64_t>() >= 0)
    right = static_cast<size_t>(answer->get<int64_t>());
  else if (answer != nullptr && answer->is_string() && answer->get<std::string>().size() == 1)
    right = static_cast<size_t>(answer->get<std::string>()[0] - 'A');
  if (right >= choices.all.size())
    return Failure{
        {.what = "answer must be a letter or the number of a choice, from 0", .where = where}};
  choices.right = right;
  return choices;
}

Result<Problem> read_choice(const Json& record, int64_t, const std::string& where) {
  Problem problem;
  problem.task = "choice";
  problem.id = any_text_or(record, {"id", "Record ID", "question_id"}, "");
  const std::string question = PONDER_TRY(any_text(record, {"question", "Question"}, where));
  const Choices choices =
      PONDER_TRY(has_any(record, {"Correct Answer"}) ? gpqa_choices(record, question, where)
                                                     : listed_choices(record, where));
  problem.prompt = trimmed(question) + "\n";
  for (size_t i = 0; i < choices.all.size(); ++i)
    problem.prompt +=
        std::string("\n") + static_cast<char>('A' + i) + ") " + trimmed(choices.all[i]);
  problem.answer = std::string(1, static_cast<char>('A' + choices.right));
  problem.extra = {{"choices", choices.all}};
  const std::string subject = any_text_or(record, {"subject", "category", "High-level domain"}, "");
  if (!subject.empty()) problem.extra["subject"] = subject;
  return problem;
}

constexpr SuiteReader kReaders[] = {
    {"choice", kChoiceForm,
     [](const Json& r) {
       return has_any(r, {"Correct Answer", "choices", "options"});
     },
     read_choice},
    {"maths", kMathsForm,
     [](const Json& r) {
       return has_any(r, {"problem", "Problem", "question", "Question"}) &&
              has_any(r, {"answer", "Answer", "expected_answer", "final_answer", "target",
                          "solution", "Solution"});
     },
     read_maths},
};

// What is asked besides the problem itself, for models that were not trained on the task.
struct Generated {
  std::string_view task, form;
  int64_t usual;
};
constexpr Generated kGenerated[] = {
    {"arithmetic", "{prompt}\n\nPut your final answer within \\boxed{}.", 100},
    {"chain", "{prompt}\n\nPut your final answer within \\boxed{}.", 100},
    {"countdown", "{prompt}\n\nPut your final expression within \\boxed{}.", 100},
    {"modular",
     "Work this out modulo 10, so that each result is one digit: {prompt}\n\nPut your final answer "
     "within \\boxed{}.",
     100},
};
constexpr uint64_t kGeneratedSeed = 20260101;  // far from any that a training run would choose

}  // namespace

std::span<const SuiteReader> text_readers() { return kReaders; }

std::vector<std::string> generated_suites() {
  std::vector<std::string> names;
  for (const Generated& suite : kGenerated)
    if (find_task(suite.task) != nullptr) names.emplace_back(suite.task);
  return names;
}

Result<Suite> generate_suite(const std::string& name, int64_t count) {
  const auto found = std::find_if(std::begin(kGenerated), std::end(kGenerated),
                                  [&](const Generated& suite) { return suite.task == name; });
  const Task* task = found == std::end(kGenerated) ? nullptr : find_task(name);
  if (task == nullptr) return Failure{{.what = "there is no suite of that name", .where = name}};
  const int64_t wanted = count > 0 ? count : found->usual;
  Suite suite{.name = name,
              .format = "generated",
              .origin = "generated, seed " + std::to_string(kGeneratedSeed),
              .sha256 = {},
              .form = std::string(found->form),
              .warning = {},
              .problems = {}};
  const int levels = std::max(1, task->levels());
  for (int64_t i = 0; i < wanted; ++i) {  // levels in turn
    const int level = static_cast<int>(i % levels);
    Problem problem = task->make(kGeneratedSeed, static_cast<uint64_t>(i), level);
    problem.id = name + "/" + std::to_string(i);
    problem.task = name;
    problem.level = level;
    suite.problems.push_back(std::move(problem));
  }
  return suite;
}

}  // namespace ponder
