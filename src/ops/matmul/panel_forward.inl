// Bodies of the panel form (panel.hpp), over a vector type V of 16 lanes. Each output is one lane;
// its sum runs over sub-blocks and panels in ascending order, for any number of columns.
#pragma once

#include "ops/matmul/matmul_kernel.hpp"
#include "ops/matmul/panel.hpp"
#include "ops/matmul/short_sums.inl"
#include "ops/matmul/unpack.inl"

namespace ponder {

// Columns of a task that are worked on together, and groups that share a pass over them.
inline constexpr int64_t kPanelTaskColumns = 256;
inline constexpr int64_t kPanelGroups = 4;

// What the loops over a panel depend on; formats of one kind share them.
template <int kHalvesOf, bool kIntegersOf, int kBitsOf>
struct PanelKind {
  static constexpr int kHalves = kHalvesOf;       // scales for 32 elements
  static constexpr bool kIntegers = kIntegersOf;  // scales and bases are integers times factors
  static constexpr bool kHasBase = kBitsOf != 8;
  static constexpr int kBits = kBitsOf;  // of a byte u, where it matters; of 8 bits it is signed
};
template <typename V, typename Format>
using KindOf = PanelKind<PackedBlocks<Format>::kHalves, Format::kHasSubScales,
                         V::kShortSums ? kByteBits<Format> : 0>;

template <bool kShortSums>
struct PanelColumnOf {
  using Type = PanelColumn;
};
template <>
struct PanelColumnOf<true> {
  using Type = FineColumn;
};
template <typename V>
using ColumnOf = typename PanelColumnOf<V::kShortSums>::Type;

// Columns that do without a panel, 1, 2, 4 … up to a tile: the bytes go from the packed group into
// the registers, once.
template <typename V>
PONDER_INLINE constexpr bool goes_directly(int64_t columns) {
  return columns <= V::kColumns && (columns & (columns - 1)) == 0;
}

// A scale of 16 rows, where sums of 16 bits are multiplied with it as an integer: twice in a lane.
template <typename V, bool kAsPairs>
struct PanelScale {
  using Type = typename V::Floats;
  static PONDER_INLINE Type load(const float* p) { return V::load(p); }
  static PONDER_INLINE void store(float* p, Type x) { V::store(p, x); }
};
template <typename V>
struct PanelScale<V, true> {
  using Type = typename V::Ints;
  static PONDER_INLINE Type load(const float* p) { return V::load_ints(p); }
  static PONDER_INLINE void store(float* p, Type x) { V::store_ints(p, x); }
};
template <typename V, typename Kind>
using ScaleOf = PanelScale<V, V::kShortSums && Kind::kIntegers>;

// The terms Σ base·Σ q of a panel, where base is a factor times an integer: formats with blocks of
// 256 that have integers for scales and minima.
template <typename V, int kHalves>
struct IntegerBases {
  using I = typename V::Ints;
  static constexpr int kPairs = kPanelSubs / 2 * kHalves;
  I pairs[kPairs];  // integers of two sub-blocks, or of the halves of one
  typename V::Floats factor;

  // part + the terms of one column.
  PONDER_INLINE typename V::Floats add(typename V::Floats part, const PanelColumn& x) const {
    I sum = V::zero_ints();
#pragma GCC unroll 8
    for (int i = 0; i < kPairs; ++i)
      V::add_pairs(sum, pairs[i], (kHalves == 1 ? x.int_sums : x.half_sums) + 2 * i);
    return V::fma(V::to_floats(sum), factor, part);
  }
};

// The scales of 32 elements of K, or of each half; without IntegerBases the base too.
template <typename V, typename Kind>
struct SubScales {
  typename ScaleOf<V, Kind>::Type scale[Kind::kHalves];
  typename V::Floats base;
};

// A panel of a packed group: next() goes to a sub-block, quad() gives its bytes.
template <typename V, typename Format>
struct PackedSource {
  using Packed = PackedBlocks<Format>;
  using Kind = KindOf<V, Format>;
  static_assert(Format::kBlockElements == (Kind::kIntegers ? kPanelCols : kSubBlock));
  static_assert(Kind::kIntegers || Kind::kHalves == 1);
  const std::byte* head;
  const std::byte* ahead;  // bits of the next sub-block
  const std::byte* bits;
  const SubScaleBytes<V, Format> sub_bytes;  // of the panel, if scales are integers

  // The panel that starts at element `begin` of K.
  PONDER_INLINE PackedSource(const std::byte* group, int64_t cols, int64_t begin)
      : head(group + begin / Format::kBlockElements * Packed::kBlockScaleBytes),
        ahead(group + Packed::scale_bytes(cols) + begin / kSubBlock * Packed::kBitBytes),
        bits(ahead),
        sub_bytes(head) {
    if constexpr (Kind::kIntegers) {
#pragma GCC unroll 8
      for (int line = 0; line < Packed::kBlockScaleBytes; line += 64)
        __builtin_prefetch(head + kPrefetchBytes + line);
    }
  }

  PONDER_INLINE ScaleReader<V, Format> reader() const { return {head, sub_bytes}; }

  // Where scales are integers: what they are multiplied with; the bases, and what those are.
  PONDER_INLINE typename V::Floats unit() const { return V::load_f16(head); }
  PONDER_INLINE typename V::Floats factor() const {
    const auto scales = reader();
    if constexpr (Format::kHasMin) return V::sub(V::zero(), scales.dmin);
    return V::mul(scales.d, V::set(static_cast<float>(-kByteOffset<Format>)));
  }
  PONDER_INLINE const std::byte* base_bytes(int s, int h) const {
    static_assert(Format::kHasMin != (kByteOffset<Format> > 0));
    const auto scales = reader();
    return Format::kHasMin ? scales.minima(s, h) : scales.scales(s, h);
  }
  PONDER_INLINE typename V::Floats base(int s, int h) const {
    const std::byte* bytes = base_bytes(s, h);
    return V::to_floats(Format::kHasMin ? V::load_u8(bytes) : V::load_i8(bytes));
  }
  PONDER_INLINE IntegerBases<V, Kind::kHalves> bases() const {
    IntegerBases<V, Kind::kHalves> result;
#pragma GCC unroll 8
    for (int i = 0; i < result.kPairs; ++i) {
      const int first = Kind::kHalves == 2 ? i : 2 * i, second = Kind::kHalves == 2 ? i : first + 1;
      result.pairs[i] = V::template pair_bytes<!Format::kHasMin>(
          base_bytes(first, 0), base_bytes(second, Kind::kHalves - 1));
    }
    constexpr auto kUnit = static_cast<float>(1 << (kMaxShift - kSumBits));  // of the sums
    result.factor = V::mul(factor(), V::set(kUnit));
    return result;
  }

  // Number `s` of the panel.
  PONDER_INLINE SubScales<V, Kind> next(int s) {
    bits = ahead;
    ahead += Packed::kBitBytes;
    // Hardware prefetchers stop at pages.
#pragma GCC unroll 8
    for (int line = 0; line < Packed::kBitBytes; line += 64)
      __builtin_prefetch(bits + kPrefetchBytes + line);
    SubScales<V, Kind> sub;
    const auto scales = reader();
#pragma GCC unroll 2
    for (int h = 0; h < Kind::kHalves; ++h) {
      if constexpr (V::kShortSums && Kind::kIntegers) {
        constexpr bool kSigned = Format::kScaleLow < 0;
        sub.scale[h] = V::template pair_bytes<kSigned>(scales.scales(s, h), scales.scales(s, h));
      } else {
        sub.scale[h] = scales.scale(s, h);
      }
    }
    if constexpr (!Kind::kIntegers && Kind::kHasBase) {
      const auto offset = V::set(static_cast<float>(kByteOffset<Format>));
      sub.base = V::fnma(sub.scale[0], offset, V::zero());
      if constexpr (Format::kHasMin) sub.base = V::sub(sub.base, scales.min(0, 0));
    }
    if constexpr (!Kind::kIntegers) {
      head += Packed::kBlockScaleBytes;
    }
    return sub;
  }

  template <int kQuad>
  PONDER_INLINE typename V::Ints quad() const {
    const auto u = unpack_quad<V, Format, kQuad>(bits);
    if constexpr (Kind::kBits != 8) return u;
    static_assert(Kind::kHasBase || (kByteOffset<Format> == 128 && !Format::kHasMin));
    return V::xor_bits(u, V::set_bytes(-128));
  }
};

// The same of an unpacked one.
template <typename V, typename PanelKind>
struct PanelSource {
  using Kind = PanelKind;
  const Panel& panel;
  int at = 0;

  PONDER_INLINE explicit PanelSource(const Panel& of) : panel(of) {}
  PONDER_INLINE typename V::Floats unit() const { return V::load(panel.unit); }
  PONDER_INLINE typename V::Floats factor() const { return V::load(panel.factor); }
  PONDER_INLINE typename V::Floats base(int s, int h) const {
    return V::load(panel.base[Kind::kHalves * s + h]);
  }
  PONDER_INLINE IntegerBases<V, Kind::kHalves> bases() const {
    IntegerBases<V, Kind::kHalves> result;
#pragma GCC unroll 8
    for (int i = 0; i < result.kPairs; ++i) result.pairs[i] = V::load_ints(panel.pairs[i]);
    result.factor = factor();
    return result;
  }
  PONDER_INLINE SubScales<V, Kind> next(int s) {
    at = s;
    SubScales<V, Kind> sub;
#pragma GCC unroll 2
    for (int h = 0; h < Kind::kHalves; ++h)
      sub.scale[h] = ScaleOf<V, Kind>::load(panel.scale[Kind::kHalves * s + h]);
    if constexpr (!Kind::kIntegers && Kind::kHasBase) sub.base = V::load(panel.base[s]);
    return sub;
  }
  template <int kQuad>
  PONDER_INLINE typename V::Ints quad() const {
    return V::load_ints(panel.u[8 * at + kQuad]);
  }
};

template <typename V, typename Source>
PONDER_INLINE void load_quads(const Source& source, typename V::Ints (&u)[8]) {
  u[0] = source.template quad<0>();
  u[1] = source.template quad<1>();
  u[2] = source.template quad<2>();
  u[3] = source.template quad<3>();
  u[4] = source.template quad<4>();
  u[5] = source.template quad<5>();
  u[6] = source.template quad<6>();
  u[7] = source.template quad<7>();
}

// Columns [kFirst, kFirst + kCount) of a tile and a sub-block. Their sums take turns, since each
// product waits for the one before it.
template <typename V, int kFirst, int kCount, int kWidth, typename Source>
PONDER_INLINE void add_columns(const typename V::Ints (&u)[8],
                               const SubScales<V, typename Source::Kind>& sub, int s,
                               const PanelColumn* x, typename V::Floats (&parts)[kWidth]) {
  using Kind = typename Source::Kind;
  constexpr int kQuads = 8 / Kind::kHalves;
#pragma GCC unroll 2
  for (int h = 0; h < Kind::kHalves; ++h) {
    typename V::Ints dots[kCount];
#pragma GCC unroll 4
    for (int c = 0; c < kCount; ++c) dots[c] = V::zero_ints();
#pragma GCC unroll 8
    for (int j = h * kQuads; j < (h + 1) * kQuads; ++j) {
#pragma GCC unroll 4
      for (int c = 0; c < kCount; ++c)
        V::add_dots(dots[c], u[j], x[kFirst + c].q + kSubBlock * s + 4 * j);
    }
#pragma GCC unroll 4
    for (int c = 0; c < kCount; ++c) {
      const auto terms = V::scale_by_power(V::to_floats(dots[c]), x[kFirst + c].powers[s]);
      parts[kFirst + c] = V::fma(terms, sub.scale[h], parts[kFirst + c]);
    }
  }
  if constexpr (!Kind::kIntegers) {
#pragma GCC unroll 4
    for (int c = kFirst; c < kFirst + kCount; ++c)
      parts[c] = V::fma(sub.base, V::set(x[c].sums[s]), parts[c]);
  }
  constexpr int kNext = kFirst + kCount, kLeft = kWidth - kNext;
  if constexpr (kLeft > 0)
    add_columns<V, kNext, (kLeft < 4 ? kLeft : 4), kWidth, Source>(u, sub, s, x, parts);
}

// Adds a panel's elements of K to the sums of kWidth columns. This is for instructions that add
// products of bytes in 32 bits.
template <typename V, int kWidth, typename Source>
PONDER_INLINE void add_in_words(Source& source, int subs, const PanelColumn* x /* (kWidth) */,
                                typename V::Floats (&parts)[kWidth]) {
#pragma GCC unroll 16
  for (int c = 0; c < kWidth; ++c) parts[c] = V::zero();
  for (int s = 0; s < subs; ++s) {
    const SubScales<V, typename Source::Kind> sub = source.next(s);
    typename V::Ints u[8];
    load_quads<V>(source, u);
    add_columns<V, 0, (kWidth < 4 ? kWidth : 4), kWidth, Source>(u, sub, s, x, parts);
  }
}

template <typename V, int kWidth, typename Source>
PONDER_INLINE void add_sub_blocks(Source& source, int subs, const ColumnOf<V>* x /* (kWidth) */,
                                  float* sums /* (kWidth, 16) */) {
  typename V::Floats parts[kWidth];
  if constexpr (V::kShortSums) {
    ShortSums<V, Source, kWidth>::add(source, subs, x, parts);
#pragma GCC unroll 4
    for (int c = 0; c < kWidth; ++c, sums += kGroupRows)
      V::store(sums, V::add(parts[c], V::load(sums)));
  } else {
    add_in_words<V, kWidth>(source, subs, x, parts);
    if constexpr (Source::Kind::kIntegers) {
      const auto bases = source.bases();
#pragma GCC unroll 16
      for (int c = 0; c < kWidth; ++c) parts[c] = bases.add(parts[c], x[c]);
    }
#pragma GCC unroll 16
    for (int c = 0; c < kWidth; ++c, sums += kGroupRows)
      V::store(sums, V::fma(parts[c], V::set(x[c].scale), V::load(sums)));
  }
}

template <typename V, typename Kind, int kWidth>
void add_panel(const Panel& panel, int subs, const ColumnOf<V>* x, float* sums) {
  PanelSource<V, Kind> source(panel);
  add_sub_blocks<V, kWidth>(source, subs, x, sums);
}

// One group, all of K.
template <typename V, typename Format, int kWidth>
void add_directly(const MatmulTask& task, int64_t group, int64_t column, float* sums) {
  const auto* x = reinterpret_cast<const ColumnOf<V>*>(task.activations) + column;
  for (int64_t begin = 0; begin < task.cols; begin += kPanelCols, x += task.count) {
    const int64_t left = task.cols - begin;
    const int subs = static_cast<int>(left < kPanelCols ? left : kPanelCols) / kSubBlock;
    PackedSource<V, Format> source(task.weight + group * task.group_bytes, task.cols, begin);
    add_sub_blocks<V, kWidth>(source, subs, x, sums);
  }
}

// add_panel for each width of 1 … V::kColumns columns.
template <typename V, typename Kind, int kColumns>
struct PanelKernels;
template <typename V, typename Kind>
struct PanelKernels<V, Kind, 4> {
  using Kernel = void (*)(const Panel&, int subs, const ColumnOf<V>* x, float* sums);
  static constexpr Kernel kOfWidth[4] = {add_panel<V, Kind, 1>, add_panel<V, Kind, 2>,
                                         add_panel<V, Kind, 3>, add_panel<V, Kind, 4>};
};
template <typename V, typename Kind>
struct PanelKernels<V, Kind, 16> {
  using Kernel = void (*)(const Panel&, int subs, const ColumnOf<V>* x, float* sums);
  static constexpr Kernel kOfWidth[16] = {
      add_panel<V, Kind, 1>,  add_panel<V, Kind, 2>,  add_panel<V, Kind, 3>,
      add_panel<V, Kind, 4>,  add_panel<V, Kind, 5>,  add_panel<V, Kind, 6>,
      add_panel<V, Kind, 7>,  add_panel<V, Kind, 8>,  add_panel<V, Kind, 9>,
      add_panel<V, Kind, 10>, add_panel<V, Kind, 11>, add_panel<V, Kind, 12>,
      add_panel<V, Kind, 13>, add_panel<V, Kind, 14>, add_panel<V, Kind, 15>,
      add_panel<V, Kind, 16>};
};

// The sums of some groups for up to kPanelTaskColumns columns.
template <typename V, typename Format>
struct PanelBatch {
  using Kind = KindOf<V, Format>;
  const MatmulTask& task;
  int64_t group = 0, groups = 0;   // ≤ kPanelGroups
  int64_t first = 0, columns = 0;  // ≤ kPanelTaskColumns
  Panel panels[kPanelGroups];
  alignas(64) float sums[kPanelGroups][kPanelTaskColumns * kGroupRows];  // (columns, 16)

  PONDER_INLINE explicit PanelBatch(const MatmulTask& of) : task(of) {}  // the arrays as they are

  // The panel at `begin` of each group, for all columns.
  PONDER_INLINE void add_panels(int64_t begin) {
    const int64_t left = task.cols - begin;
    const int subs = static_cast<int>(left < kPanelCols ? left : kPanelCols) / kSubBlock;
    for (int64_t g = 0; g < groups; ++g) {
      PackedSource<V, Format> source(task.weight + (group + g) * task.group_bytes, task.cols,
                                     begin);
      store(source, subs, panels[g]);
    }
    const auto* x = reinterpret_cast<const ColumnOf<V>*>(task.activations) +
                    begin / kPanelCols * task.count + first;
    const int64_t tiles = (columns + V::kColumns - 1) / V::kColumns;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t column = columns * tile / tiles, end = columns * (tile + 1) / tiles;
      // The columns of the next tile, which come from the L2 or L3 cache.
      const auto* next = reinterpret_cast<const std::byte*>(x + end);
      for (int64_t at = 0; at < (end - column) * static_cast<int64_t>(sizeof(ColumnOf<V>));
           at += 64)
        __builtin_prefetch(next + at);
      const auto kernel = PanelKernels<V, Kind, V::kColumns>::kOfWidth[end - column - 1];
      for (int64_t g = 0; g < groups; ++g)
        kernel(panels[g], subs, x + column, sums[g] + column * kGroupRows);
    }
  }

  PONDER_INLINE void add_all(int64_t g) {
    if constexpr (V::kColumns == 16) {
      if (columns == 16) add_directly<V, Format, 16>(task, group + g, first, sums[g]);
      if (columns == 8) add_directly<V, Format, 8>(task, group + g, first, sums[g]);
    }
    if (columns == 4) add_directly<V, Format, 4>(task, group + g, first, sums[g]);
    if (columns == 2) add_directly<V, Format, 2>(task, group + g, first, sums[g]);
    if (columns == 1) add_directly<V, Format, 1>(task, group + g, first, sums[g]);
  }

  static PONDER_INLINE void store(PackedSource<V, Format>& source, int subs, Panel& panel) {
    for (int s = 0; s < subs; ++s) {
      const auto sub = source.next(s);
      typename V::Ints u[8];
      load_quads<V>(source, u);
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j) V::store_ints(panel.u[8 * s + j], u[j]);
#pragma GCC unroll 2
      for (int h = 0; h < Kind::kHalves; ++h)
        ScaleOf<V, Kind>::store(panel.scale[Kind::kHalves * s + h], sub.scale[h]);
      if constexpr (!Kind::kIntegers && Kind::kHasBase) V::store(panel.base[s], sub.base);
    }
    if constexpr (Kind::kIntegers && V::kShortSums) {
#pragma GCC unroll 16
      for (int i = 0; i < kPanelSubs * Kind::kHalves; ++i)
        V::store(panel.base[i], source.base(i / Kind::kHalves, i % Kind::kHalves));
      V::store(panel.unit, source.unit());
      V::store(panel.factor, source.factor());
    } else if constexpr (Kind::kIntegers) {
      const auto bases = source.bases();
#pragma GCC unroll 8
      for (int i = 0; i < bases.kPairs; ++i) V::store_ints(panel.pairs[i], bases.pairs[i]);
      V::store(panel.factor, bases.factor);
    }
  }

  PONDER_INLINE void run() {
    for (int64_t g = 0; g < groups; ++g)
      __builtin_memset(sums[g], 0, sizeof(float) * kGroupRows * static_cast<size_t>(columns));
    if (goes_directly<V>(columns)) {
      for (int64_t g = 0; g < groups; ++g) add_all(g);
    } else {
      for (int64_t begin = 0; begin < task.cols; begin += kPanelCols) add_panels(begin);
    }
    write();
  }

  PONDER_INLINE void write() const {
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t g = 0; g < groups; ++g) {
        const int64_t row = (group + g) * kGroupRows, left = task.rows - row;
        const int lanes = static_cast<int>(left < kGroupRows ? left : int64_t{kGroupRows});
        auto sum = V::load(sums[g] + c * kGroupRows);
        if (task.bias != nullptr) sum = V::add(sum, V::load_prefix(task.bias + row, lanes));
        V::store_prefix(task.y + (first + c) * task.y_stride + row, sum, lanes);
      }
    }
  }
};

template <typename V, typename Format>
void panel_task(const MatmulTask& task) noexcept {
  PanelBatch<V, Format> batch(task);
  for (batch.first = 0; batch.first < task.count; batch.first += batch.columns) {
    const int64_t columns = task.count - batch.first;
    batch.columns = columns < kPanelTaskColumns ? columns : kPanelTaskColumns;
    for (batch.group = task.group_begin; batch.group < task.group_end;
         batch.group += batch.groups) {
      const int64_t groups = task.group_end - batch.group;
      batch.groups = groups < kPanelGroups ? groups : kPanelGroups;
      batch.run();
    }
  }
}

// Rounds one column (PanelColumn). A panel of tiny values counts as zeros.
template <typename V>
void pack_panel_column(const ActivationTask& task) noexcept {
  using F = typename V::Floats;
  constexpr float kTiny = 1e-30f;
  constexpr int kVectors = kSubBlock / V::kLanes;
  auto* out = reinterpret_cast<PanelColumn*>(task.packed) + task.column;
  for (int64_t begin = 0; begin < task.cols; begin += kPanelCols, out += task.count) {
    const float* x = task.x + begin;
    const int64_t left = task.cols - begin;
    const int subs = static_cast<int>(left < kPanelCols ? left : kPanelCols) / kSubBlock;
    F most[kPanelSubs];
#pragma GCC unroll 8
    for (int s = 0; s < kPanelSubs; ++s) {
      most[s] = V::zero();
#pragma GCC unroll 2
      for (int v = 0; v < kVectors && s < subs; ++v)
        most[s] = V::max(most[s], V::abs(V::load(x + s * kSubBlock + v * V::kLanes)));
    }
    alignas(32) int32_t shifts[kPanelSubs];
    const float largest = V::shifts_below_maximum(most, kMaxShift, shifts);
    const float inverse = largest > kTiny ? 127.0f / largest : 0.0f;
    for (int s = 0; s < kPanelSubs; ++s) {
      const F factor = V::set(inverse * static_cast<float>(1 << shifts[s]));
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const int k = s * kSubBlock + v * V::kLanes;
        V::store_i8(out->q + k,
                    s < subs ? V::to_ints(V::mul(V::load(x + k), factor)) : V::zero_ints());
      }
    }
    for (int k = 0; k < kPanelCols; k += 128)
      V::store_sums_of_16(out->q + k, out->half_sums + k / 16);
    for (int s = 0; s < kPanelSubs; ++s) {
      int16_t* halves = out->half_sums + 2 * s;
      const int power = kMaxShift - shifts[s], rounding = 1 << shifts[s] >> 1;
      out->powers[s] = power << 23;
      out->sums[s] = static_cast<float>((halves[0] + halves[1]) * (1 << power));
      for (int h = 0; h < 2; ++h)
        halves[h] = static_cast<int16_t>((halves[h] * (1 << kSumBits) + rounding) >> shifts[s]);
      out->int_sums[s] = static_cast<int16_t>(halves[0] + halves[1]);
    }
    out->scale = largest / 127.0f / static_cast<float>(1 << kMaxShift);
  }
}

// The same with a scale for each sub-block.
template <typename V>
void pack_fine_column(const ActivationTask& task) noexcept {
  using F = typename V::Floats;
  constexpr int kVectors = kSubBlock / V::kLanes;
  auto* out = reinterpret_cast<FineColumn*>(task.packed) + task.column;
  for (int64_t begin = 0; begin < task.cols; begin += kPanelCols, out += task.count) {
    const int64_t left = task.cols - begin;
    const int subs = static_cast<int>(left < kPanelCols ? left : kPanelCols) / kSubBlock;
    if (subs < kPanelSubs) __builtin_memset(out->q, 0, sizeof(out->q));
    for (int s = 0; s < subs; ++s) {
      const float* x = task.x + begin + kSubBlock * s;
      F most = V::zero();
      for (int v = 0; v < kVectors; ++v) most = V::max(most, V::abs(V::load(x + v * V::kLanes)));
      const float largest = V::reduce_max(most);
      const F inverse = V::set(largest > 0.0f ? 127.0f / largest : 0.0f);
      for (int v = 0; v < kVectors; ++v)
        V::store_i8(out->q + kSubBlock * s + v * V::kLanes,
                    V::to_ints(V::mul(V::load(x + v * V::kLanes), inverse)));
      out->scale[s] = largest / 127.0f;
    }
    int16_t half_sums[2 * kPanelSubs];
    for (int k = 0; k < kPanelCols; k += 128) V::store_sums_of_16(out->q + k, half_sums + k / 16);
    for (int s = 0; s < subs; ++s) {
      const int first = half_sums[2 * s], second = half_sums[2 * s + 1];
      out->half_sums[2 * s] = out->scale[s] * static_cast<float>(first);
      out->half_sums[2 * s + 1] = out->scale[s] * static_cast<float>(second);
      out->sums[s] = out->scale[s] * static_cast<float>(first + second);
    }
  }
}

template <typename V>
int64_t packed_panel_column_bytes(int64_t cols) {
  return panel_count(cols) * static_cast<int64_t>(sizeof(ColumnOf<V>));
}

template <typename V, typename Format>
PONDER_INLINE void add_panel_kernel(MatmulKernels& kernels) {
  if constexpr (Format::kIsBlock)
    kernels.int8[static_cast<int>(Format::kDType)] = panel_task<V, Format>;
}

template <typename V, typename... Format>
PONDER_INLINE void add_panel_kernels(MatmulKernels& kernels, FormatList<Format...>) {
  (add_panel_kernel<V, Format>(kernels), ...);
  if constexpr (V::kShortSums) {
    kernels.pack_int8 = pack_fine_column<V>;
  } else {
    kernels.pack_int8 = pack_panel_column<V>;
  }
  kernels.int8_column_bytes = packed_panel_column_bytes<V>;
}

}  // namespace ponder
