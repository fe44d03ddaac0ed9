#include "quant/q5_k/q5_k.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q5_K::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = block.dmin;
  unpack_scales_6bit(block.scales, ints);
  unpack_nibble_pairs(block.qs, ints.q);
  unpack_bit_plane(block.qh, 4, ints.q);
}

void Q5_K::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  block.dmin = ints.dmin;
  pack_scales_6bit(ints, block.scales);
  pack_nibble_pairs(ints.q, block.qs);
  pack_bit_plane(ints.q, 4, block.qh);
}

void Q5_K::decode(const Block& block, float* out) { decode_block<Q5_K>(block, out); }

void Q5_K::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_search<Q5_K>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
