// Whether the final answer of a chain of thought can be verified, and is right: of its samples
// DeepSeek-R1's authors kept those whose answer a rule could check, and of these the correct ones
// (arXiv:2501.12948, section 2.3.3). The checkers are those of rewards and evaluation.
#include "data/rules/filters.hpp"
#include "io/json.hpp"
#include "judge/problem.hpp"

namespace ponder {
namespace {

// A field of the record as text; empty if it is not there, or no text and no number.
std::string field_text(const FilterScratch& scratch, const std::string& name) {
  if (scratch.record == nullptr) return {};
  const std::string json = scratch.record->field(name);
  if (json.empty()) return {};
  const auto value = parse_json(json, name);
  if (!value.ok()) return {};
  if (value.value().is_string()) return value.value().get<std::string>();
  return value.value().is_number() ? json : std::string();
}

class Answer : public TextFilter {
 public:
  enum List { kReference, kAnswer };
  enum Number { kVerifiable, kCorrect, kChoices };

  Answer() : TextFilter("answer") {
    numbers_ = {{"verifiable", 1, "least value, 1: there are a reference and an answer to check"},
                {"correct", 1, "least value, 1: the answer equals the reference"},
                {"choices", 0, "1: references are letters of choices; 0: maths"}};
    lists_ = {{"reference", {"reference"}, "fields with the reference; the first that is there"},
              {"answer", {"answer"}, "fields with the sample; else it is the text"}};
    rules_ = {{"answer_not_verifiable", kVerifiable, FilterRule::kBelow},
              {"answer_wrong", kCorrect, FilterRule::kBelow}};
  }

  void check(Document& document, FilterScratch& scratch, Measures& measures) const override {
    Problem problem;
    problem.task = number(kChoices) > 0 ? "choice" : "maths";
    problem.answer = first_field(scratch, kReference);
    std::string text = first_field(scratch, kAnswer);
    if (text.empty()) text = document.text;
    Verdict verdict = Verdict::kNoAnswer;
    if (!problem.answer.empty())
      verdict = find_task(problem.task)->judge(problem, text, nullptr).verdict;
    const bool decided = verdict == Verdict::kPass || verdict == Verdict::kWrong;
    if (measures.take(*this, 0, decided ? 1 : 0) || !decided) return;
    measures.take(*this, 1, verdict == Verdict::kPass ? 1 : 0);
  }

 private:
  std::string first_field(const FilterScratch& scratch, List fields) const {
    for (const std::string& name : list(fields))
      if (std::string text = field_text(scratch, name); !text.empty()) return text;
    return {};
  }
};

}  // namespace

std::unique_ptr<TextFilter> make_answer() { return std::make_unique<Answer>(); }

}  // namespace ponder
