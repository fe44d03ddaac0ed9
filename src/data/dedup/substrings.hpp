// Runs of words that occur before in the corpus: every window of so many words is hashed, equal
// hashes are brought together by sorting, and all but the first window are marked. This finds what
// a suffix array finds (a word is marked if it lies in a repeated run of at least that length), but
// spills to disk and spreads over processes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/dedup/duplicates_map.hpp"
#include "data/ngrams.hpp"

namespace ponder {

// Words between white space, byte for byte; characters of scripts without spaces each.
std::vector<NormalWord> exact_words(std::string_view text);

struct WindowMark {
  Ordinal document;
  uint32_t word;      // first word of the window
  uint32_t original;  // 1: the first of its kind, which stays; 0: occurs before
};

// The marks of this process's documents, ordered by document and word. Notes hold the hashes of all
// windows of a document.
Result<std::vector<WindowMark>> match_substrings(const RunFolder& folder, Peers& peers,
                                                 uint64_t memory);

// The text without words that lie in repeated windows of `length` words, and in no original one.
// `marks`: those of the document.
std::string without_repeated(std::string_view text, const std::vector<NormalWord>& words,
                             std::span<const WindowMark> marks, size_t length);

}  // namespace ponder
