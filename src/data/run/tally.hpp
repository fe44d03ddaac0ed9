// Counts of a step, and samples of what it removed. The same for any number of threads and shards.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/run/step.hpp"
#include "io/json.hpp"

namespace ponder {

struct RejectSample {
  uint64_t order = 0;  // hash of the id: the smallest are shown
  std::string id, details, excerpt;
};

struct StepTally {
  uint64_t in = 0, kept = 0, removed = 0, quarantined = 0, changed = 0;
  uint64_t bytes_in = 0, bytes_kept = 0;  // of text
  std::map<std::string, uint64_t> removed_by, quarantined_by;
  std::map<std::string, std::vector<RejectSample>> samples;

  void add_removed(const Document& document, const Decision& decision, int samples_kept);
  void add(const StepTally& other, int samples_kept);
  bool adds_up() const { return in == kept + removed + quarantined; }

  OrderedJson counts() const;   // what --json prints
  OrderedJson to_json() const;  // all
  static Result<StepTally> from_json(const Json& json, const std::string& where);
};

}  // namespace ponder
