// Runs of words that occur before in the corpus: every window of so many words is hashed, equal
// hashes are brought together by sorting, and all but the first window are marked. This finds what
// a suffix array finds (a word is marked if it lies in a repeated run of at least that length), but
// spills to disk and spreads over processes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.hpp"
#include "data/dedup/duplicates_map.hpp"
#include "data/ngrams.hpp"

namespace ponder {

// Words between white space, byte for byte; characters of scripts without spaces each.
std::vector<NormalWord> exact_words(std::string_view text);

// Windows of a document that begin at `count` words in a row.
struct WindowRun {
  Ordinal document;
  uint32_t word;  // first word of the first window
  uint32_t count;
  bool original;  // the first of their kind, which stay; else they occur before
};

// Windows of this process's documents that occur more than once, ordered by document and word.
// Notes hold the hashes of all windows of a document. All but the runs is sorted within `memory`.
Result<std::vector<WindowRun>> match_substrings(const RunFolder& folder, Peers& peers,
                                                uint64_t memory, ThreadPool& pool);

// The text without words that lie in repeated windows of `length` words, and in no original one.
// `runs`: those of the document.
std::string without_repeated(std::string_view text, const std::vector<NormalWord>& words,
                             std::span<const WindowRun> runs, size_t length);

}  // namespace ponder
