#include "quant/q6_k/q6_k.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q6_K::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = 0;
  std::memcpy(ints.scale, block.scales, sizeof block.scales);
  std::memset(ints.min, 0, sizeof ints.min);
  unpack_pairs(block.qh, ints.q);
  for (int n = 0; n < 2; ++n) {
    for (int b = 0; b < 64; b += 8) {  // the low halves lie 64 elements before the high ones
      uint8_t* q = ints.q + 128 * n + b;
      const uint64_t both = load_word(block.ql + 64 * n + b);
      store_word(q, load_word(q) << 4 | (both & each_byte(15)));
      store_word(q + 64, load_word(q + 64) << 4 | (both >> 4 & each_byte(15)));
    }
  }
}

void Q6_K::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  std::memcpy(block.scales, ints.scale, sizeof block.scales);
  uint8_t high[kBlockElements];
  for (int e = 0; e < kBlockElements; ++e) high[e] = static_cast<uint8_t>(ints.q[e] >> 4);
  pack_pairs(high, block.qh);
  for (int n = 0; n < 2; ++n) {
    for (int b = 0; b < 64; ++b) {
      const uint8_t* q = ints.q + 128 * n + b;
      block.ql[64 * n + b] = static_cast<uint8_t>((q[0] & 15u) | ((q[64] & 15u) << 4));
    }
  }
}

void Q6_K::decode(const Block& block, float* out) { decode_block<Q6_K>(block, out); }

void Q6_K::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_search<Q6_K>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
