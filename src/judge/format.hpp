// The form of R1's answers: thoughts in <think>…</think>, then the answer in <answer>…</answer>.
#pragma once

#include <string>
#include <string_view>

namespace ponder {

struct AnswerForm {
  bool prompt_opens_think =
      false;                // the prompt ends in <think>, so the text must not begin with it
  bool answer_tags = true;  // false: whatever follows the thoughts is the answer
};

// Nothing but the two parts, each once, none empty, with white space around them. Empty if the text
// has that form, else what is wrong with it.
std::string form_objection(std::string_view text, const AnswerForm& form = {});

// <think>thought</think><answer>answer</answer>
std::string in_form(std::string_view thought, std::string_view answer);

}  // namespace ponder
