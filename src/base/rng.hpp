// Counter-based random numbers: the n-th draw of a stream is a pure function of (seed, stream, n),
// so results do not depend on batch, threads or order. Philox4x32-10, Salmon et al. 2011 (SC'11).
#pragma once

#include <array>
#include <cstdint>

namespace ponder {

// Four words from a 128-bit counter and a 64-bit key.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// One stream of draws. Copyable; position() and the constructor make it resumable.
class Rng {
 public:
  explicit Rng(uint64_t seed, uint64_t stream = 0, uint64_t position = 0)
      : seed_(seed), stream_(stream), position_(position) {}

  uint64_t next_u64();                  // uniform in [0, 2^64)
  double next_double();                 // uniform in [0, 1), 53 bits
  float next_normal();                  // standard normal, Box-Muller on two draws
  uint64_t next_below(uint64_t bound);  // uniform in [0, bound), bound > 0, unbiased

  uint64_t position() const { return position_; }

 private:
  uint64_t seed_, stream_, position_;
};

}  // namespace ponder
