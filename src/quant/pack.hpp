// Bit layouts that several block formats share: element numbers e of a block to bytes and back.
#pragma once

#include <cstdint>
#include <cstring>

#include "quant/format.hpp"

namespace ponder {

// Eight bytes at once, as a word. Unpacking is most of a model's loading time, so it works on
// these.
inline uint64_t load_word(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}
inline void store_word(uint8_t* p, uint64_t word) { std::memcpy(p, &word, sizeof(word)); }
inline constexpr uint64_t each_byte(uint8_t byte) { return 0x0101010101010101u * byte; }

// 32 elements in 16 bytes: byte b holds e = b in its low and e = b + 16 in its high half.
inline void unpack_nibbles(const uint8_t* qs /* (16) */, uint8_t* q /* (32) */) {
  for (int b = 0; b < 16; b += 8) {
    const uint64_t both = load_word(qs + b);
    store_word(q + b, both & each_byte(15));
    store_word(q + b + 16, both >> 4 & each_byte(15));
  }
}
inline void pack_nibbles(const uint8_t* q /* (32) */, uint8_t* qs /* (16) */) {
  for (int b = 0; b < 16; ++b) {
    qs[b] = static_cast<uint8_t>((q[b] & 15u) | ((q[b + 16] & 15u) << 4));
  }
}

// Adds bit 4 of 32 elements: bit e of a little-endian 32-bit word.
inline void unpack_fifth_bits(const uint8_t* qh /* (4) */, uint8_t* q /* (32) */) {
  for (int b = 0; b < 4; ++b) {
    // Byte e of `found` is not 0 where bit e is set; adding 127 then sets its upper bit.
    const uint64_t found = each_byte(qh[b]) & 0x8040201008040201u;
    const uint64_t fifth = (found + each_byte(127)) >> 3 & each_byte(16);
    store_word(q + 8 * b, load_word(q + 8 * b) | fifth);
  }
}
inline void pack_fifth_bits(const uint8_t* q /* (32) */, uint8_t* qh /* (4) */) {
  std::memset(qh, 0, 4);
  for (int e = 0; e < 32; ++e) {
    qh[e / 8] = static_cast<uint8_t>(qh[e / 8] | (((q[e] >> 4) & 1u) << (e % 8)));
  }
}

// 256 elements as nibbles: bytes 32p … 32p+31 hold elements 64p … 64p+31 low, the next 32 high.
inline void unpack_nibble_pairs(const uint8_t* qs /* (128) */, uint8_t* q /* (256) */) {
  for (int p = 0; p < 4; ++p) {
    for (int l = 0; l < 32; l += 8) {
      const uint64_t both = load_word(qs + 32 * p + l);
      store_word(q + 64 * p + l, both & each_byte(15));
      store_word(q + 64 * p + 32 + l, both >> 4 & each_byte(15));
    }
  }
}
inline void pack_nibble_pairs(const uint8_t* q /* (256) */, uint8_t* qs /* (128) */) {
  for (int p = 0; p < 4; ++p) {
    for (int l = 0; l < 32; ++l) {
      qs[32 * p + l] =
          static_cast<uint8_t>((q[64 * p + l] & 15u) | ((q[64 * p + 32 + l] & 15u) << 4));
    }
  }
}

// 256 elements of 2 bits: byte 32n + l holds elements 128n + 32k + l at bit 2k.
inline void unpack_pairs(const uint8_t* qs /* (64) */, uint8_t* q /* (256) */) {
  for (int n = 0; n < 2; ++n) {
    for (int k = 0; k < 4; ++k) {
      for (int l = 0; l < 32; l += 8)
        store_word(q + 128 * n + 32 * k + l, load_word(qs + 32 * n + l) >> (2 * k) & each_byte(3));
    }
  }
}
inline void pack_pairs(const uint8_t* q /* (256) */, uint8_t* qs /* (64) */) {
  for (int n = 0; n < 2; ++n) {
    for (int l = 0; l < 32; ++l) {
      unsigned byte = 0;
      for (int k = 0; k < 4; ++k) byte |= (q[128 * n + 32 * k + l] & 3u) << (2 * k);
      qs[32 * n + l] = static_cast<uint8_t>(byte);
    }
  }
}

// Adds one bit, worth 1 << shift, to 256 elements: bit j of byte l belongs to element 32j + l.
inline void unpack_bit_plane(const uint8_t* bits /* (32) */, int shift, uint8_t* q /* (256) */) {
  for (int j = 0; j < 8; ++j) {
    for (int l = 0; l < 32; l += 8) {
      const uint64_t plane = (load_word(bits + l) >> j & each_byte(1)) << shift;
      store_word(q + 32 * j + l, load_word(q + 32 * j + l) | plane);
    }
  }
}
inline void pack_bit_plane(const uint8_t* q /* (256) */, int shift, uint8_t* bits /* (32) */) {
  for (int l = 0; l < 32; ++l) {
    unsigned byte = 0;
    for (int j = 0; j < 8; ++j) byte |= ((q[32 * j + l] >> shift) & 1u) << j;
    bits[l] = static_cast<uint8_t>(byte);
  }
}

// Eight 6-bit scales and eight 6-bit minima in 12 bytes: the first four of each lie in the low six
// bits of bytes 0–3 and 4–7; the others are split into nibbles (bytes 8–11) and those bytes' top
// bits.
inline void unpack_scales_6bit(const uint8_t* sc /* (12) */, IntBlock& ints) {
  for (int j = 0; j < 4; ++j) {
    ints.scale[j] = static_cast<int8_t>(sc[j] & 63u);
    ints.min[j] = sc[j + 4] & 63u;
    ints.scale[j + 4] = static_cast<int8_t>((sc[j + 8] & 15u) | ((sc[j] >> 6) << 4));
    ints.min[j + 4] = static_cast<uint8_t>((sc[j + 8] >> 4) | ((sc[j + 4] >> 6) << 4));
  }
}
inline void pack_scales_6bit(const IntBlock& ints, uint8_t* sc /* (12) */) {
  for (int j = 0; j < 4; ++j) {
    const unsigned scale = static_cast<unsigned>(ints.scale[j + 4]);
    const unsigned min = ints.min[j + 4];
    sc[j] =
        static_cast<uint8_t>((static_cast<unsigned>(ints.scale[j]) & 63u) | ((scale >> 4) << 6));
    sc[j + 4] = static_cast<uint8_t>((ints.min[j] & 63u) | ((min >> 4) << 6));
    sc[j + 8] = static_cast<uint8_t>((scale & 15u) | ((min & 15u) << 4));
  }
}

}  // namespace ponder
