// A chain of filters as a step.
#pragma once

#include <memory>
#include <vector>

#include "data/rules/filter.hpp"
#include "data/run/step.hpp"

namespace ponder {

class FilterStep : public DocumentStep {
 public:
  // Prepares the filters. With `record` every rule of every filter is measured for every document,
  // also behind the one that rejects it, and the values become notes: one double a rule, NaN where
  // there is nothing to measure.
  static Result<FilterStep> create(std::vector<std::unique_ptr<TextFilter>> filters, bool record,
                                   int threads);

  std::string_view name() const override { return "filtering"; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override;
  bool writes_notes() const override { return record_; }

  size_t rules() const { return rule_count_; }
  OrderedJson settings() const;

 private:
  FilterStep() = default;
  void look(Document& document, FilterScratch& scratch, std::vector<double>& values,
            Decision& decision) const;

  std::vector<std::unique_ptr<TextFilter>> filters_;
  std::vector<std::unique_ptr<FilterScratch>> scratch_;  // one a thread
  std::vector<std::vector<double>> values_;              // one a thread
  size_t rule_count_ = 0;
  bool record_ = false;
};

// A number for JSON: "null" for NaN.
std::string json_number(double value);

// The filters of a list of settings() as it stands in a manifest.
Result<std::vector<std::unique_ptr<TextFilter>>> filters_from_settings(const Json& settings,
                                                                       const std::string& where);

}  // namespace ponder
