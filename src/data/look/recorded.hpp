// What `filter --record` measured: thresholds tried anew and values drawn without reading a
// document again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "data/rules/filter.hpp"
#include "io/json.hpp"

namespace ponder {

// A rule of a finished filter step.
struct RecordedRule {
  std::string filter, rule;
  double threshold = 0;  // NaN: off
  FilterRule::Fails fails = FilterRule::kBelow;
};

class RecordedValues {
 public:
  // Of a finished folder; fails if it was not written with --record.
  static Result<RecordedValues> open(const std::filesystem::path& folder);

  const std::vector<RecordedRule>& rules() const { return rules_; }
  uint64_t documents() const;
  // All values of a rule, in the order of the documents; NaN where nothing was measured.
  std::vector<double> column(size_t rule) const;

  struct Outcome {
    uint64_t kept = 0;
    std::vector<uint64_t> removed;  // by each rule, as the first that fails
  };
  // With these thresholds in the place of the recorded ones.
  Outcome outcome(const std::vector<double>& thresholds) const;
  // The recorded thresholds changed by "filter.option=value".
  Result<std::vector<double>> changed_thresholds(const std::vector<std::string>& settings) const;

 private:
  std::vector<MappedFile> files_;  // rows of one double a rule
  std::vector<RecordedRule> rules_;
  Json filters_;
};

// The rules of a manifest's filter step; none for other steps.
Result<std::vector<RecordedRule>> rules_of_manifest(const Json& manifest, const std::string& where);

}  // namespace ponder
