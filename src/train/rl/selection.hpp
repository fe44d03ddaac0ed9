// Rejection sampling: which sampled answers become examples to learn from.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "train/recipe.hpp"
#include "train/rl/form.hpp"
#include "train/rl/store.hpp"

namespace ponder {

// What an answer must be besides right and ended. DeepSeek-R1 left out thoughts in mixed languages,
// long paragraphs and blocks of code (2501.12948 §2.3.3).
struct SelectionOptions {
  FormKind form = FormKind::kAny;
  int64_t keep = 1;               // of one problem, the first ones
  int64_t most_tokens = 0;        // of an answer; 0: any
  int64_t longest_paragraph = 0;  // bytes of thoughts without an empty line; 0: any
  bool code_in_thoughts = true;   // ``` allowed
  double least_language = 0.0;    // share of the thoughts' words in `language`
  std::string language = "en";
  bool as_tokens = false;  // lines of {"tokens", "learn_from"}, else of prompt, reasoning, answer
};

// The keys of a recipe's [select].
Result<SelectionOptions> read_selection(const Recipe& select);

struct SelectionCounts {
  int64_t answers = 0, wrong = 0, unfit = 0, duplicates = 0, surplus = 0, kept = 0;
  int64_t problems = 0, solved = 0;  // solved: with a right answer
};

// Takes rollouts in order, those of one problem one after the other.
class SampleSelection {
 public:
  explicit SampleSelection(SelectionOptions options) : options_(std::move(options)) {}

  // A line for the training set, without line feed; or empty.
  std::string add(const Rollout& rollout);
  const SelectionCounts& counts() const { return counts_; }

 private:
  bool fits(const Rollout& rollout) const;

  SelectionOptions options_;
  SelectionCounts counts_;
  std::set<std::string> seen_;  // prompts with answers, white space aside
  int64_t problem_ = -1, kept_ = 0;
  bool solved_ = false;
};

}  // namespace ponder
