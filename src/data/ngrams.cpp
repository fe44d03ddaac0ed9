#include "data/ngrams.hpp"

#include <utf8proc.h>

#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr uint64_t kFnvStart = 0xCBF29CE484222325, kFnvPrime = 0x100000001B3;
constexpr uint64_t kBase = 0x9E3779B97F4A7C15;  // odd: no factor is lost modulo 2^64

// Scripts without spaces between words: Han, Kana and what stands between them.
bool stands_alone(uint32_t code) {
  return (code >= 0x2E80 && code <= 0x9FFF) || (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0x20000 && code <= 0x3FFFF);
}

// Scatters the bits of a sum of products, whose low bits know little.
uint64_t mixed(uint64_t x) {  // the finaliser of SplitMix64 (Steele et al. 2014)
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}

uint64_t add_code(uint64_t hash, uint32_t code) {
  for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ (code >> shift & 0xFF)) * kFnvPrime;
  return hash;
}

}  // namespace

std::vector<NormalWord> normal_words(std::string_view text) {
  const uint8_t* classes = char_classes();
  std::vector<NormalWord> words;
  bool open = false;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text.substr(at));
    const Char character = step.kind == Utf8Step::kCharacter ? decode_char(text, at) : Char{};
    const size_t next = at + step.length;
    const bool inside = step.kind == Utf8Step::kCharacter &&
                        (classes[character.code] & (kLetter | kNumber | kMark)) != 0;
    if (inside) {
      const bool alone = stands_alone(character.code);
      if (!open || alone) words.push_back({.hash = kFnvStart, .begin = at, .end = at});
      words.back().hash = add_code(
          words.back().hash,
          static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(character.code))));
      words.back().end = next;
      open = !alone;
    } else {
      open = false;
    }
    at = next;
  }
  for (NormalWord& word : words) word.hash = mixed(word.hash);
  return words;
}

std::vector<uint64_t> ngram_hashes(const std::vector<NormalWord>& words, size_t n) {
  std::vector<uint64_t> hashes;
  if (n == 0 || words.size() < n) return hashes;
  hashes.reserve(words.size() - n + 1);
  uint64_t leaving = 1;  // kBase^n: the weight of the word that has passed
  for (size_t i = 0; i < n; ++i) leaving *= kBase;
  uint64_t sum = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    sum = sum * kBase + words[i].hash;
    if (i >= n) sum -= leaving * words[i - n].hash;
    if (i + 1 >= n) hashes.push_back(mixed(sum));
  }
  return hashes;
}

}  // namespace ponder
