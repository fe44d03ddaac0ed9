// A filter: rules that measure a document and reject it, and changes that it makes to the text.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "data/io/document.hpp"
#include "data/rules/text_features.hpp"

namespace ponder {

// A number that a recipe can set: a threshold or a parameter. NaN: off ("off" in a recipe).
struct NumberOption {
  std::string_view name;
  double value;
  std::string_view help;
};
// A list of words or files.
struct ListOption {
  std::string_view name;
  std::vector<std::string> values;
  std::string_view help;
};

struct FilterRule {
  enum Fails { kBelow, kAbove };  // the threshold
  std::string_view name;          // the reason given for a rejected document
  int threshold;                  // which of the filter's numbers
  Fails fails;
};

// What a thread needs to look at documents.
struct FilterScratch {
  TextFeatures features;
  const DocumentParser* record = nullptr;  // for fields of the record; null: plain text
};

// The values that the rules of one filter measured, in their order, and which rule failed first.
class Measures {
 public:
  // With `all` every rule is measured, otherwise none behind the first that fails. `values` is NaN
  // where nothing was measured.
  Measures(std::span<double> values, bool all) : values_(values), all_(all) {}

  // Notes the value; true if measuring ends here.
  bool take(const class TextFilter& filter, int rule, double value);
  int failed() const { return failed_; }  // −1: none

 private:
  std::span<double> values_;
  bool all_;
  int failed_ = -1;
};

class TextFilter {
 public:
  virtual ~TextFilter() = default;

  std::string_view name() const { return name_; }
  std::span<const FilterRule> rules() const { return rules_; }
  std::vector<NumberOption>& numbers() { return numbers_; }
  std::vector<ListOption>& lists() { return lists_; }
  double number(int option) const { return numbers_[static_cast<size_t>(option)].value; }
  const std::vector<std::string>& list(int option) const {
    return lists_[static_cast<size_t>(option)].values;
  }

  // Called once, when all options are set.
  virtual Result<void> prepare() { return {}; }
  // Measures the document and may change its text (then text_changed is set and the features look
  // at the new one). From many threads at once, each with its own scratch.
  virtual void check(Document& document, FilterScratch& scratch, Measures& measures) const = 0;

 protected:
  explicit TextFilter(std::string_view name) : name_(name) {}

  std::string_view name_;
  std::vector<FilterRule> rules_;
  std::vector<NumberOption> numbers_;
  std::vector<ListOption> lists_;
};

// Gives the document another text.
void replace_text(Document& document, FilterScratch& scratch, std::string text);

// A filter by the name of its table in a recipe; null if there is none.
std::unique_ptr<TextFilter> make_filter(std::string_view name);
std::vector<std::string_view> filter_names();

// The filters of a preset: gopher, c4, mc4, fineweb-paper, fineweb-datatrove, pii, thoughts,
// r1-samples.
Result<std::vector<std::unique_ptr<TextFilter>>> preset_filters(std::string_view name);
std::vector<std::string_view> preset_names();

// Sets "filter.option" of the first filter of that name, in a list of filters; `value` is a number,
// "off", or words between commas. Unknown names are errors that name what there is.
Result<void> set_filter_option(std::span<const std::unique_ptr<TextFilter>> filters,
                               std::string_view key, std::string_view value);

}  // namespace ponder
