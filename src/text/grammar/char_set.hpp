// Sets of characters, and the byte sequences of UTF-8 that spell them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// Unicode scalar values: surrogates are never in a set.
class CharSet {
 public:
  struct Range {
    uint32_t first, last;  // both included
    bool operator==(const Range&) const = default;
  };

  static CharSet range(uint32_t first, uint32_t last);
  static CharSet of(std::string_view ascii);  // these characters
  static CharSet all();
  // The characters that have one of these bits of CharClass (text/unicode.hpp).
  static CharSet of_class(uint8_t bits);

  CharSet& add(uint32_t first, uint32_t last);
  CharSet& add(const CharSet& other);
  CharSet complement() const;
  CharSet minus(const CharSet& other) const;
  CharSet both(const CharSet& other) const;  // what is in this and in `other`

  // Sorted, apart from each other, without surrogates.
  std::vector<Range> ranges() const;
  bool empty() const { return ranges().empty(); }

 private:
  std::vector<Range> added_;  // in any order
};

// `length` bytes, each within its own bounds.
struct Utf8Range {
  struct Bounds {
    uint8_t first = 0, last = 0;
    bool operator==(const Bounds&) const = default;
  };
  int length = 0;
  std::array<Bounds, 4> bytes = {};
};

// In ascending order of the characters; no character is spelled twice.
std::vector<Utf8Range> utf8_ranges(const CharSet& set);

// The bytes of one scalar value.
void append_utf8(std::string& text, uint32_t code);

}  // namespace ponder
