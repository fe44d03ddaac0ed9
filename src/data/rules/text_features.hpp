// What several rules want to know of the same text, computed when it is first asked for.
#pragma once

#include <string_view>
#include <vector>

#include "data/ngrams.hpp"
#include "data/text/characters.hpp"
#include "data/text/english_words.hpp"

namespace ponder {

class TextFeatures {
 public:
  // The text stays where it is while it is looked at.
  void look_at(std::string_view text);

  std::string_view text() const { return text_; }
  size_t chars();
  const std::vector<TextSpan>& words();            // of English, see english_words.hpp
  const std::vector<uint32_t>& word_chars();       // characters of each word
  const std::vector<TextSpan>& lines();            // str.splitlines()
  const std::vector<TextSpan>& line_feed_lines();  // str.split("\n")
  const std::vector<NormalWord>& normal_words();   // of ngrams.hpp
  // Sentences of any text; words() of the text at hand stay.
  int sentences(std::string_view text) { return sentence_cutter_.sentences(text); }

 private:
  std::string_view text_;
  EnglishWords cutter_, sentence_cutter_;
  const std::vector<TextSpan>* words_ = nullptr;
  std::vector<uint32_t> word_chars_;
  std::vector<TextSpan> lines_, line_feed_lines_;
  std::vector<NormalWord> normal_words_;
  size_t chars_ = 0;
  bool has_chars_ = false, has_word_chars_ = false, has_lines_ = false, has_feed_lines_ = false;
  bool has_normal_words_ = false;
};

}  // namespace ponder
