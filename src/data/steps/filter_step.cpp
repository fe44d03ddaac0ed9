#include "data/steps/filter_step.hpp"

#include <cmath>
#include <cstdio>
#include <limits>

namespace ponder {

std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof(text), "%.10g", value);
  return text;
}

Result<FilterStep> FilterStep::create(std::vector<std::unique_ptr<TextFilter>> filters, bool record,
                                      int threads) {
  FilterStep step;
  if (filters.empty())
    return Failure{{.what = "there is no filter", .mend = "name a preset or a file of rules"}};
  for (const auto& filter : filters) {
    PONDER_TRY(filter->prepare());
    step.rule_count_ += filter->rules().size();
  }
  step.filters_ = std::move(filters);
  step.record_ = record;
  for (int i = 0; i < threads; ++i) step.scratch_.push_back(std::make_unique<FilterScratch>());
  step.values_.resize(static_cast<size_t>(threads), std::vector<double>(step.rule_count_));
  return step;
}

void FilterStep::look(Document& document, FilterScratch& scratch, std::vector<double>& values,
                      Decision& decision) const {
  size_t first = 0;
  for (const auto& filter : filters_) {
    const std::span<double> mine(values.data() + first, filter->rules().size());
    first += mine.size();
    Measures measures(mine, record_);
    filter->check(document, scratch, measures);
    if (measures.failed() < 0 || !decision.keep) continue;
    const auto failed = static_cast<size_t>(measures.failed());
    const FilterRule& rule = filter->rules()[failed];
    decision.keep = false;
    decision.rule = rule.name;
    decision.details = "\"filter\": " + json_string(filter->name()) +
                       ", \"value\": " + json_number(mine[failed]) +
                       ", \"threshold\": " + json_number(filter->number(rule.threshold));
    if (!record_) return;
  }
}

void FilterStep::process(Document& document, const DocumentPlace& place, Decision& decision) {
  FilterScratch& scratch = *scratch_[static_cast<size_t>(place.thread)];
  std::vector<double>& values = values_[static_cast<size_t>(place.thread)];
  if (record_) std::fill(values.begin(), values.end(), std::numeric_limits<double>::quiet_NaN());
  scratch.record = place.record;
  scratch.features.look_at(document.text);
  look(document, scratch, values, decision);
  if (record_)
    decision.notes.assign(reinterpret_cast<const char*>(values.data()),
                          values.size() * sizeof(double));
}

OrderedJson FilterStep::settings() const {
  OrderedJson all = OrderedJson::array();
  for (const auto& filter : filters_) {
    OrderedJson json = {{"filter", std::string(filter->name())}};
    OrderedJson& numbers = json["numbers"] = OrderedJson::object();
    for (const NumberOption& option : filter->numbers()) {
      if (std::isnan(option.value))
        numbers[std::string(option.name)] = "off";
      else
        numbers[std::string(option.name)] = option.value;
    }
    OrderedJson& lists = json["lists"] = OrderedJson::object();
    for (const ListOption& option : filter->lists())
      lists[std::string(option.name)] = option.values;
    OrderedJson& rules = json["rules"] = OrderedJson::array();
    for (const FilterRule& rule : filter->rules())
      rules.push_back(
          {{"rule", std::string(rule.name)},
           {"threshold", std::string(filter->numbers()[static_cast<size_t>(rule.threshold)].name)},
           {"fails", rule.fails == FilterRule::kBelow ? "below" : "above"}});
    all.push_back(std::move(json));
  }
  return all;
}

Result<std::vector<std::unique_ptr<TextFilter>>> filters_from_settings(const Json& settings,
                                                                       const std::string& where) {
  std::vector<std::unique_ptr<TextFilter>> filters;
  if (!settings.is_array()) return Failure{{.what = "there are no filters", .where = where}};
  for (const Json& json : settings) {
    auto filter = make_filter(PONDER_TRY(text_field(json, "filter", where)));
    if (filter == nullptr) return Failure{{.what = "there is an unknown filter", .where = where}};
    const Json* numbers = find_field(json, "numbers");
    for (NumberOption& option : filter->numbers()) {
      const Json* value = numbers == nullptr ? nullptr : find_field(*numbers, option.name);
      if (value == nullptr) continue;
      option.value =
          value->is_number() ? value->get<double>() : std::numeric_limits<double>::quiet_NaN();
    }
    filters.push_back(std::move(filter));
  }
  return filters;
}

}  // namespace ponder
