// The body of minhash_kernel.hpp over a vector of 32-bit lanes. Included by the files of the
// instruction sets, which name the type.

template <typename Vector>
PONDER_INLINE void min_hashes(const uint64_t* shingles, size_t count, const uint32_t* factors,
                              const uint32_t* offsets, uint32_t* mins, size_t n) {
  constexpr size_t kLanes = sizeof(Vector) / sizeof(uint32_t);
  for (size_t i = 0; i < n; i += kLanes) {
    Vector factor, offset;
    __builtin_memcpy(&factor, factors + i, sizeof(Vector));
    __builtin_memcpy(&offset, offsets + i, sizeof(Vector));
    Vector least = Vector{} - 1;
    for (size_t s = 0; s < count; ++s) {
      const uint32_t low = (uint32_t)shingles[s], high = (uint32_t)(shingles[s] >> 32);
      Vector x = (low ^ offset) * factor;
      x ^= x >> 15;
      x = (x + high) * 0x2c1b3c6du;
      x ^= x >> 13;
      least = x < least ? x : least;
    }
    __builtin_memcpy(mins + i, &least, sizeof(Vector));
  }
}
