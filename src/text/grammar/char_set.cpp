#include "text/grammar/char_set.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr uint32_t kLastCode = 0x10ffff;
constexpr uint32_t kFirstSurrogate = 0xd800, kLastSurrogate = 0xdfff;

std::array<uint8_t, 4> spelled(uint32_t code, int length) {
  constexpr uint8_t kLead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  std::array<uint8_t, 4> bytes = {};
  for (int i = length - 1; i > 0; --i, code >>= 6) bytes[i] = 0x80 | (code & 0x3f);
  bytes[0] = static_cast<uint8_t>(kLead[length] | code);
  return bytes;
}

// Cuts a range of characters of one length until its bytes are independent of each other.
void split(uint32_t first, uint32_t last, int length, std::vector<Utf8Range>& out) {
  for (int tail = 1; tail < length; ++tail) {
    const uint32_t low = (1u << (6 * tail)) - 1;
    if ((first & ~low) == (last & ~low)) continue;
    if ((first & low) != 0) {
      split(first, first | low, length, out);
      return split((first | low) + 1, last, length, out);
    }
    if ((last & low) != low) {
      split(first, (last & ~low) - 1, length, out);
      return split(last & ~low, last, length, out);
    }
  }
  Utf8Range range = {.length = length};
  const auto from = spelled(first, length), to = spelled(last, length);
  for (int i = 0; i < length; ++i) range.bytes[i] = {from[i], to[i]};
  out.push_back(range);
}

}  // namespace

CharSet CharSet::range(uint32_t first, uint32_t last) { return CharSet().add(first, last); }

CharSet CharSet::of(std::string_view ascii) {
  CharSet set;
  for (const char c : ascii) set.add(static_cast<uint8_t>(c), static_cast<uint8_t>(c));
  return set;
}

CharSet CharSet::all() { return range(0, kLastCode); }

CharSet CharSet::of_class(uint8_t bits) {
  CharSet set;
  const uint8_t* classes = char_classes();
  for (uint32_t code = 0; code <= kLastCode; ++code) {
    if ((classes[code] & bits) == 0) continue;
    const uint32_t first = code;
    while (code < kLastCode && (classes[code + 1] & bits) != 0) ++code;
    set.add(first, code);
  }
  return set;
}

CharSet& CharSet::add(uint32_t first, uint32_t last) {
  added_.push_back({first, std::min(last, kLastCode)});
  return *this;
}

CharSet& CharSet::add(const CharSet& other) {
  const std::vector<Range> ranges = other.ranges();
  added_.insert(added_.end(), ranges.begin(), ranges.end());
  return *this;
}

CharSet CharSet::complement() const {
  CharSet set;
  uint32_t next = 0;
  for (const Range& range : ranges()) {
    if (range.first > next) set.add(next, range.first - 1);
    next = range.last + 1;
  }
  if (next <= kLastCode) set.add(next, kLastCode);
  return set;
}

CharSet CharSet::minus(const CharSet& other) const { return both(other.complement()); }

CharSet CharSet::both(const CharSet& other) const {
  return complement().add(other.complement()).complement();
}

std::vector<CharSet::Range> CharSet::ranges() const {
  std::vector<Range> parts;
  for (const Range& range : added_) {
    if (range.first < kFirstSurrogate)
      parts.push_back({range.first, std::min(range.last, kFirstSurrogate - 1)});
    if (range.last > kLastSurrogate)
      parts.push_back({std::max(range.first, kLastSurrogate + 1), range.last});
  }
  std::erase_if(parts, [](const Range& range) { return range.first > range.last; });
  std::ranges::sort(parts, {}, &Range::first);
  std::vector<Range> joined;
  for (const Range& range : parts) {
    if (!joined.empty() && range.first <= joined.back().last + 1)
      joined.back().last = std::max(joined.back().last, range.last);
    else
      joined.push_back(range);
  }
  return joined;
}

std::vector<Utf8Range> utf8_ranges(const CharSet& set) {
  constexpr uint32_t kLastOfLength[] = {0x7f, 0x7ff, 0xffff, kLastCode};
  std::vector<Utf8Range> out;
  for (CharSet::Range range : set.ranges()) {
    for (int length = 1; length <= 4; ++length) {
      const uint32_t last = std::min(range.last, kLastOfLength[length - 1]);
      if (range.first > last) continue;
      split(range.first, last, length, out);
      range.first = last + 1;
    }
  }
  return out;
}

void append_utf8(std::string& text, uint32_t code) {
  const int length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  const auto bytes = spelled(code, length);
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(length));
}

}  // namespace ponder
