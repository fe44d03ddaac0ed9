#include "quant/q4_0/q4_0.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q4_0::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = 0;
  ints.scale[0] = 1;
  ints.min[0] = 0;
  unpack_nibbles(block.qs, ints.q);
}

void Q4_0::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  pack_nibbles(ints.q, block.qs);
}

void Q4_0::decode(const Block& block, float* out) { decode_block<Q4_0>(block, out); }

void Q4_0::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_largest<Q4_0>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
