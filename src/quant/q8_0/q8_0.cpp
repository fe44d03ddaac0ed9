#include "quant/q8_0/q8_0.hpp"

#include "quant/decode.hpp"
#include "quant/encode.hpp"
#include "quant/pack.hpp"

namespace ponder {

void Q8_0::to_ints(const Block& block, IntBlock& ints) {
  ints.d = block.d;
  ints.dmin = 0;
  ints.scale[0] = 1;
  ints.min[0] = 0;
  for (int e = 0; e < 32; ++e) ints.q[e] = static_cast<uint8_t>(block.qs[e] ^ -kOffset);
}

void Q8_0::from_ints(const IntBlock& ints, Block& block) {
  block.d = ints.d;
  for (int e = 0; e < 32; ++e) block.qs[e] = static_cast<int8_t>(ints.q[e] - kOffset);
}

void Q8_0::decode(const Block& block, float* out) { decode_block<Q8_0>(block, out); }

void Q8_0::encode(const float* in, Block& block) {
  float largest = 0;
  for (int e = 0; e < 32; ++e) largest = std::max(largest, std::fabs(finite_weight(in[e])));
  const float d = largest / 127.0f;
  const float inverse = reciprocal_or_zero(d);
  for (int e = 0; e < 32; ++e) {
    const float q = std::round(finite_weight(in[e]) * inverse);
    block.qs[e] = static_cast<int8_t>(std::min(std::max(-127.0f, q), 127.0f));
  }
  block.d = f32_to_f16(d);
}

}  // namespace ponder
