#include "data/look/recorded.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

#include "data/run/run_folder.hpp"
#include "data/steps/filter_step.hpp"

namespace ponder {
namespace {

double value_at(std::span<const std::byte> bytes, size_t index) {
  double value;
  std::memcpy(&value, bytes.data() + index * sizeof(double), sizeof(double));
  return value;
}

std::vector<RecordedRule> rules_of(const std::vector<std::unique_ptr<TextFilter>>& filters) {
  std::vector<RecordedRule> rules;
  for (const auto& filter : filters)
    for (const FilterRule& rule : filter->rules())
      rules.push_back({std::string(filter->name()), std::string(rule.name),
                       filter->number(rule.threshold), rule.fails});
  return rules;
}

const Json* filters_of(const Json& manifest) {
  const Json* step = find_field(manifest, "step");
  return step == nullptr ? nullptr : find_field(*step, "filters");
}

}  // namespace

Result<std::vector<RecordedRule>> rules_of_manifest(const Json& manifest,
                                                    const std::string& where) {
  const Json* filters = filters_of(manifest);
  if (filters == nullptr) return std::vector<RecordedRule>{};
  return rules_of(PONDER_TRY(filters_from_settings(*filters, where)));
}

Result<RecordedValues> RecordedValues::open(const std::filesystem::path& folder) {
  RecordedValues recorded;
  const std::string where = folder.string();
  const Json manifest = PONDER_TRY(read_manifest(folder));
  const Json* filters = filters_of(manifest);
  const Json* parts = find_field(manifest, "parts");
  if (filters == nullptr || parts == nullptr || !parts->is_array())
    return Failure{{.what = "this is no output of ponder data filter", .where = where}};
  recorded.filters_ = *filters;
  recorded.rules_ = rules_of(PONDER_TRY(filters_from_settings(*filters, where)));
  for (size_t shard = 0; shard < parts->size(); ++shard) {
    char name[40];
    std::snprintf(name, sizeof(name), "main-notes-%05zu", shard);
    const auto path = folder / ".ponder" / name;
    std::error_code error;
    if (!std::filesystem::exists(path, error))
      return Failure{{.what = "no values were recorded",
                      .where = where,
                      .mend = "run the filter with --record, into another folder"}};
    MappedFile file = PONDER_TRY(MappedFile::open(path));
    if (file.bytes().size() % (recorded.rules_.size() * sizeof(double)) != 0)
      return Failure{{.what = "the recorded values are damaged", .where = path.string()}};
    recorded.files_.push_back(std::move(file));
  }
  return recorded;
}

uint64_t RecordedValues::documents() const {
  uint64_t bytes = 0;
  for (const MappedFile& file : files_) bytes += file.bytes().size();
  return bytes / (rules_.size() * sizeof(double));
}

std::vector<double> RecordedValues::column(size_t rule) const {
  std::vector<double> values;
  for (const MappedFile& file : files_)
    for (size_t at = rule; at < file.bytes().size() / sizeof(double); at += rules_.size())
      values.push_back(value_at(file.bytes(), at));
  return values;
}

RecordedValues::Outcome RecordedValues::outcome(const std::vector<double>& thresholds) const {
  Outcome outcome;
  outcome.removed.resize(rules_.size());
  for (const MappedFile& file : files_) {
    const size_t count = file.bytes().size() / sizeof(double);
    for (size_t row = 0; row < count; row += rules_.size()) {
      size_t rule = 0;
      for (; rule < rules_.size(); ++rule) {
        const double value = value_at(file.bytes(), row + rule);
        if (rules_[rule].fails == FilterRule::kBelow ? value < thresholds[rule]
                                                     : value > thresholds[rule])
          break;
      }
      if (rule == rules_.size())
        ++outcome.kept;
      else
        ++outcome.removed[rule];
    }
  }
  return outcome;
}

Result<std::vector<double>> RecordedValues::changed_thresholds(
    const std::vector<std::string>& settings) const {
  auto filters = PONDER_TRY(filters_from_settings(filters_, "manifest"));
  for (const std::string& setting : settings) {
    const size_t sign = setting.find('=');
    if (sign == setting.npos)
      return Failure{{.what = "write FILTER.OPTION=VALUE", .where = "--set " + setting}};
    const std::string key = setting.substr(0, sign);
    PONDER_TRY(set_filter_option(filters, key, setting.substr(sign + 1)));
    bool is_threshold = false;
    for (const auto& filter : filters)
      for (const FilterRule& rule : filter->rules())
        is_threshold =
            is_threshold ||
            key == std::string(filter->name()) + "." +
                       std::string(filter->numbers()[static_cast<size_t>(rule.threshold)].name);
    if (!is_threshold)
      return Failure{{.what = "this option is no threshold: it changes what is measured",
                      .where = "--set " + setting,
                      .mend = "run the filter again"}};
  }
  std::vector<double> thresholds;
  for (const RecordedRule& rule : rules_of(filters)) thresholds.push_back(rule.threshold);
  return thresholds;
}

}  // namespace ponder
