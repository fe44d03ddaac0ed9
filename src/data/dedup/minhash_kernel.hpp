// Minima of many hash functions over the shingles of a text, for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/cpu.hpp"

namespace ponder {

// mins[i] = min over s of h_i(shingles[s]) for i < n, where h_i mixes both halves of a shingle with
// factors[i] (odd) and offsets[i]. n is a multiple of kMinHashLanes. The same bits on every
// instruction set.
using MinHashKernel = void (*)(const uint64_t* shingles, size_t count, const uint32_t* factors,
                               const uint32_t* offsets, uint32_t* mins, size_t n);
inline constexpr size_t kMinHashLanes = 16;

MinHashKernel minhash_kernel(Isa isa);

void minhash_ref(const uint64_t*, size_t, const uint32_t*, const uint32_t*, uint32_t*, size_t);
void minhash_avx2(const uint64_t*, size_t, const uint32_t*, const uint32_t*, uint32_t*, size_t);
void minhash_avx512(const uint64_t*, size_t, const uint32_t*, const uint32_t*, uint32_t*, size_t);

}  // namespace ponder
