#include "quant/iq4_xs/iq4_xs.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void IQ4_XS::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = 0;
  for (int s = 0; s < 8; ++s) {
    const unsigned low = (block.scales_l[s / 2] >> (4 * (s % 2))) & 15u;
    const unsigned high = (block.scales_h[s / 4] >> (2 * (s % 4))) & 3u;
    ints.scale[s] = static_cast<int8_t>(static_cast<int>(low | (high << 4)) - 32);
    ints.min[s] = 0;
    unpack_nibbles(block.qs + 16 * s, ints.q + 32 * s);
  }
}

void IQ4_XS::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  std::memset(block.scales_h, 0, sizeof block.scales_h);
  std::memset(block.scales_l, 0, sizeof block.scales_l);
  for (int s = 0; s < 8; ++s) {
    const unsigned scale = static_cast<unsigned>(ints.scale[s] + 32);
    uint8_t& low = block.scales_l[s / 2];
    uint8_t& high = block.scales_h[s / 4];
    low = static_cast<uint8_t>(low | ((scale & 15u) << (4 * (s % 2))));
    high = static_cast<uint8_t>(high | ((scale >> 4) << (2 * (s % 4))));
    pack_nibbles(ints.q + 32 * s, block.qs + 16 * s);
  }
}

void IQ4_XS::decode(const Block& block, float* out) { decode_block<IQ4_XS>(block, out); }

void IQ4_XS::encode(const float* in, Block& block) {
  IntBlock ints;
  encode_by_search<IQ4_XS>(in, ints);
  from_ints(ints, block);
}

}  // namespace ponder
