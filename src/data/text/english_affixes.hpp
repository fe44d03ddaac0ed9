// The prefixes, suffixes, infixes and addresses by which words are cut. A piece is given as its
// characters; functions look at [low, high) of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ponder {

using Chars = std::span<const uint32_t>;

// Characters of the prefix or suffix of a piece; 0: it has none.
size_t prefix_length(Chars piece);
size_t suffix_length(Chars piece);

// The first infix at or behind `from`, as [begin, end); begin = piece.size() if there is none.
struct Infix {
  size_t begin, end;
};
Infix next_infix(Chars piece, size_t from);

// Whether the whole piece is an address: scheme://user@host:port/path, of which only the host,
// a name with a dot or an IP number outside private networks, is required.
bool is_address(Chars piece);

}  // namespace ponder
