#include "data/rules/duplicates.hpp"

#include <algorithm>
#include <bit>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ponder {
namespace {

// An odd number and its inverse modulo 2^64.
constexpr uint64_t kBase = 0x9e3779b97f4a7c15u;
constexpr uint64_t inverse(uint64_t odd) {
  uint64_t x = odd;  // right in the last 3 bits; each step doubles that (Newton)
  for (int i = 0; i < 5; ++i) x *= 2 - odd * x;
  return x;
}
constexpr uint64_t kUnbase = inverse(kBase);
static_assert(kBase * kUnbase == 1);

uint64_t mixed(uint64_t x) {
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9u;
  return x ^ x >> 32;
}

}  // namespace

void HashCounter::clear(size_t most) {
  const size_t wanted = std::bit_ceil(std::max<size_t>(2 * most, 16));
  table_.assign(wanted, {});
  mask_ = wanted - 1;
}

HashCounter::Entry& HashCounter::add(uint64_t hash, uint32_t element) {
  size_t at = mixed(hash) & mask_;
  while (table_[at].count > 0 && table_[at].hash != hash) at = (at + 1) & mask_;
  Entry& entry = table_[at];
  if (entry.count++ == 0) {
    entry.hash = hash;
    entry.first = element;
  }
  return entry;
}

Duplicates find_duplicates(std::string_view text, const std::vector<TextSpan>& pieces,
                           HashCounter& seen) {
  Duplicates duplicates;
  seen.clear(pieces.size());
  for (const TextSpan& span : pieces) {
    const std::string_view piece = span.of(text);
    if (seen.add(XXH3_64bits(piece.data(), piece.size()), 0).count == 1) continue;
    ++duplicates.pieces;
    duplicates.chars += count_chars(piece);
  }
  return duplicates;
}

void WordRuns::read(std::string_view text, const std::vector<TextSpan>& words,
                    const std::vector<uint32_t>& word_chars) {
  word_hashes_.clear();
  sums_.assign(1, 0);
  unshift_.assign(1, 1);
  chars_.assign(1, 0);
  uint64_t sum = 0, shift = 1, unshift = 1;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i].of(text);
    word_hashes_.push_back(XXH3_64bits(word.data(), word.size()));
    for (const char c : word) {
      sum += (static_cast<uint8_t>(c) + 1u) * shift;
      shift *= kBase;
      unshift *= kUnbase;
    }
    sums_.push_back(sum);
    unshift_.push_back(unshift);
    chars_.push_back(chars_.back() + word_chars[i]);
  }
}

size_t WordRuns::top_run_chars(size_t n) {
  const size_t words = word_hashes_.size();
  if (words < n) return 0;
  const size_t runs = words - n + 1;
  seen_.clear(runs);
  found_.clear();
  for (size_t i = 0; i < runs; ++i) {
    uint64_t hash = 0;
    for (size_t k = 0; k < n; ++k) hash = hash * kBase + word_hashes_[i + k];
    HashCounter::Entry& entry = seen_.add(hash, static_cast<uint32_t>(i));
    if (entry.count == 1) found_.push_back(&entry);
  }
  const HashCounter::Entry* top = found_[0];
  for (const HashCounter::Entry* entry : found_)
    if (entry->count > top->count) top = entry;
  return (chars_[top->first + n] - chars_[top->first] + n - 1) * top->count;
}

size_t WordRuns::repeated_run_chars(size_t n) {
  const size_t words = word_hashes_.size();
  if (words < n) return 0;
  seen_.clear(words - n + 1);
  size_t repeated = 0;
  for (size_t i = 0; i + n <= words;) {
    const uint64_t hash = (sums_[i + n] - sums_[i]) * unshift_[i];
    if (seen_.add(hash, 0).count > 1) {
      repeated += chars_[i + n] - chars_[i];
      i += n;
    } else {
      ++i;
    }
  }
  return repeated;
}

}  // namespace ponder
