// MinHash signatures (Broder 1997) and their bands (locality-sensitive hashing): texts whose sets
// of n-grams have Jaccard similarity J share a band with probability 1 − (1 − J^rows)^bands.
#pragma once

#include <cstdint>
#include <vector>

#include "data/dedup/minhash_kernel.hpp"
#include "data/ngrams.hpp"

namespace ponder {

struct MinHashOptions {
  int ngram = 5;  // words of a shingle
  int bands = 14;
  int rows = 8;
  uint64_t seed = 1;
};

class MinHash {
 public:
  MinHash(const MinHashOptions& options, Isa isa);

  // Hashes of the text's n-grams; a text of fewer words has one, of all its words; one without
  // words none.
  std::vector<uint64_t> shingles(const std::vector<NormalWord>& words) const;
  // One key a band; none without shingles.
  std::vector<uint64_t> band_keys(const std::vector<uint64_t>& shingles) const;

  const MinHashOptions& options() const { return options_; }

 private:
  MinHashOptions options_;
  MinHashKernel kernel_;
  std::vector<uint32_t> factors_, offsets_;  // (bands·rows, rounded up to kMinHashLanes)
};

}  // namespace ponder
