// The sums over a panel (panel.hpp) for instruction sets that add products of bytes in 16 bits
// (AVX2): as many quads as fit are added there, in a run, before they are widened to 32 bits. The
// widening is a multiplication, so the integer scales of K-quants come for free. Bytes of 8 bits
// are signed here, and their sign moves to the activation.
#pragma once

#include "base/macros.hpp"
#include "ops/matmul/packed.hpp"
#include "ops/matmul/panel.hpp"

namespace ponder {

template <typename V, typename Source, int kWidth>
struct ShortSums {
  using Kind = typename Source::Kind;
  using F = typename V::Floats;
  using I = typename V::Ints;

  // A pair of products reaches 2·127·(2^bits − 1), of signed bytes 2·127·128; a sum 32767.
  static constexpr int kFitting = Kind::kBits == 8   ? 1
                                  : Kind::kBits == 6 ? 2
                                  : Kind::kBits == 5 ? 4
                                                     : 8;
  static constexpr int kQuads = 8 / Kind::kHalves;
  static constexpr int kRun = kFitting < kQuads ? kFitting : kQuads;

  I sums[kWidth];  // of one sub-block

  // The i-th quad to be added: two that share their packed bytes follow each other.
  static constexpr int quad_at(int i) {
    return Kind::kHalves == 1 && Kind::kBits == 4 ? i % 2 * 4 + i / 2 : i;
  }

  // Products of the i-th quad, u, with column c.
  template <int kAt>
  static PONDER_INLINE I multiply(I u, const FineColumn& x, int s) {
    const int8_t* q = x.q + kSubBlock * s + 4 * quad_at(kAt);
    if constexpr (Kind::kBits == 8) {
      return V::multiply_signed_bytes(V::abs_bytes(u), u, q);
    } else {
      return V::multiply_bytes(u, q);
    }
  }

  // Quads from the i-th to the end of a run, each for all columns.
  template <int kAt, int kEnd>
  static PONDER_INLINE void add_quads(const Source& source, const FineColumn* x, int s,
                                      I (&pairs)[kWidth]) {
    const I u = source.template quad<quad_at(kAt)>();
#pragma GCC unroll 4
    for (int c = 0; c < kWidth; ++c) {
      const I products = multiply<kAt>(u, x[c], s);
      if constexpr (kAt % kRun == 0) {
        pairs[c] = products;
      } else {
        V::add_shorts(pairs[c], products);
      }
    }
    if constexpr (kAt + 1 < kEnd) add_quads<kAt + 1, kEnd>(source, x, s, pairs);
  }

  // A run is done.
  template <int kAt>
  static PONDER_INLINE void widen(I pairs, I factor, I& sum) {
    const I words = V::multiply_pairs(pairs, factor);
    if constexpr (kAt == 0) {
      sum = words;
    } else {
      V::add_words(sum, words);
    }
  }

  // A run that begins with the i-th quad. One or two quads stay in registers while the columns pass
  // by; the sums of more of them do instead.
  template <int kAt>
  PONDER_INLINE void add_run(const Source& source, I factor, const FineColumn* x, int s) {
    if constexpr (kRun > 2) {
      I pairs[kWidth];
      add_quads<kAt, kAt + kRun>(source, x, s, pairs);
#pragma GCC unroll 4
      for (int c = 0; c < kWidth; ++c) widen<kAt>(pairs[c], factor, sums[c]);
    } else {
      constexpr int kLast = kAt + kRun - 1;
      const I first = source.template quad<quad_at(kAt)>();
      const I last = source.template quad<quad_at(kLast)>();
#pragma GCC unroll 4
      for (int c = 0; c < kWidth; ++c) {
        I pairs = multiply<kAt>(first, x[c], s);
        if constexpr (kRun == 2) V::add_shorts(pairs, multiply<kLast>(last, x[c], s));
        widen<kAt>(pairs, factor, sums[c]);
      }
    }
  }

  // Runs from the one that begins with the i-th quad.
  template <int kAt, typename Sub>
  PONDER_INLINE void add_runs(const Source& source, const Sub& sub, const FineColumn* x, int s) {
    if constexpr (Kind::kIntegers) {
      add_run<kAt>(source, sub.scale[kAt / kQuads], x, s);
    } else {
      add_run<kAt>(source, V::set_shorts(1), x, s);
    }
    if constexpr (kAt + kRun < 8) add_runs<kAt + kRun>(source, sub, x, s);
  }

  // The panel's terms of one tile.
  static PONDER_INLINE void add(Source& source, int subs, const FineColumn* x, F (&parts)[kWidth]) {
    ShortSums of;
#pragma GCC unroll 4
    for (int c = 0; c < kWidth; ++c) parts[c] = V::zero();
    for (int s = 0; s < subs; ++s) {
      const auto sub = source.next(s);
      of.template add_runs<0>(source, sub, x, s);
#pragma GCC unroll 4
      for (int c = 0; c < kWidth; ++c) {
        const F sum = V::to_floats(of.sums[c]), scale = V::set(x[c].scale[s]);
        if constexpr (Kind::kIntegers) {
          parts[c] = V::fma(sum, scale, parts[c]);
        } else {
          parts[c] = V::fma(V::mul(sum, scale), sub.scale[0], parts[c]);
          if constexpr (Kind::kHasBase) parts[c] = V::fma(sub.base, V::set(x[c].sums[s]), parts[c]);
        }
      }
    }
    if constexpr (Kind::kIntegers) finish(source, x, parts);
  }

  // Common factors, and the terms of the bases.
  static PONDER_INLINE void finish(const Source& source, const FineColumn* x, F (&parts)[kWidth]) {
    const F unit = source.unit();
#pragma GCC unroll 4
    for (int c = 0; c < kWidth; ++c) parts[c] = V::mul(parts[c], unit);
    if constexpr (Kind::kHasBase) {
      F bases[kWidth];
#pragma GCC unroll 4
      for (int c = 0; c < kWidth; ++c) bases[c] = V::zero();
#pragma GCC unroll 16
      for (int i = 0; i < kPanelSubs * Kind::kHalves; ++i) {
        const F base = source.base(i / Kind::kHalves, i % Kind::kHalves);
#pragma GCC unroll 4
        for (int c = 0; c < kWidth; ++c) {
          const float* sums = Kind::kHalves == 1 ? x[c].sums : x[c].half_sums;
          bases[c] = V::fma(base, V::set(sums[i]), bases[c]);
        }
      }
      const F factor = source.factor();
#pragma GCC unroll 4
      for (int c = 0; c < kWidth; ++c) parts[c] = V::fma(bases[c], factor, parts[c]);
    }
  }
};

}  // namespace ponder
