#include "train/rl/selection.hpp"

#include <algorithm>

#include "io/printable.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

// With one space for each run of white space.
std::string squeezed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) result += c;
    if (space && !result.empty() && result.back() != ' ') result += ' ';
  }
  return result;
}

size_t longest_paragraph(std::string_view text) {
  size_t longest = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\n\n"), text.size());
    longest = std::max(longest, end);
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return longest;
}

// What stands behind the thoughts.
std::string_view content_of(std::string_view text) {
  const size_t close = text.find("</think>");
  return stripped(close == std::string_view::npos ? text : text.substr(close + 8));
}

}  // namespace

Result<SelectionOptions> read_selection(const Recipe& select) {
  SelectionOptions options;
  const std::string form = PONDER_TRY(select.text("form", "any"));
  options.form = PONDER_TRY(form_kind_by_name(form));
  options.keep = PONDER_TRY(select.integer("keep", 1, {1, 1 << 20}));
  options.most_tokens = PONDER_TRY(select.integer("most_tokens", 0, {0, INT64_MAX}));
  options.longest_paragraph = PONDER_TRY(select.integer("longest_paragraph", 0, {0, INT64_MAX}));
  options.code_in_thoughts = PONDER_TRY(select.flag("code_in_thoughts", true));
  options.least_language = PONDER_TRY(select.number("least_language", 0.0, {0.0, 1.0}));
  options.language = PONDER_TRY(select.text("language", "en"));
  options.as_tokens = PONDER_TRY(select.flag("as_tokens", false));
  if (!knows_language(options.language))
    return Failure{
        {.what = "the language " + printable(options.language) + " cannot be told by its script",
         .where = select.where("language")}};
  return options;
}

bool SampleSelection::fits(const Rollout& rollout) const {
  if (!has_form(rollout.text, options_.form, rollout.starts_inside)) return false;
  if (options_.most_tokens > 0 && std::ssize(rollout.answer.tokens) > options_.most_tokens)
    return false;
  const std::string_view thoughts = thoughts_of(rollout.text, rollout.starts_inside);
  if (!options_.code_in_thoughts && thoughts.find("```") != std::string_view::npos) return false;
  if (options_.longest_paragraph > 0 &&
      longest_paragraph(thoughts) > static_cast<size_t>(options_.longest_paragraph))
    return false;
  return options_.least_language <= 0.0 ||
         language_share(thoughts, options_.language) >= options_.least_language;
}

std::string SampleSelection::add(const Rollout& rollout) {
  ++counts_.answers;
  if (rollout.prompt_index != problem_) {
    problem_ = rollout.prompt_index;
    kept_ = 0;
    solved_ = false;
    ++counts_.problems;
  }
  if (rollout.reward.judgement.verdict != Verdict::kPass || !rollout.answer.ended) {
    ++counts_.wrong;
    return {};
  }
  counts_.solved += solved_ ? 0 : 1;
  solved_ = true;
  if (!fits(rollout)) {
    ++counts_.unfit;
    return {};
  }
  if (!seen_.insert(rollout.problem.prompt + '\0' + squeezed(rollout.text)).second) {
    ++counts_.duplicates;
    return {};
  }
  if (kept_ == options_.keep) {
    ++counts_.surplus;
    return {};
  }
  ++kept_;
  ++counts_.kept;
  OrderedJson line;
  if (options_.as_tokens) {
    std::vector<int32_t> tokens = rollout.prompt;
    tokens.insert(tokens.end(), rollout.answer.tokens.begin(), rollout.answer.tokens.end());
    line = {{"tokens", tokens}, {"learn_from", rollout.prompt.size()}};
  } else {
    line = {{"id", rollout.problem.id},
            {"prompt", rollout.problem.prompt},
            {"reasoning", stripped(thoughts_of(rollout.text, rollout.starts_inside))},
            {"answer", content_of(rollout.text)}};
  }
  return line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace ponder
