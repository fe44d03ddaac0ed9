// How keys and values of one layer lie in a cache. S positions of capacity, n key heads.
#pragma once

#include <cstdint>

#include "core/dtype.hpp"

namespace ponder {

// Keys are read 16 positions at a time, one lane each.
inline constexpr int64_t kKeyBlock = 16;

// kBlocked (grouped-query attention): keys (n, S/16, d_k, 16), values (n, S, d_v): a vector load
// gives one element of 16 keys. kLatent (MLA): one array (S, d_k) of [ĉ; k_r]; the values are its
// first d_v columns; n = 1.
enum class KvLayout { kBlocked, kLatent };

struct KvView {
  void* keys = nullptr;
  void* values = nullptr;     // kLatent: same as keys
  DType dtype = DType::kF16;  // kF32 or kF16
  KvLayout layout = KvLayout::kBlocked;
  int64_t heads = 0;      // n
  int64_t key_dim = 0;    // d_k
  int64_t value_dim = 0;  // d_v
  int64_t capacity = 0;   // S, a multiple of kKeyBlock
};

// Bytes of the keys array and of the values array (0 for kLatent).
int64_t kv_key_bytes(const KvView& view);
int64_t kv_value_bytes(const KvView& view);

}  // namespace ponder
