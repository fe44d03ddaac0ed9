// How weights and activations lie in memory for the vector kernels.
//
// Weights: rows are taken in groups of 16, one lane each, so that every lane owns one output and
// its sum runs over K in one order, whatever else is computed beside it. A "vector" below is 64
// bytes: 16 rows × 4 bytes.
//   Plain formats: element k of the 16 rows side by side, k ascending: (K, 16).
//   Block formats: the group starts with all its scales, rounded up to 64 bytes, then its bits.
//     Scales, for each block: d of 16 rows (f16), dmin of 16 rows (if any); then, for formats with
//     sub-scales, for each 32 elements: scale (i8) of 16 rows for each half or whole, min likewise.
//     With minima these N bytes have 4 or 6 bits and are folded: byte i of N / 2 has the low
//     nibbles of bytes i and i + N / 2; then byte i of N / 4 has bits 4 and 5 of i, i + N / 4 ….
//     Bits, for each 32 elements: a byte lane of row r and quad j holds elements 4j … 4j+3 of that
//     row. 8-bit: vector j = quad j. 4-bit: vector p has quad p low and quad p+4 high. 2-bit:
//     vector p has quads p, p+2, p+4, p+6. 1-bit: bit j of each byte is quad j. Low bits, then high
//     bits.
//
// Activations in f32: columns (rows of x) are taken in tiles of 16, then 8, 4, 2, 1 for what is
// left over; a tile is (K, width). A column takes the same bytes in any tile, so a tile starts at
// first column × bytes per column. Rounded activations: panel.hpp.
#pragma once

#include <cstdint>

#include "quant/format.hpp"

namespace ponder {

inline constexpr int kGroupRows = 16;
inline constexpr int kMaxTile = 16;
inline constexpr int kSubBlock = 32;  // elements of K whose bits lie together

// Columns of the tile that starts at `column`, of `count`.
constexpr int tile_width(int64_t column, int64_t count) {
  int width = kMaxTile;
  while (width > count - column) width /= 2;
  return width;
}

// Where a column lies: its tile and its place in it.
struct ColumnPlace {
  int64_t first;  // column that the tile starts with
  int width;
  int column;  // in the tile
};
constexpr ColumnPlace column_place(int64_t column, int64_t count) {
  int64_t first = 0;
  while (first + tile_width(first, count) <= column) first += tile_width(first, count);
  return {first, tile_width(first, count), static_cast<int>(column - first)};
}

constexpr int64_t float_column_bytes(int64_t cols) {
  return cols * static_cast<int64_t>(sizeof(float));
}

constexpr int64_t weight_groups(int64_t rows) { return (rows + kGroupRows - 1) / kGroupRows; }

// Offsets inside the packed group of a block format.
template <typename Format>
struct PackedBlocks {
  static constexpr int kHalves = kSubBlock / Format::kScaleElements;  // scales per 32 elements
  static constexpr bool kSubMin = Format::kHasMin && Format::kHasSubScales;
  static constexpr int kSubBlocks = Format::kBlockElements / kSubBlock;
  static constexpr int kHeadBytes = 2 * kGroupRows * (Format::kHasMin ? 2 : 1);
  static constexpr int kSubScaleBytes =
      Format::kHasSubScales ? kGroupRows * kHalves * (kSubMin ? 2 : 1) : 0;
  static constexpr int kScaleBits = !kSubMin ? 8 : Format::kScaleHigh < 16 ? 4 : 6;
  static constexpr int kBlockScaleBytes = kHeadBytes + kSubBlocks * kSubScaleBytes * kScaleBits / 8;
  static constexpr int kLowBytes = 64 * Format::kLowBits;
  static constexpr int kBitBytes = 64 * (Format::kLowBits + Format::kHighBits);  // per 32 elements

  static constexpr int64_t scale_bytes(int64_t cols) {
    return (cols / Format::kBlockElements * kBlockScaleBytes + 63) / 64 * 64;
  }
  static constexpr int64_t group_bytes(int64_t cols) {
    return scale_bytes(cols) + cols / kSubBlock * kBitBytes;
  }
};

// Bytes of one packed group of 16 rows of any format.
template <typename Format>
constexpr int64_t packed_group_bytes(int64_t cols) {
  if constexpr (Format::kIsBlock) {
    return PackedBlocks<Format>::group_bytes(cols);
  } else {
    return (cols * kGroupRows * Format::kBlockBytes + 63) / 64 * 64;
  }
}

}  // namespace ponder
