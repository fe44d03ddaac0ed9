// The int8 form of products. Activations are rounded to 8 bits; weights keep their integers and
// scales, so that only the activations lose anything:
//
//   x[t, k] ≈ a[t]·q[t, k], q in [−127, 127], for each 32 k
//     AVX2: a = max |x| / 127 of the 32 k
//     AVX-512: a = 2^−j·(max |x| / 127 of 256 k), j the largest that keeps q in its range, ≤ 15
//   W[n, k] = scale[n]·u[n, k] + base[n], u unsigned, for each 32 k (or 16: what the format has)
//   y[t, n] = Σ_panels Σ_sub-blocks a[t]·(scale[n]·Σ_k u·q + base[n]·Σ_k q)
//
// In AVX-512 the part of a that is a power of two is an integer added to the exponent of Σ u·q, and
// the rest stands before the outer sum. Where base is a common factor times small integers
// (K-quants), the factor does too. A panel of 256 k is unpacked to bytes once for all columns of a
// task, and held in the L1 cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/matmul/packed.hpp"

namespace ponder {

inline constexpr int kPanelCols = 256;  // elements of K; the last panel of a row may have fewer
inline constexpr int kPanelSubs = kPanelCols / kSubBlock;

// 16 rows × up to 256 elements of K.
struct alignas(64) Panel {
  uint8_t u[kPanelCols / 4][kGroupRows][4];  // quads of k, rows, 4 consecutive k
  float scale[2 * kPanelSubs][kGroupRows];   // of each sub-block, or of its halves …
  float base[2 * kPanelSubs][kGroupRows];    // likewise; or instead of it …
  int16_t pairs[kPanelSubs][kGroupRows][2];  // … the integers of two sub-blocks, or of two halves
  float factor[kGroupRows];                  // and what they are multiplied with
  float unit[kGroupRows];                    // … as integers (twice 16 bits) times this in AVX2
};

// The part of one column that meets a panel. For each panel of K all columns lie one after the
// other; their distance is no power of two, or all would start in the same bank of the L1 cache.
struct PanelColumn {
  int8_t q[kPanelCols];               // zeros past K
  int32_t powers[kPanelSubs];         // (kMaxShift − j) << 23
  float sums[kPanelSubs];             // 2^(kMaxShift − j)·Σ q of 32
  int16_t int_sums[kPanelSubs];       // 2^(kSumBits − j)·Σ q of 32, rounded
  int16_t half_sums[2 * kPanelSubs];  // the same of 16
  float scale;                        // 2^−kMaxShift·max |x| / 127
};
inline constexpr int kMaxShift = 15;
inline constexpr int kSumBits = 3;  // 2^3·32·127 fits in 16 bits

// The same with a scale for 32.
struct FineColumn {
  int8_t q[kPanelCols];
  float scale[kPanelSubs];          // a
  float sums[kPanelSubs];           // a·Σ q of 32
  float half_sums[2 * kPanelSubs];  // a·Σ q of 16
  float unused;                     // see PanelColumn
};

constexpr int64_t panel_count(int64_t cols) { return (cols + kPanelCols - 1) / kPanelCols; }
}  // namespace ponder
