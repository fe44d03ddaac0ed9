// Multiple choice.
#include "judge/extract.hpp"
#include "judge/tasks/tasks.hpp"

namespace ponder {
namespace {

constexpr size_t kMostChoices = 26;

class ChoiceTask : public Task {
 public:
  std::string_view name() const override { return "choice"; }

  Judgement judge(const Problem& problem, std::string_view text, const Sandbox*) const override {
    const Json* choices = find_field(problem.extra, "choices");
    const bool listed = choices != nullptr && choices->is_array() && !choices->empty() &&
                        choices->size() <= kMostChoices;
    const int count = listed ? static_cast<int>(choices->size()) : static_cast<int>(kMostChoices);
    std::optional<char> chosen = extract_choice(text, count);
    if (!chosen && listed) chosen = by_words(*choices, text);
    if (!chosen) return no_answer(extract_answer(text).unfinished);
    const std::string letter(1, *chosen);
    if (letter == problem.answer) return {Verdict::kPass, letter, ""};
    return {Verdict::kWrong, letter, "the answer is " + problem.answer};
  }

 private:
  // The choice whose text is the answer, word for word.
  static std::optional<char> by_words(const Json& choices, std::string_view text) {
    const ExtractedAnswer answer = extract_answer(text);
    for (size_t i = 0; answer.found() && i < choices.size(); ++i)
      if (choices[i].is_string() && choices[i].get_ref<const std::string&>() == answer.text)
        return static_cast<char>('A' + i);
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<const Task> make_choice_task() { return std::make_unique<ChoiceTask>(); }

}  // namespace ponder
