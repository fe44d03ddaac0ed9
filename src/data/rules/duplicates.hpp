// Repetitions within one text: equal pieces, and equal runs of words.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/text/characters.hpp"

namespace ponder {

// A set of 64-bit hashes that is emptied fast. Also counts, and knows who came first.
class HashCounter {
 public:
  struct Entry {
    uint64_t hash = 0;
    uint32_t count = 0;  // 0: free
    uint32_t first = 0;  // number of the element that came first
  };

  void clear(size_t most);  // room for `most` different hashes
  // The entry of the hash, with its count raised; a new one remembers `element`.
  Entry& add(uint64_t hash, uint32_t element);

 private:
  std::vector<Entry> table_;
  size_t mask_ = 0;
};

// How many pieces are equal to an earlier one, and the characters of these.
struct Duplicates {
  size_t pieces = 0;
  size_t chars = 0;
};
Duplicates find_duplicates(std::string_view text, const std::vector<TextSpan>& pieces,
                           HashCounter& seen);

// Runs of words of one text.
class WordRuns {
 public:
  // word_chars: characters of each word.
  void read(std::string_view text, const std::vector<TextSpan>& words,
            const std::vector<uint32_t>& word_chars);

  // Characters, with the blanks between words, of the most frequent run of n words, times how often
  // it occurs. Of equally frequent ones the first counts. 0 if there are fewer than n words.
  size_t top_run_chars(size_t n);
  // Characters of runs of n words that occurred before, where runs are equal if they are equal
  // without blanks; behind a repeated run the search goes on behind it.
  size_t repeated_run_chars(size_t n);

 private:
  std::vector<uint64_t> word_hashes_;
  // Σ byte·B^place over all bytes of words before a word; B^−place; characters before it.
  std::vector<uint64_t> sums_, unshift_;
  std::vector<size_t> chars_;
  std::vector<HashCounter::Entry*> found_;
  HashCounter seen_;
};

}  // namespace ponder
