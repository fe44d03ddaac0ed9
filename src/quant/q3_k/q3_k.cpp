#include "quant/q3_k/q3_k.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q3_K::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = 0;
  for (int s = 0; s < 16; ++s) {
    const unsigned low = s < 8 ? block.scales[s] & 15u : block.scales[s - 8] >> 4;
    const unsigned high = (block.scales[8 + s % 4] >> (2 * (s / 4))) & 3u;
    ints.scale[s] = static_cast<int8_t>(static_cast<int>(low | (high << 4)) - 32);
    ints.min[s] = 0;
  }
  unpack_pairs(block.qs, ints.q);
  unpack_bit_plane(block.hmask, 2, ints.q);
}

void Q3_K::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  std::memset(block.scales, 0, sizeof block.scales);
  for (int s = 0; s < 16; ++s) {
    const unsigned scale = static_cast<unsigned>(ints.scale[s] + 32);
    uint8_t& low = block.scales[s % 8];
    uint8_t& high = block.scales[8 + s % 4];
    low = static_cast<uint8_t>(low | ((scale & 15u) << (s < 8 ? 0 : 4)));
    high = static_cast<uint8_t>(high | ((scale >> 4) << (2 * (s / 4))));
  }
  pack_pairs(ints.q, block.qs);
  pack_bit_plane(ints.q, 2, block.hmask);
}

void Q3_K::decode(const Block& block, float* out) { decode_block<Q3_K>(block, out); }

void Q3_K::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_search<Q3_K>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
