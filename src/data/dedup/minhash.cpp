#include "data/dedup/minhash.hpp"

#include "base/checked_math.hpp"
#include "base/rng.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ponder {

MinHashKernel minhash_kernel(Isa isa) {
  if (isa == Isa::kRef) return minhash_ref;
  return isa == Isa::kAvx2 ? minhash_avx2 : minhash_avx512;
}

MinHash::MinHash(const MinHashOptions& options, Isa isa)
    : options_(options), kernel_(minhash_kernel(isa)) {
  const auto hashes = static_cast<size_t>(options.bands * options.rows);
  const size_t padded = ceil_div(hashes, kMinHashLanes) * kMinHashLanes;
  Rng rng(options.seed);
  for (size_t i = 0; i < padded; ++i) {
    const uint64_t random = rng.next_u64();
    factors_.push_back(static_cast<uint32_t>(random) | 1);
    offsets_.push_back(static_cast<uint32_t>(random >> 32));
  }
}

std::vector<uint64_t> MinHash::shingles(const std::vector<NormalWord>& words) const {
  if (words.empty()) return {};
  return ngram_hashes(words, std::min(words.size(), static_cast<size_t>(options_.ngram)));
}

std::vector<uint64_t> MinHash::band_keys(const std::vector<uint64_t>& shingles) const {
  std::vector<uint64_t> keys;
  if (shingles.empty()) return keys;
  std::vector<uint32_t> mins(factors_.size());
  kernel_(shingles.data(), shingles.size(), factors_.data(), offsets_.data(), mins.data(),
          mins.size());
  const auto rows = static_cast<size_t>(options_.rows);
  for (size_t band = 0; band < static_cast<size_t>(options_.bands); ++band)
    keys.push_back(XXH3_64bits_withSeed(mins.data() + band * rows, rows * sizeof(uint32_t), band));
  return keys;
}

}  // namespace ponder
