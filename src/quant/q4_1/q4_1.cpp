#include "quant/q4_1/q4_1.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q4_1::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = block.m;
  ints.scale[0] = 1;
  ints.min[0] = 1;
  unpack_nibbles(block.qs, ints.q);
}

void Q4_1::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  block.m = ints.dmin;
  pack_nibbles(ints.q, block.qs);
}

void Q4_1::decode(const Block& block, float* out) { decode_block<Q4_1>(block, out); }

void Q4_1::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_range<Q4_1>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
