// Arithmetic on sizes read from files, where a wrapped product is an attack.
#pragma once

#include <cstdint>
#include <optional>

namespace ponder {

// a·b, or nothing if it does not fit in 64 bits.
inline std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) {
  uint64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

// a+b, or nothing if it does not fit in 64 bits.
inline std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

// Least multiple of `unit` (> 0) that is ≥ value, or nothing if it does not fit in 64 bits.
inline std::optional<uint64_t> checked_round_up(uint64_t value, uint64_t unit) {
  const uint64_t rest = value % unit;
  return rest == 0 ? std::optional<uint64_t>(value) : checked_add(value, unit - rest);
}

template <typename Integer>
constexpr Integer ceil_div(Integer a, Integer b) {
  return (a + b - 1) / b;
}

}  // namespace ponder
