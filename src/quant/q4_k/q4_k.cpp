#include "quant/q4_k/q4_k.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q4_K::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = block.dmin;
  unpack_scales_6bit(block.scales, ints);
  unpack_nibble_pairs(block.qs, ints.q);
}

void Q4_K::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  block.dmin = ints.dmin;
  pack_scales_6bit(ints, block.scales);
  pack_nibble_pairs(ints.q, block.qs);
}

void Q4_K::decode(const Block& block, float* out) { decode_block<Q4_K>(block, out); }

void Q4_K::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_search<Q4_K>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
