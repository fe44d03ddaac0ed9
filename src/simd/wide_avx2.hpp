// Sixteen lanes in two AVX2 registers, for kernels that work on a whole group of 16 packed rows: a
// broadcast activation then serves both halves. Include only from *_avx2.cpp files. The names are
// those of simd/avx512.hpp; products of bytes are summed in 16 bits first (kShortSums).
#pragma once

#include <cstddef>

#include "simd/avx2.hpp"

namespace ponder {

struct WideAvx2 {
  struct Floats {
    __m256 low, high;  // lanes 0 … 7 and 8 … 15
  };
  struct Ints {
    __m256i low, high;
  };
  static constexpr int kLanes = 16;
  static constexpr int kColumns = 4;  // columns of a product whose sums fit in the 16 registers
  static constexpr int kTileGroups = 1, kTileColumns = 6;  // of a product of f32: 12 sums
  static constexpr bool kShortSums = true;

  // Floats.
  static PONDER_INLINE Floats zero() { return {Avx2::zero(), Avx2::zero()}; }
  static PONDER_INLINE Floats set(float x) { return {Avx2::set(x), Avx2::set(x)}; }
  static PONDER_INLINE Floats load(const float* p) { return {Avx2::load(p), Avx2::load(p + 8)}; }
  static PONDER_INLINE void store(float* p, Floats x) {
    Avx2::store(p, x.low);
    Avx2::store(p + 8, x.high);
  }
  static PONDER_INLINE Floats add(Floats a, Floats b) {
    return {Avx2::add(a.low, b.low), Avx2::add(a.high, b.high)};
  }
  static PONDER_INLINE Floats sub(Floats a, Floats b) {
    return {Avx2::sub(a.low, b.low), Avx2::sub(a.high, b.high)};
  }
  static PONDER_INLINE Floats mul(Floats a, Floats b) {
    return {Avx2::mul(a.low, b.low), Avx2::mul(a.high, b.high)};
  }
  static PONDER_INLINE Floats max(Floats a, Floats b) {
    return {Avx2::max(a.low, b.low), Avx2::max(a.high, b.high)};
  }
  static PONDER_INLINE Floats abs(Floats a) { return {Avx2::abs(a.low), Avx2::abs(a.high)}; }
  static PONDER_INLINE Floats fma(Floats a, Floats b, Floats c) {
    return {Avx2::fma(a.low, b.low, c.low), Avx2::fma(a.high, b.high, c.high)};
  }
  static PONDER_INLINE Floats fnma(Floats a, Floats b, Floats c) {
    return {Avx2::fnma(a.low, b.low, c.low), Avx2::fnma(a.high, b.high, c.high)};
  }
  static PONDER_INLINE float reduce_max(Floats x) {
    return Avx2::reduce_max(Avx2::max(x.low, x.high));
  }
  static PONDER_INLINE Floats load_f16(const std::byte* p) {
    return {Avx2::load_f16(p), Avx2::load_f16(p + 16)};
  }
  static PONDER_INLINE Floats load_bf16(const std::byte* p) {
    return {Avx2::load_bf16(p), Avx2::load_bf16(p + 16)};
  }
  // kLanes E4M3 numbers through 256: the same bits in f16, sign moved. NaN (0x7F) is not kept:
  // loaders refuse it.
  static PONDER_INLINE Floats load_f8e4m3(const std::byte* p) {
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m256i halves = _mm256_and_si256(_mm256_slli_epi16(wide, 7),
                                            _mm256_set1_epi16(static_cast<int16_t>(0xBFFF)));
    return {_mm256_cvtph_ps(_mm256_castsi256_si128(halves)),
            _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1))};
  }
  // The first n elements, of up to 16.
  static PONDER_INLINE Floats load_prefix(const float* p, int n) {
    return {Avx2::load_prefix(p, n), n > 8 ? Avx2::load_prefix(p + 8, n - 8) : Avx2::zero()};
  }
  static PONDER_INLINE void store_prefix(float* p, Floats x, int n) {
    Avx2::store_prefix(p, x.low, n);
    if (n > 8) Avx2::store_prefix(p + 8, x.high, n - 8);
  }
  // Rows become columns, a quarter at a time.
  static PONDER_INLINE void transpose(Floats (&rows)[16]) {
    __m256 blocks[4][8];  // upper left, upper right, lower left, lower right
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      blocks[0][i] = rows[i].low;
      blocks[1][i] = rows[i].high;
      blocks[2][i] = rows[8 + i].low;
      blocks[3][i] = rows[8 + i].high;
    }
#pragma GCC unroll 4
    for (int b = 0; b < 4; ++b) Avx2::transpose(blocks[b]);
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      rows[i] = {blocks[0][i], blocks[2][i]};
      rows[8 + i] = {blocks[1][i], blocks[3][i]};
    }
  }

  // Integers.
  static PONDER_INLINE Ints zero_ints() { return {Avx2::zero_ints(), Avx2::zero_ints()}; }
  static PONDER_INLINE Ints set_ints(int32_t x) { return {Avx2::set_ints(x), Avx2::set_ints(x)}; }
  static PONDER_INLINE Ints set_bytes(int8_t x) { return {Avx2::set_bytes(x), Avx2::set_bytes(x)}; }
  static PONDER_INLINE Ints load_ints(const void* p) {
    const auto* vectors = static_cast<const __m256i*>(p);
    return {_mm256_loadu_si256(vectors), _mm256_loadu_si256(vectors + 1)};
  }
  static PONDER_INLINE void store_ints(void* p, Ints a) {
    auto* vectors = static_cast<__m256i*>(p);
    _mm256_storeu_si256(vectors, a.low);
    _mm256_storeu_si256(vectors + 1, a.high);
  }
  static PONDER_INLINE void store_quarters(std::byte* p, Ints a) {
    auto* out = reinterpret_cast<__m128i*>(p);
    _mm_store_si128(out, _mm256_castsi256_si128(a.low));
    _mm_store_si128(out + 1, _mm256_extracti128_si256(a.low, 1));
    _mm_store_si128(out + 2, _mm256_castsi256_si128(a.high));
    _mm_store_si128(out + 3, _mm256_extracti128_si256(a.high, 1));
  }
  static PONDER_INLINE Ints and_bits(Ints a, Ints b) {
    return {Avx2::and_bits(a.low, b.low), Avx2::and_bits(a.high, b.high)};
  }
  static PONDER_INLINE Ints or_bits(Ints a, Ints b) {
    return {Avx2::or_bits(a.low, b.low), Avx2::or_bits(a.high, b.high)};
  }
  static PONDER_INLINE Ints xor_bits(Ints a, Ints b) {
    return {Avx2::xor_bits(a.low, b.low), Avx2::xor_bits(a.high, b.high)};
  }
  static PONDER_INLINE Ints add_ints(Ints a, Ints b) {
    return {Avx2::add_ints(a.low, b.low), Avx2::add_ints(a.high, b.high)};
  }
  template <int kBits>
  static PONDER_INLINE Ints shift_right(Ints a) {
    return {Avx2::shift_right<kBits>(a.low), Avx2::shift_right<kBits>(a.high)};
  }
  template <int kBits>
  static PONDER_INLINE Ints shift_left(Ints a) {
    return {Avx2::shift_left<kBits>(a.low), Avx2::shift_left<kBits>(a.high)};
  }
  static PONDER_INLINE Floats to_floats(Ints a) {
    return {Avx2::to_floats(a.low), Avx2::to_floats(a.high)};
  }
  static PONDER_INLINE Ints to_ints(Floats a) {
    return {Avx2::to_ints(a.low), Avx2::to_ints(a.high)};
  }
  static PONDER_INLINE Ints load_i8(const std::byte* p) {
    return {Avx2::load_i8(p), Avx2::load_i8(p + 8)};
  }
  static PONDER_INLINE Ints load_u8(const std::byte* p) {
    return {Avx2::load_u8(p), Avx2::load_u8(p + 8)};
  }
  static PONDER_INLINE void store_i8(int8_t* p, Ints a) {
    Avx2::store_i8(p, a.low);
    Avx2::store_i8(p + 8, a.high);
  }
  static PONDER_INLINE Ints look_up(const void* table, Ints index) {
    return {Avx2::look_up(table, index.low), Avx2::look_up(table, index.high)};
  }

  // Pairs of 16-bit numbers. Lane r of pair_bytes: byte r at `first` low, byte r at `second` high.
  template <bool kSigned>
  static PONDER_INLINE Ints pair_bytes(const std::byte* first, const std::byte* second) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(second));
    const __m128i low = _mm_unpacklo_epi8(a, b), high = _mm_unpackhi_epi8(a, b);
    if constexpr (kSigned) {
      return {_mm256_cvtepi8_epi16(low), _mm256_cvtepi8_epi16(high)};
    } else {
      return {_mm256_cvtepu8_epi16(low), _mm256_cvtepu8_epi16(high)};
    }
  }
  static PONDER_INLINE Ints set_shorts(int16_t x) {
    return {_mm256_set1_epi16(x), _mm256_set1_epi16(x)};
  }
  // Sums of 16 or 32 bits. Spelled out since g++ 12 turns a chain of additions into a tree, and the
  // many sums that are then held at once do not fit in the registers.
  static PONDER_INLINE void add_shorts(Ints& sums, Ints a) {
    asm("vpaddw %1, %0, %0" : "+x"(sums.low) : "x"(a.low));
    asm("vpaddw %1, %0, %0" : "+x"(sums.high) : "x"(a.high));
  }
  static PONDER_INLINE void add_words(Ints& sums, Ints a) {
    asm("vpaddd %1, %0, %0" : "+x"(sums.low) : "x"(a.low));
    asm("vpaddd %1, %0, %0" : "+x"(sums.high) : "x"(a.high));
  }
  // In each lane the sum of two products: a's numbers times b's.
  static PONDER_INLINE Ints multiply_pairs(Ints a, Ints b) {
    return {_mm256_madd_epi16(a.low, b.low), _mm256_madd_epi16(a.high, b.high)};
  }
  // Adds to each lane the products of 2 signed numbers of 16 bits of w and those at x.
  static PONDER_INLINE void add_pairs(Ints& sums, Ints w, const int16_t* x) {
    const __m256i b = Avx2::broadcast_ints(x);
    sums = add_ints(sums, multiply_pairs(w, {b, b}));
  }
  // The products of 4 unsigned bytes of u in each lane and the 4 signed ones at x, ≥ −127, as two
  // sums of 16 bits: exact for bytes of up to 7 bits.
  static PONDER_INLINE Ints multiply_bytes(Ints u, const int8_t* x) {
    const __m256i b = Avx2::broadcast_ints(x);
    return {_mm256_maddubs_epi16(u.low, b), _mm256_maddubs_epi16(u.high, b)};
  }
  // The same of signed bytes w and their absolute values.
  static PONDER_INLINE Ints abs_bytes(Ints w) {
    return {_mm256_abs_epi8(w.low), _mm256_abs_epi8(w.high)};
  }
  static PONDER_INLINE Ints multiply_signed_bytes(Ints size, Ints w, const int8_t* x) {
    const __m256i b = Avx2::broadcast_ints(x);
    return {_mm256_maddubs_epi16(size.low, _mm256_sign_epi8(b, w.low)),
            _mm256_maddubs_epi16(size.high, _mm256_sign_epi8(b, w.high))};
  }
  // The sums of each 16 of 128 signed bytes.
  static PONDER_INLINE void store_sums_of_16(const int8_t* bytes, int16_t* sums) {
    __m256i quads[4];
    for (int i = 0; i < 4; ++i)
      quads[i] = _mm256_madd_epi16(
          _mm256_maddubs_epi16(_mm256_set1_epi8(1), Avx2::load_ints(bytes + 32 * i)),
          _mm256_set1_epi16(1));
    // Halves of the vector: the even and the odd sums.
    const __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(quads[0], quads[1]),
                                          _mm256_hadd_epi32(quads[2], quads[3]));
    const __m128i even = _mm256_castsi256_si128(all), odd = _mm256_extracti128_si256(all, 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums),
                     _mm_packs_epi32(_mm_unpacklo_epi32(even, odd), _mm_unpackhi_epi32(even, odd)));
  }
};

}  // namespace ponder
