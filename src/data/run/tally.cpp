#include "data/run/tally.hpp"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ponder {
namespace {

constexpr size_t kExcerpt = 2000;  // bytes of a sample

std::string excerpt_of(std::string_view text) {
  if (text.size() <= kExcerpt) return std::string(text);
  size_t end = kExcerpt;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + " …";
}

bool goes_before(const RejectSample& a, const RejectSample& b) {
  return a.order != b.order ? a.order < b.order : a.id < b.id;
}

void insert_sample(std::vector<RejectSample>& samples, RejectSample sample, int most) {
  const auto at = std::lower_bound(samples.begin(), samples.end(), sample, goes_before);
  samples.insert(at, std::move(sample));
  if (samples.size() > static_cast<size_t>(most)) samples.pop_back();
}

Result<std::map<std::string, uint64_t>> read_map(const Json& json, std::string_view key,
                                                 const std::string& where) {
  std::map<std::string, uint64_t> counts;
  const Json* object = find_field(json, key);
  if (object == nullptr || !object->is_object()) return counts;
  for (const auto& [name, value] : object->items())
    counts[name] =
        static_cast<uint64_t>(PONDER_TRY(integer_field(*object, name, where, {.least = 0})));
  return counts;
}

}  // namespace

void StepTally::add_removed(const Document& document, const Decision& decision, int samples_kept) {
  ++removed;
  ++removed_by[decision.rule];
  if (samples_kept <= 0) return;
  std::vector<RejectSample>& list = samples[decision.rule];
  const uint64_t order = XXH3_64bits(document.id.data(), document.id.size());
  if (list.size() == static_cast<size_t>(samples_kept) && list.back().order < order) return;
  insert_sample(list, {order, document.id, decision.details, excerpt_of(document.text)},
                samples_kept);
}

void StepTally::add(const StepTally& other, int samples_kept) {
  in += other.in;
  kept += other.kept;
  removed += other.removed;
  quarantined += other.quarantined;
  changed += other.changed;
  bytes_in += other.bytes_in;
  bytes_kept += other.bytes_kept;
  for (const auto& [rule, count] : other.removed_by) removed_by[rule] += count;
  for (const auto& [why, count] : other.quarantined_by) quarantined_by[why] += count;
  for (const auto& [rule, list] : other.samples)
    for (const RejectSample& sample : list) insert_sample(samples[rule], sample, samples_kept);
}

OrderedJson StepTally::counts() const {
  return {{"in", in},
          {"kept", kept},
          {"removed", removed},
          {"removed_by", removed_by},
          {"quarantined", quarantined},
          {"quarantined_by", quarantined_by},
          {"changed", changed},
          {"bytes_in", bytes_in},
          {"bytes_kept", bytes_kept}};
}

OrderedJson StepTally::to_json() const {
  OrderedJson json = counts();
  OrderedJson& all = json["samples"] = OrderedJson::object();
  for (const auto& [rule, list] : samples) {
    OrderedJson& entries = all[rule] = OrderedJson::array();
    for (const RejectSample& sample : list)
      entries.push_back({{"order", sample.order},
                         {"id", sample.id},
                         {"details", sample.details},
                         {"excerpt", sample.excerpt}});
  }
  return json;
}

Result<StepTally> StepTally::from_json(const Json& json, const std::string& where) {
  StepTally tally;
  const std::pair<const char*, uint64_t*> fields[] = {{"in", &tally.in},
                                                      {"kept", &tally.kept},
                                                      {"removed", &tally.removed},
                                                      {"quarantined", &tally.quarantined},
                                                      {"changed", &tally.changed},
                                                      {"bytes_in", &tally.bytes_in},
                                                      {"bytes_kept", &tally.bytes_kept}};
  for (const auto& [name, target] : fields)
    *target = static_cast<uint64_t>(PONDER_TRY(integer_field(json, name, where, {.least = 0})));
  tally.removed_by = PONDER_TRY(read_map(json, "removed_by", where));
  tally.quarantined_by = PONDER_TRY(read_map(json, "quarantined_by", where));
  const Json* samples = find_field(json, "samples");
  if (samples == nullptr || !samples->is_object()) return tally;
  for (const auto& [rule, list] : samples->items()) {
    if (!list.is_array()) continue;
    for (const Json& entry : list) {
      const Json* order = find_field(entry, "order");
      auto& sample = tally.samples[rule].emplace_back();
      if (order != nullptr && order->is_number_unsigned()) sample.order = order->get<uint64_t>();
      sample.id = PONDER_TRY(text_field(entry, "id", where));
      sample.details = PONDER_TRY(text_field(entry, "details", where));
      sample.excerpt = PONDER_TRY(text_field(entry, "excerpt", where));
    }
  }
  return tally;
}

}  // namespace ponder
