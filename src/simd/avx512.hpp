// The AVX-512 (F, BW, DQ, VL) vector type. Include only from *_avx512.cpp files, or by way of
// simd/avx512_vnni.hpp. Same members as simd/avx2.hpp, where they are explained.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "base/macros.hpp"

namespace ponder {

struct Avx512 {
  static constexpr int kLanes = 16;
  static constexpr int kColumns = 16;
  static constexpr int kTileGroups = 3, kTileColumns = 8;  // of a product of f32: 24 sums
  using Floats = __m512;
  using Ints = __m512i;

  static PONDER_INLINE Floats zero() { return _mm512_setzero_ps(); }
  static PONDER_INLINE Floats set(float x) { return _mm512_set1_ps(x); }
  static PONDER_INLINE Floats load(const float* p) { return _mm512_loadu_ps(p); }
  static PONDER_INLINE void store(float* p, Floats x) { _mm512_storeu_ps(p, x); }
  static PONDER_INLINE Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static PONDER_INLINE Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
  static PONDER_INLINE Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static PONDER_INLINE Floats div(Floats a, Floats b) { return _mm512_div_ps(a, b); }
  static PONDER_INLINE Floats max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  static PONDER_INLINE Floats min(Floats a, Floats b) { return _mm512_min_ps(a, b); }
  static PONDER_INLINE Floats abs(Floats a) { return _mm512_abs_ps(a); }
  static PONDER_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static PONDER_INLINE Floats fnma(Floats a, Floats b, Floats c) {
    return _mm512_fnmadd_ps(a, b, c);
  }
  static PONDER_INLINE Floats round(Floats a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static PONDER_INLINE Floats zero_below(Floats x, Floats bound, Floats y) {
    return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, bound, _CMP_LT_OQ), _mm512_setzero_ps());
  }
  static PONDER_INLINE Floats load_f16(const void* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  }
  static PONDER_INLINE void store_f16(void* p, Floats x) {
    _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  static PONDER_INLINE Floats load_bf16(const void* p) {
    const __m256i half = _mm256_loadu_si256(static_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
  }
  static PONDER_INLINE __mmask16 prefix_mask(int n) {
    return static_cast<__mmask16>((1u << n) - 1u);
  }
  static PONDER_INLINE Floats load_prefix(const float* p, int n) {
    return _mm512_maskz_loadu_ps(prefix_mask(n), p);
  }
  static PONDER_INLINE void store_prefix(float* p, Floats x, int n) {
    _mm512_mask_storeu_ps(p, prefix_mask(n), x);
  }
  static PONDER_INLINE Floats sqrt(Floats a) { return _mm512_sqrt_ps(a); }
  // Rows become columns: pairs, quads, then the quarters of the registers.
  static PONDER_INLINE void transpose(Floats (&rows)[16]) {
    Floats quads[16];
#pragma GCC unroll 4
    for (int q = 0; q < 16; q += 4) {
      const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(rows[q], rows[q + 1]));
      const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(rows[q], rows[q + 1]));
      const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(rows[q + 2], rows[q + 3]));
      const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(rows[q + 2], rows[q + 3]));
      quads[q] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
      quads[q + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
      quads[q + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
      quads[q + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const Floats even = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0x88);
      const Floats odd = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0xDD);
      const Floats even2 = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0x88);
      const Floats odd2 = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0xDD);
      rows[j] = _mm512_shuffle_f32x4(even, even2, 0x88);
      rows[4 + j] = _mm512_shuffle_f32x4(odd, odd2, 0x88);
      rows[8 + j] = _mm512_shuffle_f32x4(even, even2, 0xDD);
      rows[12 + j] = _mm512_shuffle_f32x4(odd, odd2, 0xDD);
    }
  }
  static PONDER_INLINE Floats swap_neighbours(Floats x) {
    return _mm512_permute_ps(x, 0b10'11'00'01);
  }
  static PONDER_INLINE float reduce_add(Floats x) {
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
  }
  static PONDER_INLINE float reduce_max(Floats x) {
    const __m256 h = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
  }

  static PONDER_INLINE Ints zero_ints() { return _mm512_setzero_si512(); }
  static PONDER_INLINE Ints set_ints(int32_t x) { return _mm512_set1_epi32(x); }
  static PONDER_INLINE Ints set_bytes(int8_t x) { return _mm512_set1_epi8(x); }
  static PONDER_INLINE Ints load_ints(const void* p) { return _mm512_loadu_si512(p); }
  static PONDER_INLINE Ints broadcast_ints(const void* p) {
    return _mm512_set1_epi32(*static_cast<const int32_t*>(p));
  }
  static PONDER_INLINE Ints and_bits(Ints a, Ints b) { return _mm512_and_si512(a, b); }
  static PONDER_INLINE Ints or_bits(Ints a, Ints b) { return _mm512_or_si512(a, b); }
  static PONDER_INLINE Ints xor_bits(Ints a, Ints b) { return _mm512_xor_si512(a, b); }
  static PONDER_INLINE Ints add_ints(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
  static PONDER_INLINE Ints sub_ints(Ints a, Ints b) { return _mm512_sub_epi32(a, b); }
  template <int kBits>
  static PONDER_INLINE Ints shift_right(Ints a) {
    return _mm512_srli_epi32(a, kBits);
  }
  template <int kBits>
  static PONDER_INLINE Ints shift_left(Ints a) {
    return _mm512_slli_epi32(a, kBits);
  }
  static PONDER_INLINE Floats to_floats(Ints a) { return _mm512_cvtepi32_ps(a); }
  static PONDER_INLINE Ints to_ints(Floats a) { return _mm512_cvtps_epi32(a); }
  static PONDER_INLINE Floats as_floats(Ints a) { return _mm512_castsi512_ps(a); }
  static PONDER_INLINE Ints as_ints(Floats a) { return _mm512_castps_si512(a); }
  static PONDER_INLINE Ints load_u8(const void* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  }
  static PONDER_INLINE Ints load_i8(const void* p) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  }
  static PONDER_INLINE void store_i8(int8_t* p, Ints a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a));
  }
  static PONDER_INLINE int32_t reduce_add_ints(Ints a) { return _mm512_reduce_add_epi32(a); }
  // See wide_avx2.hpp.
  static PONDER_INLINE Floats load_f8e4m3(const void* p) {
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(p)));
    return _mm512_cvtph_ps(_mm256_and_si256(_mm256_slli_epi16(wide, 7),
                                            _mm256_set1_epi16(static_cast<int16_t>(0xBFFF))));
  }
  static PONDER_INLINE void store_ints(void* p, Ints a) { _mm512_storeu_si512(p, a); }
  // In four pieces of 16 bytes: each can be loaded again before it has reached the cache.
  static PONDER_INLINE void store_quarters(std::byte* p, Ints a) {
    auto* out = reinterpret_cast<__m128i*>(p);
    _mm_store_si128(out, _mm512_castsi512_si128(a));
    _mm_store_si128(out + 1, _mm512_extracti32x4_epi32(a, 1));
    _mm_store_si128(out + 2, _mm512_extracti32x4_epi32(a, 2));
    _mm_store_si128(out + 3, _mm512_extracti32x4_epi32(a, 3));
  }
  // Lane r: byte r at `first` in the lower 16 bits, byte r at `second` in the upper ones.
  template <bool kSigned>
  static PONDER_INLINE Ints pair_bytes(const std::byte* first, const std::byte* second) {
    const Ints low = kSigned ? load_i8(first) : load_u8(first);
    const Ints high = kSigned ? load_i8(second) : load_u8(second);
    return _mm512_mask_blend_epi16(0xAAAAAAAA, low, _mm512_slli_epi32(high, 16));
  }
  static PONDER_INLINE Ints look_up(const void* table, Ints index) {
    const __m128i entries = _mm_loadu_si128(static_cast<const __m128i*>(table));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(entries), index);
  }
  // 32 sums of 4 bytes each, in a and b, to 8 sums of 16 bytes.
  static PONDER_INLINE void store_quad_sums(Ints a, Ints b, int16_t* sums) {
    const Ints pairs = add_ints(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    const Ints quarters = add_ints(pairs, _mm512_shuffle_epi32(pairs, _MM_PERM_BADC));
    const Ints order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i shorts = _mm512_cvtepi32_epi16(_mm512_permutexvar_epi32(order, quarters));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums), _mm256_castsi256_si128(shorts));
  }
};

// With what the int8 form of products needs where there is no VNNI: products of bytes are summed in
// 16 bits first, as in simd/wide_avx2.hpp, where the members are explained.
struct Avx512Short : Avx512 {
  static constexpr int kColumns = 4;
  static constexpr bool kShortSums = true;

  static PONDER_INLINE Ints set_shorts(int16_t x) { return _mm512_set1_epi16(x); }
  static PONDER_INLINE void add_shorts(Ints& sums, Ints a) {
    asm("vpaddw %1, %0, %0" : "+v"(sums) : "v"(a));
  }
  static PONDER_INLINE void add_words(Ints& sums, Ints a) {
    asm("vpaddd %1, %0, %0" : "+v"(sums) : "v"(a));
  }
  static PONDER_INLINE Ints multiply_pairs(Ints a, Ints b) { return _mm512_madd_epi16(a, b); }
  static PONDER_INLINE Ints multiply_bytes(Ints u, const int8_t* x) {
    return _mm512_maddubs_epi16(u, broadcast_ints(x));
  }
  static PONDER_INLINE Ints abs_bytes(Ints w) { return _mm512_abs_epi8(w); }
  static PONDER_INLINE Ints multiply_signed_bytes(Ints size, Ints w, const int8_t* x) {
    const Ints b = broadcast_ints(x);
    const Ints turned = _mm512_mask_sub_epi8(b, _mm512_movepi8_mask(w), zero_ints(), b);
    return _mm512_maddubs_epi16(size, turned);
  }
  static PONDER_INLINE void store_sums_of_16(const int8_t* bytes, int16_t* sums) {
    const Ints ones = set_bytes(1), one = set_shorts(1);
    const Ints a = _mm512_madd_epi16(_mm512_maddubs_epi16(ones, load_ints(bytes)), one);
    const Ints b = _mm512_madd_epi16(_mm512_maddubs_epi16(ones, load_ints(bytes + 64)), one);
    store_quad_sums(a, b, sums);
  }
  // See simd/avx2.hpp.
  template <int kQuads>
  static PONDER_INLINE Ints dot_quads(Ints init, const Ints* w, const void* a) {
    static_assert(kQuads <= 8);
    const auto* quads = static_cast<const int8_t*>(a);
    Ints pairs = multiply_bytes(w[0], quads);
#pragma GCC unroll 8
    for (int j = 1; j < kQuads; ++j) add_shorts(pairs, multiply_bytes(w[j], quads + 4 * j));
    return add_ints(init, multiply_pairs(pairs, set_shorts(1)));
  }
};

}  // namespace ponder
