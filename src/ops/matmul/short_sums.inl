// The sums over a panel (panel.hpp) for instruction sets that add products of bytes in 16 bits
// (AVX2): as many quads as fit are added there, in a run, before they are widened to 32 bits. The
// widening is a multiplication, so integer scales come for free, and a panel of K-quants is summed
// in integers. 8-bit numbers would not fit: their low and high halves are runs of their own.
#pragma once

#include "base/macros.hpp"
#include "ops/matmul/packed.hpp"
#include "ops/matmul/panel.hpp"

namespace ponder {

template <typename V, typename Source, int kWidth>
struct ShortSums {
  using Kind = typename Source::Kind;
  using I = typename V::Ints;

  // A pair of products reaches 2·127·(2^bits − 1), a sum 32767.
  static constexpr int kParts = Kind::kBits == 8 ? 2 : 1;
  static constexpr int kFitting = Kind::kBits == 6 ? 2 : Kind::kBits == 5 ? 4 : 8;
  static constexpr int kQuads = 8 / Kind::kHalves;
  static constexpr int kRun = kFitting < kQuads ? kFitting : kQuads;
  static constexpr int kRuns = 8 / kRun * kParts;

  // Sums of one sub-block, or, where scales are integers, of the panel so far.
  I sums[kWidth];

  // The i-th quad to be added: two that share their packed bytes follow each other.
  static constexpr int quad_at(int i) {
    return Kind::kHalves == 1 && Kind::kBits == 4 ? i % 2 * 4 + i / 2 : i;
  }

  // Quads from the i-th to the end of a run.
  template <int kPart, int kAt, int kEnd>
  static PONDER_INLINE void add_quads(const Source& source, const PanelColumn* x, int s,
                                      I (&pairs)[kWidth]) {
    constexpr int kQuad = quad_at(kAt);
    I u = source.template quad<kQuad>();
    if constexpr (kParts == 2) {
      if constexpr (kPart == 1) u = V::template shift_right<4>(u);
      u = V::and_bits(u, V::set_bytes(15));
    }
#pragma GCC unroll 4
    for (int c = 0; c < kWidth; ++c) {
      const I products = V::multiply_bytes(u, x[c].q + kSubBlock * s + 4 * kQuad);
      if constexpr (kAt % kRun == 0) {
        pairs[c] = products;
      } else {
        V::add_shorts(pairs[c], products);
      }
    }
    if constexpr (kAt + 1 < kEnd) add_quads<kPart, kAt + 1, kEnd>(source, x, s, pairs);
  }

  template <int kAt, typename Sub>
  PONDER_INLINE void add_runs(const Source& source, const Sub& sub, const PanelColumn* x, int s) {
    constexpr int kPart = kAt % kParts, kBegin = kAt / kParts * kRun;
    I pairs[kWidth];
    add_quads<kPart, kBegin, kBegin + kRun>(source, x, s, pairs);
    I factor;
    if constexpr (!Kind::kIntegers) {
      factor = V::set_shorts(kPart == 1 ? 16 : 1);
    } else if constexpr (kPart == 1) {
      factor = V::template shift_shorts_left<4>(sub.scale[kBegin / kQuads]);
    } else {
      factor = sub.scale[kBegin / kQuads];
    }
#pragma GCC unroll 4
    for (int c = 0; c < kWidth; ++c)
      sums[c] = V::add_ints(sums[c], V::multiply_pairs(pairs[c], factor));
    if constexpr (kAt + 1 < kRuns) add_runs<kAt + 1>(source, sub, x, s);
  }

  PONDER_INLINE void clear() {
#pragma GCC unroll 4
    for (int c = 0; c < kWidth; ++c) sums[c] = V::zero_ints();
  }

  // Adds the panel's sub-blocks to `parts`, without the terms of IntegerBases.
  static PONDER_INLINE void add(Source& source, int subs, const PanelColumn* x,
                                typename V::Floats (&parts)[kWidth]) {
    ShortSums of;
    of.clear();
#pragma GCC unroll 4
    for (int c = 0; c < kWidth; ++c) parts[c] = V::zero();
    for (int s = 0; s < subs; ++s) {
      const auto sub = source.next(s);
      of.template add_runs<0>(source, sub, x, s);
      if constexpr (!Kind::kIntegers) {
#pragma GCC unroll 4
        for (int c = 0; c < kWidth; ++c) {
          parts[c] = V::fma(V::to_floats(of.sums[c]), sub.scale[0], parts[c]);
          parts[c] = V::fma(sub.base, V::set(x[c].sums[s]), parts[c]);
        }
        of.clear();
      }
    }
    if constexpr (Kind::kIntegers) {
#pragma GCC unroll 4
      for (int c = 0; c < kWidth; ++c) parts[c] = V::mul(V::to_floats(of.sums[c]), source.unit());
    }
  }
};

}  // namespace ponder
