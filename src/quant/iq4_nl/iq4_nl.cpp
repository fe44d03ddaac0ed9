#include "quant/iq4_nl/iq4_nl.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void IQ4_NL::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = 0;
  ints.scale[0] = 1;
  ints.min[0] = 0;
  unpack_nibbles(block.qs, ints.q);
}

void IQ4_NL::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  pack_nibbles(ints.q, block.qs);
}

void IQ4_NL::decode(const Block& block, float* out) { decode_block<IQ4_NL>(block, out); }

void IQ4_NL::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_search<IQ4_NL>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
