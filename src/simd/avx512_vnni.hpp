// AVX-512 with VNNI: products of bytes are summed in 32 bits at once. Include only from
// *_avx512_vnni.cpp files.
#pragma once

#include "simd/avx512.hpp"

namespace ponder {

struct Avx512Vnni : Avx512 {
  static constexpr bool kShortSums = false;

  // Adds to each lane the products of 4 unsigned bytes of w and the 4 signed ones at x, or of 2
  // signed numbers of 16 bits. Spelled out since g++ 12 copies the sums about when many are held.
  static PONDER_INLINE void add_dots(Ints& sums, Ints w, const int8_t* x) {
    using Quad [[gnu::may_alias]] = int32_t;
    asm("vpdpbusd %2%{1to16%}, %1, %0"
        : "+v"(sums)
        : "v"(w), "m"(*reinterpret_cast<const Quad*>(x)));
  }
  static PONDER_INLINE void add_pairs(Ints& sums, Ints w, const int16_t* x) {
    using Pair [[gnu::may_alias]] = int32_t;
    asm("vpdpwssd %2%{1to16%}, %1, %0"
        : "+v"(sums)
        : "v"(w), "m"(*reinterpret_cast<const Pair*>(x)));
  }
  // x·2^(power >> 23) for each lane that is not 0; 0 becomes less than 2^−100.
  static PONDER_INLINE Floats scale_by_power(Floats x, int32_t power) {
    return as_floats(add_ints(as_ints(x), set_ints(power)));
  }
  // The largest of all x ≥ 0, and for each vector the largest j ≤ most so that 2^j·x is no larger
  // (if x is normal: the difference of two floats' bits has that of their exponents on top).
  static PONDER_INLINE float shifts_below_maximum(const Floats (&x)[8], int most,
                                                  int32_t* shifts /* (8), aligned */) {
    Floats quads[4], pairs[2];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
      quads[i] = max(_mm512_unpacklo_ps(x[i], x[i + 4]), _mm512_unpackhi_ps(x[i], x[i + 4]));
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i)
      pairs[i] = max(_mm512_unpacklo_ps(quads[i], quads[i + 2]),
                     _mm512_unpackhi_ps(quads[i], quads[i + 2]));
    // Lanes 0 … 3 of each quarter are now of vectors 0, 2, 4, 6 and of 1, 3, 5, 7.
    const Floats low = max(_mm512_shuffle_f32x4(pairs[0], pairs[1], 0x44),
                           _mm512_shuffle_f32x4(pairs[0], pairs[1], 0xEE));
    const Floats halves = max(low, _mm512_shuffle_f32x4(low, low, 0xB1));
    const Floats maxima = _mm512_permutexvar_ps(
        _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 0, 0, 0, 0, 0, 0, 0, 0), halves);
    const float largest = reduce_max(halves);
    const __m512i difference = sub_ints(as_ints(set(largest)), as_ints(maxima));
    const __m512i shift = _mm512_min_epu32(_mm512_srli_epi32(difference, 23), set_ints(most));
    _mm256_store_si256(reinterpret_cast<__m256i*>(shifts), _mm512_castsi512_si256(shift));
    return largest;
  }
  // The sums of each 16 of 128 signed bytes.
  static PONDER_INLINE void store_sums_of_16(const int8_t* bytes, int16_t* sums) {
    const Ints ones = set_bytes(1);
    store_quad_sums(_mm512_dpbusd_epi32(zero_ints(), ones, load_ints(bytes)),
                    _mm512_dpbusd_epi32(zero_ints(), ones, load_ints(bytes + 64)), sums);
  }
  template <int kQuads>
  static PONDER_INLINE Ints dot_quads(Ints init, const Ints* w, const void* a) {
    const auto* quads = static_cast<const int8_t*>(a);
#pragma GCC unroll 8
    for (int j = 0; j < kQuads; ++j) {
      init = _mm512_dpbusd_epi32(init, w[j], broadcast_ints(quads + 4 * j));
    }
    return init;
  }
};

}  // namespace ponder
