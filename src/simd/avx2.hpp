// The AVX2+FMA+F16C vector type. Include only from *_avx2.cpp files. Kernel bodies (*.inl) are
// templates over a vector type V with the members below; simd/avx512.hpp has the same.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "base/macros.hpp"

namespace ponder {

struct Avx2 {
  static constexpr int kLanes = 8;
  static constexpr int kColumns = 4;  // columns of a product whose sums fit in the 16 registers
  using Floats = __m256;              // kLanes × f32
  using Ints = __m256i;               // kLanes × i32, or 4·kLanes bytes

  // Floats.
  static PONDER_INLINE Floats zero() { return _mm256_setzero_ps(); }
  static PONDER_INLINE Floats set(float x) { return _mm256_set1_ps(x); }
  static PONDER_INLINE Floats load(const float* p) { return _mm256_loadu_ps(p); }
  static PONDER_INLINE void store(float* p, Floats x) { _mm256_storeu_ps(p, x); }
  static PONDER_INLINE Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
  static PONDER_INLINE Floats sub(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
  static PONDER_INLINE Floats mul(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static PONDER_INLINE Floats div(Floats a, Floats b) { return _mm256_div_ps(a, b); }
  static PONDER_INLINE Floats max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
  static PONDER_INLINE Floats min(Floats a, Floats b) { return _mm256_min_ps(a, b); }
  static PONDER_INLINE Floats abs(Floats a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  // a·b + c with one rounding; a·b subtracted from c.
  static PONDER_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  static PONDER_INLINE Floats fnma(Floats a, Floats b, Floats c) {
    return _mm256_fnmadd_ps(a, b, c);
  }
  static PONDER_INLINE Floats round(Floats a) {  // to nearest, ties to even
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static PONDER_INLINE Floats zero_below(Floats x, Floats bound, Floats y) {  // x < bound ? 0 : y
    return _mm256_andnot_ps(_mm256_cmp_ps(x, bound, _CMP_LT_OQ), y);
  }
  // kLanes 16-bit numbers widened, and f32 narrowed to f16 (round to nearest even).
  static PONDER_INLINE Floats load_f16(const void* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  }
  static PONDER_INLINE void store_f16(void* p, Floats x) {
    _mm_storeu_si128(static_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  static PONDER_INLINE Floats load_bf16(const void* p) {
    const __m128i half = _mm_loadu_si128(static_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
  }
  // The first n < kLanes elements; the other lanes are 0 and memory past them is not touched.
  static PONDER_INLINE Ints prefix_mask(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static PONDER_INLINE Floats load_prefix(const float* p, int n) {
    return _mm256_maskload_ps(p, prefix_mask(n));
  }
  static PONDER_INLINE void store_prefix(float* p, Floats x, int n) {
    _mm256_maskstore_ps(p, prefix_mask(n), x);
  }
  static PONDER_INLINE Floats sqrt(Floats a) { return _mm256_sqrt_ps(a); }
  // Rows become columns: pairs, quads, then the halves of the registers.
  static PONDER_INLINE void transpose(Floats (&rows)[8]) {
    Floats quads[8];
#pragma GCC unroll 2
    for (int q = 0; q < 8; q += 4) {
      const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(rows[q], rows[q + 1]));
      const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(rows[q], rows[q + 1]));
      const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(rows[q + 2], rows[q + 3]));
      const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(rows[q + 2], rows[q + 3]));
      quads[q] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
      quads[q + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
      quads[q + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
      quads[q + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      rows[j] = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x20);
      rows[4 + j] = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x31);
    }
  }
  static PONDER_INLINE Floats swap_neighbours(Floats x) {  // lanes 2j and 2j+1
    return _mm256_permute_ps(x, 0b10'11'00'01);
  }
  // One order of additions for every call: halves, then quarters, then pairs.
  static PONDER_INLINE float reduce_add(Floats x) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
  }
  static PONDER_INLINE float reduce_max(Floats x) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
  }

  // Integers.
  static PONDER_INLINE Ints zero_ints() { return _mm256_setzero_si256(); }
  static PONDER_INLINE Ints set_ints(int32_t x) { return _mm256_set1_epi32(x); }
  static PONDER_INLINE Ints set_bytes(int8_t x) { return _mm256_set1_epi8(x); }
  static PONDER_INLINE Ints load_ints(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
  static PONDER_INLINE Ints broadcast_ints(const void* p) {  // one i32 to all lanes
    return _mm256_set1_epi32(*static_cast<const int32_t*>(p));
  }
  static PONDER_INLINE Ints and_bits(Ints a, Ints b) { return _mm256_and_si256(a, b); }
  static PONDER_INLINE Ints or_bits(Ints a, Ints b) { return _mm256_or_si256(a, b); }
  static PONDER_INLINE Ints xor_bits(Ints a, Ints b) { return _mm256_xor_si256(a, b); }
  static PONDER_INLINE Ints add_ints(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
  static PONDER_INLINE Ints sub_ints(Ints a, Ints b) { return _mm256_sub_epi32(a, b); }
  template <int kBits>
  static PONDER_INLINE Ints shift_right(Ints a) {  // of 32-bit lanes, zeros enter
    return _mm256_srli_epi32(a, kBits);
  }
  template <int kBits>
  static PONDER_INLINE Ints shift_left(Ints a) {
    return _mm256_slli_epi32(a, kBits);
  }
  static PONDER_INLINE Floats to_floats(Ints a) { return _mm256_cvtepi32_ps(a); }
  static PONDER_INLINE Ints to_ints(Floats a) { return _mm256_cvtps_epi32(a); }
  static PONDER_INLINE Floats as_floats(Ints a) { return _mm256_castsi256_ps(a); }
  static PONDER_INLINE Ints as_ints(Floats a) { return _mm256_castps_si256(a); }
  // kLanes bytes widened to i32.
  static PONDER_INLINE Ints load_u8(const void* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
  }
  static PONDER_INLINE Ints load_i8(const void* p) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
  }
  // Low bytes of kLanes i32 in [−128, 127] stored; sum of all lanes.
  static PONDER_INLINE void store_i8(int8_t* p, Ints a) {
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }
  static PONDER_INLINE int32_t reduce_add_ints(Ints a) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1)));
  }
  // Each byte of `index` (0 … 15) replaced by that entry of a 16-byte table.
  static PONDER_INLINE Ints look_up(const void* table, Ints index) {
    const __m128i entries = _mm_loadu_si128(static_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), index);
  }
  // Products of bytes, quad by quad: init + Σ_j Σ_4 w[j]·a[4j …], w unsigned of up to 4 bits, a
  // signed ≥ −127, broadcast. Up to 8 products are summed in 16 bits.
  template <int kQuads>
  static PONDER_INLINE Ints dot_quads(Ints init, const Ints* w, const void* a) {
    static_assert(kQuads <= 8);
    const auto* quads = static_cast<const int8_t*>(a);
    Ints pairs = _mm256_maddubs_epi16(w[0], broadcast_ints(quads));
#pragma GCC unroll 8
    for (int j = 1; j < kQuads; ++j)
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(w[j], broadcast_ints(quads + 4 * j)));
    return _mm256_add_epi32(init, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace ponder
