// Finds added tokens in text: the leftmost, and of those that start there the longest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ponder {

class TokenTrie {
 public:
  TokenTrie() { roots_.fill(-1); }

  // `text` is not empty. The last one added wins if two have the same text.
  void add(std::string_view text, int32_t id);

  struct Match {
    size_t start = 0, length = 0;  // length 0: nothing found
    int32_t id = -1;
  };
  Match find(std::string_view text, size_t start) const;

 private:
  struct Node {
    uint8_t byte = 0;
    int32_t id = -1;  // of the token that ends here
    int32_t child = -1, sibling = -1;
  };
  int32_t step(int32_t node, uint8_t byte) const;

  std::array<int32_t, 256> roots_;
  std::vector<Node> nodes_;
};

}  // namespace ponder
