#include "base/macros.hpp"
#include "data/dedup/minhash_kernel.hpp"

namespace ponder {
namespace {

using Lanes = uint32_t __attribute__((vector_size(16)));

#include "data/dedup/minhash_kernel.inl"

}  // namespace

void minhash_ref(const uint64_t* shingles, size_t count, const uint32_t* factors,
                 const uint32_t* offsets, uint32_t* mins, size_t n) {
  min_hashes<Lanes>(shingles, count, factors, offsets, mins, n);
}

}  // namespace ponder
