#include "quant/q2_k/q2_k.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q2_K::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = block.dmin;
  for (int s = 0; s < 16; ++s) {
    ints.scale[s] = static_cast<int8_t>(block.scales[s] & 15u);
    ints.min[s] = static_cast<uint8_t>(block.scales[s] >> 4);
  }
  unpack_pairs(block.qs, ints.q);
}

void Q2_K::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  block.dmin = ints.dmin;
  for (int s = 0; s < 16; ++s) {
    block.scales[s] = static_cast<uint8_t>((ints.scale[s] & 15) | (ints.min[s] << 4));
  }
  pack_pairs(ints.q, block.qs);
}

void Q2_K::decode(const Block& block, float* out) { decode_block<Q2_K>(block, out); }

void Q2_K::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_search<Q2_K>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
