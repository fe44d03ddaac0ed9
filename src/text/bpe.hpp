// Byte-pair merging: the lowest-ranked pair first, the leftmost of equals (Sennrich et al. 2016,
// https://arxiv.org/abs/1508.07909), over bytes as in GPT-2.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ponder {

struct BpeMerge {
  int32_t left, right, merged;  // token ids
};

class Bpe {
 public:
  Bpe() = default;
  // The token of each byte, and how many merges will be added.
  Bpe(const std::array<int32_t, 256>& byte_tokens, size_t merges);

  // In order of rank. False, and nothing happens, if the pair is there already.
  bool add(const BpeMerge& merge);

  // Appends the tokens of a piece. O(n log n) in its length.
  void encode(std::string_view piece, std::vector<int32_t>& tokens) const;

 private:
  struct Slot {
    int32_t left = -1, right = -1;
    uint32_t rank = 0;
    int32_t merged = -1;
  };
  struct Symbol;

  // The merge of two neighbours; nullptr if there is none.
  const Slot* find(int32_t left, int32_t right) const;
  void encode_short(std::string_view piece, std::vector<int32_t>& tokens) const;
  void encode_long(std::string_view piece, std::vector<int32_t>& tokens) const;

  std::array<int32_t, 256> byte_tokens_ = {};
  std::vector<Slot> slots_;  // open addressing, a power of two of them, at most half full
  int shift_ = 63;
  uint32_t count_ = 0;
};

}  // namespace ponder
