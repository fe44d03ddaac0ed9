#include "base/rng.hpp"

#include <cmath>
#include <numbers>

namespace ponder {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  // Multipliers and Weyl increments: Salmon et al. 2011, table 2 and section 4.
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = kMultiplier0 * counter[0], p1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return counter;
}

uint64_t Rng::next_u64() {
  const auto words =
      philox4x32({static_cast<uint32_t>(position_), static_cast<uint32_t>(position_ >> 32),
                  static_cast<uint32_t>(stream_), static_cast<uint32_t>(stream_ >> 32)},
                 {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
  ++position_;
  return static_cast<uint64_t>(words[1]) << 32 | words[0];
}

double Rng::next_double() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }

float Rng::next_normal() {
  const double u = 1.0 - next_double(), v = next_double();  // u in (0, 1]
  return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v));
}

uint64_t Rng::next_below(uint64_t bound) {
  const uint64_t reject = -bound % bound;  // 2^64 mod bound: draws below it would bias
  for (;;) {
    const uint64_t draw = next_u64();
    if (draw >= reject) return draw % bound;
  }
}

}  // namespace ponder
