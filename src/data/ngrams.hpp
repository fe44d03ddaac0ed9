// Words as comparisons of texts see them, and hashes of so many words in a row. The one normaliser
// of decontamination and of evaluation's look for contamination.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ponder {

// A word: letters, digits and marks in a row, in lower case; all else separates. Each character of
// a script that is written without spaces (Chinese, Japanese) is a word. Bytes that are not UTF-8
// separate.
struct NormalWord {
  uint64_t hash = 0;          // of its lower-case form
  size_t begin = 0, end = 0;  // bytes in the text
};
std::vector<NormalWord> normal_words(std::string_view text);

// hashes[i]: of the `n` words from word i on, equal where the words are. Empty if there are fewer.
std::vector<uint64_t> ngram_hashes(const std::vector<NormalWord>& words, size_t n);

}  // namespace ponder
