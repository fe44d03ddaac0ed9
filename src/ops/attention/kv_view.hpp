// How keys and values of one layer lie in a cache. S positions of capacity, n key heads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/macros.hpp"
#include "core/dtype.hpp"

namespace ponder {

// Keys are read 16 positions at a time, one lane each.
inline constexpr int64_t kKeyBlock = 16;

// Elements of a key or value that share a scale in kQ8_0; the last group may be smaller.
inline constexpr int64_t kKvGroup = 32;

// Positions of a page: a part of the cache that lies in one piece and can be shared by sequences.
inline constexpr int64_t kKvPage = 64;

// What a page of S positions holds for one layer. kBlocked (grouped-query attention): keys
// (n, S/16, d_k, 16), values (n, S, d_v): a vector load gives one element of 16 keys. kLatent
// (MLA): one array (S, d_k) of [ĉ; k_r]; the values are its first d_v columns; n = 1.
enum class KvLayout { kBlocked, kLatent };

// In kQ8_0 an array has signed bytes where others have their elements, and after all of them the
// f16 scales (n, S/16, ⌈d/32⌉, 16), so that a vector load gives those of 16 positions. A group's
// bytes are x/scale rounded, its scale is (largest |x|)/127 rounded, or NaN or infinite (then all
// that is read from it is NaN) if an x is. Their product is exact in f32.
struct KvView {
  std::byte* const* pages = nullptr;  // (P): page i holds positions [i·S, (i + 1)·S)
  int64_t page_positions = kKvPage;   // S, a multiple of kKeyBlock
  int64_t page_count = 0;             // P
  int64_t key_offset = 0;             // bytes from the start of a page to the keys
  int64_t value_offset = 0;           // likewise; kLatent: that of the keys
  DType dtype = DType::kF16;          // is_kv_type
  KvLayout layout = KvLayout::kBlocked;
  int64_t heads = 0;      // n
  int64_t key_dim = 0;    // d_k
  int64_t value_dim = 0;  // d_v

  PONDER_INLINE int64_t capacity() const { return page_count * page_positions; }
};

enum class KvPart { kKeys, kValues };

// kF32, kF16, kBF16, kQ8_0.
bool is_kv_type(DType dtype);

// Scales of a row in kQ8_0.
PONDER_INLINE int64_t kv_groups(int64_t width) { return (width + kKvGroup - 1) / kKvGroup; }

// Bytes of the keys array and of the values array (0 for kLatent) of a page.
int64_t kv_key_bytes(const KvView& view);
int64_t kv_value_bytes(const KvView& view);

// Width of a row of the array that holds a part: d_k or d_v.
PONDER_INLINE int64_t kv_width(const KvView& view, KvPart part) {
  const bool keys = part == KvPart::kKeys || view.layout == KvLayout::kLatent;
  return keys ? view.key_dim : view.value_dim;
}

// The array of the page that holds `position`.
PONDER_INLINE void* kv_array(const KvView& view, KvPart part, int64_t position) {
  return view.pages[position / view.page_positions] +
         (part == KvPart::kKeys ? view.key_offset : view.value_offset);
}

// Elements of the array from one of a row to the next.
PONDER_INLINE int64_t kv_step(const KvView& view, KvPart part) {
  return part == KvPart::kKeys && view.layout == KvLayout::kBlocked ? kKeyBlock : 1;
}

// Where the first element of a row lies in its array.
PONDER_INLINE int64_t kv_index(const KvView& view, KvPart part, int64_t head, int64_t position) {
  const int64_t row = head * view.page_positions + position % view.page_positions;
  const int64_t width = kv_width(view, part);
  if (kv_step(view, part) == 1) return row * width;
  return (row - row % kKeyBlock) * width + row % kKeyBlock;
}

// kQ8_0: the first scale of a row; the next ones follow at steps of kKeyBlock.
PONDER_INLINE uint16_t* kv_scales(const KvView& view, KvPart part, int64_t head, int64_t position) {
  const int64_t row = head * view.page_positions + position % view.page_positions;
  const int64_t width = kv_width(view, part);
  auto* bytes = static_cast<std::byte*>(kv_array(view, part, position));
  auto* scales = reinterpret_cast<uint16_t*>(bytes + view.heads * view.page_positions * width);
  return scales + (row - row % kKeyBlock) * kv_groups(width) + row % kKeyBlock;
}

// One row as floats, and the reverse, rounding to nearest. For kLatent the values are the keys'
// first columns: nothing is stored as values. x: (d_k) or (d_v).
void kv_read(const KvView& view, KvPart part, int64_t head, int64_t position, float* x);
void kv_store(const KvView& view, KvPart part, int64_t head, int64_t position, const float* x);

// The first `positions` of one cache into another of the same shape, in f32; up to a block of keys
// after them may be copied too.
void kv_copy(const KvView& from, const KvView& to, int64_t positions);

}  // namespace ponder
