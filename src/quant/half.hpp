// Scalar conversions between f32 and the small floats: f16 (IEEE binary16), bf16 (upper half of an
// f32) and f8e4m3fn (OCP FP8: no infinities, one NaN per sign). To the small type: round to
// nearest, ties to even. NaN stays NaN with its sign. Always inlined, so that files built for a
// wider instruction set leave no copy behind; no step depends on the flush-to-zero modes.
#pragma once

#include <bit>
#include <cstdint>

#include "base/macros.hpp"

namespace ponder {

// Exact. The payload of a NaN is kept, and the NaN is made quiet.
PONDER_INLINE float f16_to_f32(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  uint32_t bits = (magnitude << 13) + (112u << 23);  // exponent bias 15 → 127
  const uint32_t subnormal = std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-24f);
  bits = magnitude >= 0x7c00u ? bits + (112u << 23) : bits;
  bits = magnitude > 0x7c00u ? bits | 0x00400000u : bits;
  bits = magnitude < 0x0400u ? subnormal : bits;
  return std::bit_cast<float>(bits | sign);
}

// Beyond 65504 + half a step: infinity.
PONDER_INLINE uint16_t f32_to_f16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  }
  if (magnitude >= 0x47800000u) return static_cast<uint16_t>(sign | 0x7c00u);  // ≥ 2^16
  uint32_t half;
  if (magnitude >= 0x38800000u) {  // ≥ 2^-14: a normal f16; a carry may run into the exponent
    const uint32_t rebiased = magnitude - (112u << 23);
    half = (rebiased + 0xfffu + ((rebiased >> 13) & 1u)) >> 13;
  } else if (magnitude >= 0x33000000u) {              // ≥ 2^-25: count units of 2^-24
    const uint32_t shift = 126u - (magnitude >> 23);  // 14 … 24
    const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    const uint32_t floor = mantissa >> shift;
    const uint32_t rest = mantissa & ((1u << shift) - 1u);
    const uint32_t tie = 1u << (shift - 1u);
    half = floor + ((rest > tie || (rest == tie && (floor & 1u) != 0)) ? 1u : 0u);
  } else {
    half = 0;
  }
  return static_cast<uint16_t>(sign | half);
}

PONDER_INLINE float bf16_to_f32(uint16_t bf16) {
  return std::bit_cast<float>(static_cast<uint32_t>(bf16) << 16);
}

PONDER_INLINE uint16_t f32_to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  const uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return static_cast<uint16_t>((is_nan ? bits | 0x00400000u : rounded) >> 16);
}

// S|E4|M3, E = 0: M·2⁻⁹, else (1 + M/8)·2^(E−7); 0x7F and 0xFF are NaN. A table, because the two
// cases make a branch that real weights mispredict.
struct F8Table {
  float value[256] = {};
  constexpr F8Table() {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint32_t sign = (byte & 0x80u) << 24;
      const uint32_t magnitude = byte & 0x7fu;
      uint32_t bits = (magnitude << 20) + (120u << 23);  // exponent bias 7 → 127
      if (magnitude < 0x08u)
        bits = std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-9f);
      if (magnitude == 0x7fu) bits = 0x7fc00000u;
      value[byte] = std::bit_cast<float>(bits | sign);
    }
  }
};
constexpr F8Table kF8Table;

// Exact.
PONDER_INLINE float f8e4m3_to_f32(uint8_t byte) { return kF8Table.value[byte]; }

// Saturates: beyond ±448, infinities included, gives ±448.
PONDER_INLINE uint8_t f32_to_f8e4m3(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint8_t>((bits >> 24) & 0x80u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint8_t>(sign | 0x7fu);
  if (magnitude >= 0x43e00000u) return static_cast<uint8_t>(sign | 0x7eu);  // ≥ 448
  if (magnitude >= 0x3c800000u) {  // ≥ 2^-6: a normal f8; a carry may run into the exponent
    const uint32_t rebiased = magnitude - (120u << 23);
    return static_cast<uint8_t>(sign | ((rebiased + 0x7ffffu + ((rebiased >> 20) & 1u)) >> 20));
  }
  // Units of 2^-9. Adding 2^14 puts the unit at the last bit of an f32, whose addition rounds to
  // even.
  const float shifted = std::bit_cast<float>(magnitude) + 0x1p14f;
  return static_cast<uint8_t>(sign | (std::bit_cast<uint32_t>(shifted) & 0x0fu));
}

}  // namespace ponder
