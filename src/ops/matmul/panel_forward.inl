// Bodies of the panel form (panel.hpp), over a vector type V of 16 lanes. Each output is one lane;
// its sum runs over sub-blocks and panels in ascending order, for any number of columns.
#pragma once

#include "ops/matmul/matmul_forward.inl"
#include "ops/matmul/panel.hpp"

namespace ponder {

// Columns of a task that are worked on together, and groups that share a pass over them.
inline constexpr int64_t kPanelTaskColumns = 256;
inline constexpr int64_t kPanelGroups = 4;

// Columns that do without a panel, 1, 2, 4, 8 or 16: the bytes go from the packed group into the
// registers, once.
PONDER_INLINE constexpr bool goes_directly(int64_t columns) {
  return columns <= kMaxTile && (columns & (columns - 1)) == 0;
}

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

// 32 elements of K: bytes u, and the scales of the whole or of each half; without IntegerBases the
// base too.
template <typename V, int kHalves>
struct SubBlock {
  typename V::Ints u[8];
  typename V::Floats scale[kHalves];
  typename V::Floats base;
};

// The sub-blocks of a packed group, one after the other.
template <typename V, typename Format>
struct PackedSource {
  using Packed = PackedBlocks<Format>;
  static constexpr int kHalves = Packed::kHalves;
  static constexpr bool kIntegers = Format::kHasSubScales;
  static_assert(!kIntegers || Format::kBlockElements % kPanelCols == 0);
  static_assert(kIntegers || kHalves == 1);
  ScaleReader<V, Format> scales;
  const std::byte* bits;
  int at;  // sub-block of the format's block
  IntegerBases<V, kHalves> bases;

  // From element `begin` of K, at which a panel starts.
  PONDER_INLINE PackedSource(const std::byte* group, int64_t cols, int64_t begin)
      : bits(group + Packed::scale_bytes(cols) + begin / kSubBlock * Packed::kBitBytes) {
    scales.head = group + begin / Format::kBlockElements * Packed::kBlockScaleBytes;
    at = static_cast<int>(begin / kSubBlock % Packed::kSubBlocks);
    if (at > 0) scales.block();
  }

  // Number `s` of a panel.
  PONDER_INLINE SubBlock<V, kHalves> next(int s) {
    SubBlock<V, kHalves> block;
    if (at == 0) scales.block();
    scales.sub_block(at, 0);
    if (++at == Packed::kSubBlocks) {
      at = 0;
      scales.head += Packed::kBlockScaleBytes;
    }
#pragma GCC unroll 2
    for (int h = 0; h < kHalves; ++h) block.scale[h] = scales.scale[h];
    read_base(s, block);
    // Hardware prefetchers stop at pages.
#pragma GCC unroll 8
    for (int line = 0; line < Packed::kBitBytes / 64; ++line)
      __builtin_prefetch(bits + kPrefetchBytes + 64 * line);
    unpack_quads<V, Format>(bits, block.u);
    bits += Packed::kBitBytes;
    return block;
  }

  PONDER_INLINE void read_base(int s, SubBlock<V, kHalves>& block) {
    const auto zero = V::zero();
    if constexpr (!kIntegers) {
      const auto offset = V::set(static_cast<float>(kByteOffset<Format>));
      block.base = V::fnma(scales.scale[0], offset, zero);
      if constexpr (Format::kHasMin) block.base = V::sub(block.base, scales.min[0]);
    } else {
      static_assert(Format::kHasMin != (kByteOffset<Format> > 0));
      typename V::Ints ints[kHalves];
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) {
        if constexpr (Format::kHasMin) {
          ints[h] = scales.min_ints[h];
        } else {
          ints[h] = V::template shift_left<log2_of(kByteOffset<Format>)>(scales.scale_ints[h]);
        }
      }
      if constexpr (kHalves == 2) {
        bases.pairs[s] = V::pair_shorts(ints[0], ints[1]);
      } else if (s % 2 == 0) {
        bases.pairs[s / 2] = ints[0];
      } else {
        bases.pairs[s / 2] = V::pair_shorts(bases.pairs[s / 2], ints[0]);
      }
      if (s == 0) bases.factor = V::sub(zero, Format::kHasMin ? scales.dmin : scales.d);
    }
  }
};

// Those of a panel.
template <typename V, int kHalves, bool kIntegers>
struct PanelSource {
  const Panel& panel;
  IntegerBases<V, kHalves> bases;

  PONDER_INLINE explicit PanelSource(const Panel& of) : panel(of) {
    if constexpr (kIntegers) {
#pragma GCC unroll 8
      for (int i = 0; i < bases.kPairs; ++i) bases.pairs[i] = V::load_ints(panel.pairs[i]);
      bases.factor = V::load(panel.factor);
    }
  }
  PONDER_INLINE SubBlock<V, kHalves> next(int s) {
    SubBlock<V, kHalves> block;
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) block.u[j] = V::load_ints(panel.u[8 * s + j]);
#pragma GCC unroll 2
    for (int h = 0; h < kHalves; ++h) block.scale[h] = V::load(panel.scale[kHalves * s + h]);
    if constexpr (!kIntegers) block.base = V::load(panel.base[s]);
    return block;
  }
};

// Adds a panel's elements of K to the sums of kWidth columns.
template <typename V, int kHalves, bool kIntegers, int kWidth, typename Source>
PONDER_INLINE void add_sub_blocks(Source& source, int subs, const PanelColumn* x /* (kWidth) */,
                                  float* sums /* (kWidth, 16) */) {
  constexpr int kQuads = 8 / kHalves;
  typename V::Floats parts[kWidth];
#pragma GCC unroll 16
  for (int c = 0; c < kWidth; ++c) parts[c] = V::zero();
  for (int s = 0; s < subs; ++s) {
    const SubBlock<V, kHalves> block = source.next(s);
#pragma GCC unroll 16
    for (int c = 0; c < kWidth; ++c) {
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) {
        auto dots = V::zero_ints();
#pragma GCC unroll 8
        for (int j = h * kQuads; j < (h + 1) * kQuads; ++j)
          V::add_dots(dots, block.u[j], x[c].q + kSubBlock * s + 4 * j);
        parts[c] = V::fma(V::to_floats(dots), block.scale[h], parts[c]);
      }
      if constexpr (!kIntegers) parts[c] = V::fma(block.base, V::set(x[c].sums[s]), parts[c]);
    }
  }
#pragma GCC unroll 16
  for (int c = 0; c < kWidth; ++c, sums += kGroupRows) {
    if constexpr (kIntegers) parts[c] = source.bases.add(parts[c], x[c]);
    V::store(sums, V::fma(parts[c], V::set(x[c].scale), V::load(sums)));
  }
}

template <typename V, int kHalves, bool kIntegers, int kWidth>
void add_panel(const Panel& panel, int subs, const PanelColumn* x, float* sums) {
  PanelSource<V, kHalves, kIntegers> source(panel);
  add_sub_blocks<V, kHalves, kIntegers, kWidth>(source, subs, x, sums);
}

// One group, all of K.
template <typename V, typename Format, int kWidth>
void add_directly(const MatmulTask& task, int64_t group, int64_t column, float* sums) {
  PackedSource<V, Format> source(task.weight + group * task.group_bytes, task.cols, 0);
  const auto* x = reinterpret_cast<const PanelColumn*>(task.activations) + column;
  for (int64_t begin = 0; begin < task.cols; begin += kPanelCols, x += task.count) {
    const int64_t left = task.cols - begin;
    const int subs = static_cast<int>(left < kPanelCols ? left : kPanelCols) / kSubBlock;
    add_sub_blocks<V, source.kHalves, source.kIntegers, kWidth>(source, subs, x, sums);
  }
}

// add_panel for each width of 1 … kMaxTile columns.
template <typename V, int kHalves, bool kIntegers>
struct PanelKernels {
  using Kernel = void (*)(const Panel&, int subs, const PanelColumn* x, float* sums);
  static constexpr Kernel kOfWidth[kMaxTile] = {
      add_panel<V, kHalves, kIntegers, 1>,  add_panel<V, kHalves, kIntegers, 2>,
      add_panel<V, kHalves, kIntegers, 3>,  add_panel<V, kHalves, kIntegers, 4>,
      add_panel<V, kHalves, kIntegers, 5>,  add_panel<V, kHalves, kIntegers, 6>,
      add_panel<V, kHalves, kIntegers, 7>,  add_panel<V, kHalves, kIntegers, 8>,
      add_panel<V, kHalves, kIntegers, 9>,  add_panel<V, kHalves, kIntegers, 10>,
      add_panel<V, kHalves, kIntegers, 11>, add_panel<V, kHalves, kIntegers, 12>,
      add_panel<V, kHalves, kIntegers, 13>, add_panel<V, kHalves, kIntegers, 14>,
      add_panel<V, kHalves, kIntegers, 15>, add_panel<V, kHalves, kIntegers, 16>};
};

// The sums of some groups for up to kPanelTaskColumns columns.
template <typename V, typename Format>
struct PanelBatch {
  static constexpr int kHalves = PackedBlocks<Format>::kHalves;
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
      Panel& panel = panels[g];
      for (int s = 0; s < subs; ++s) store(source.next(s), s, panel);
      if constexpr (source.kIntegers) {
#pragma GCC unroll 8
        for (int i = 0; i < source.bases.kPairs; ++i)
          V::store_ints(panel.pairs[i], source.bases.pairs[i]);
        V::store(panel.factor, source.bases.factor);
      }
    }
    const auto* x = reinterpret_cast<const PanelColumn*>(task.activations) +
                    begin / kPanelCols * task.count + first;
    const int64_t tiles = (columns + kMaxTile - 1) / kMaxTile;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t column = columns * tile / tiles, end = columns * (tile + 1) / tiles;
      // The columns of the next tile, which come from the L2 or L3 cache.
      const auto* next = reinterpret_cast<const std::byte*>(x + end);
      for (int64_t at = 0; at < (end - column) * static_cast<int64_t>(sizeof(PanelColumn));
           at += 64)
        __builtin_prefetch(next + at);
      const auto kernel =
          PanelKernels<V, kHalves, Format::kHasSubScales>::kOfWidth[end - column - 1];
      for (int64_t g = 0; g < groups; ++g)
        kernel(panels[g], subs, x + column, sums[g] + column * kGroupRows);
    }
  }

  PONDER_INLINE void add_all(int64_t g) {
    if (columns == 16) add_directly<V, Format, 16>(task, group + g, first, sums[g]);
    if (columns == 8) add_directly<V, Format, 8>(task, group + g, first, sums[g]);
    if (columns == 4) add_directly<V, Format, 4>(task, group + g, first, sums[g]);
    if (columns == 2) add_directly<V, Format, 2>(task, group + g, first, sums[g]);
    if (columns == 1) add_directly<V, Format, 1>(task, group + g, first, sums[g]);
  }

  static PONDER_INLINE void store(const SubBlock<V, kHalves>& block, int at, Panel& panel) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) V::store_ints(panel.u[8 * at + j], block.u[j]);
#pragma GCC unroll 2
    for (int h = 0; h < kHalves; ++h) V::store(panel.scale[kHalves * at + h], block.scale[h]);
    if constexpr (!Format::kHasSubScales) V::store(panel.base[at], block.base);
  }

  PONDER_INLINE void run() {
    for (int64_t g = 0; g < groups; ++g)
      __builtin_memset(sums[g], 0, sizeof(float) * kGroupRows * static_cast<size_t>(columns));
    if (goes_directly(columns)) {
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

// Rounds one column: q = round(x·127 / max |x|) for each panel.
template <typename V>
void pack_panel_column(const ActivationTask& task) noexcept {
  using F = typename V::Floats;
  auto* out = reinterpret_cast<PanelColumn*>(task.packed) + task.column;
  for (int64_t begin = 0; begin < task.cols; begin += kPanelCols, out += task.count) {
    const float* x = task.x + begin;
    const int64_t left = task.cols - begin;
    const int64_t count = left < kPanelCols ? left : kPanelCols;
    F most = V::zero();
    for (int64_t k = 0; k < count; k += V::kLanes) most = V::max(most, V::abs(V::load(x + k)));
    const float largest = V::reduce_max(most);
    const F inverse = V::set(largest > 0.0f ? 127.0f / largest : 0.0f);
    for (int64_t k = 0; k < kPanelCols; k += V::kLanes)
      V::store_i8(out->q + k,
                  k < count ? V::to_ints(V::mul(V::load(x + k), inverse)) : V::zero_ints());
    for (int k = 0; k < kPanelCols; k += 128)
      V::store_sums_of_16(out->q + k, out->half_sums + k / 16);
    for (int s = 0; s < kPanelSubs; ++s) {
      const int sum = out->half_sums[2 * s] + out->half_sums[2 * s + 1];
      out->int_sums[s] = static_cast<int16_t>(sum);
      out->sums[s] = static_cast<float>(sum);
    }
    out->scale = largest / 127.0f;
  }
}

template <typename V>
int64_t packed_panel_column_bytes(int64_t cols) {
  return panel_column_bytes(cols);
}

template <typename V, typename Format>
PONDER_INLINE void add_panel_kernel(MatmulKernels& kernels) {
  if constexpr (Format::kIsBlock)
    kernels.int8[static_cast<int>(Format::kDType)] = panel_task<V, Format>;
}

template <typename V, typename... Format>
PONDER_INLINE void add_panel_kernels(MatmulKernels& kernels, FormatList<Format...>) {
  (add_panel_kernel<V, Format>(kernels), ...);
  kernels.pack_int8 = pack_panel_column<V>;
  kernels.int8_column_bytes = packed_panel_column_bytes<V>;
}

}  // namespace ponder
