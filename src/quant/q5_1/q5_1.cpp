#include "quant/q5_1/q5_1.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q5_1::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = block.m;
  ints.scale[0] = 1;
  ints.min[0] = 1;
  unpack_nibbles(block.qs, ints.q);
  unpack_fifth_bits(block.qh, ints.q);
}

void Q5_1::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  block.m = ints.dmin;
  pack_nibbles(ints.q, block.qs);
  pack_fifth_bits(ints.q, block.qh);
}

void Q5_1::decode(const Block& block, float* out) { decode_block<Q5_1>(block, out); }

void Q5_1::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_range<Q5_1>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
