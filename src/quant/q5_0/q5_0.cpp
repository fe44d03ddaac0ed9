#include "quant/q5_0/q5_0.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q5_0::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = 0;
  ints.scale[0] = 1;
  ints.min[0] = 0;
  unpack_nibbles(block.qs, ints.q);
  unpack_fifth_bits(block.qh, ints.q);
}

void Q5_0::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  pack_nibbles(ints.q, block.qs);
  pack_fifth_bits(ints.q, block.qh);
}

void Q5_0::decode(const Block& block, float* out) { decode_block<Q5_0>(block, out); }

void Q5_0::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_largest<Q5_0>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
