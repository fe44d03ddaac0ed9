#include "data/rules/text_features.hpp"

namespace ponder {

void TextFeatures::look_at(std::string_view text) {
  text_ = text;
  words_ = nullptr;
  has_chars_ = has_word_chars_ = has_lines_ = has_feed_lines_ = has_normal_words_ = false;
}

size_t TextFeatures::chars() {
  if (!has_chars_) chars_ = count_chars(text_);
  has_chars_ = true;
  return chars_;
}

const std::vector<TextSpan>& TextFeatures::words() {
  if (words_ == nullptr) words_ = &cutter_.words(text_);
  return *words_;
}

const std::vector<uint32_t>& TextFeatures::word_chars() {
  if (!has_word_chars_) {
    word_chars_.clear();
    for (const TextSpan& word : words())
      word_chars_.push_back(static_cast<uint32_t>(count_chars(word.of(text_))));
  }
  has_word_chars_ = true;
  return word_chars_;
}

const std::vector<TextSpan>& TextFeatures::lines() {
  if (!has_lines_) python_lines(text_, lines_);
  has_lines_ = true;
  return lines_;
}

const std::vector<TextSpan>& TextFeatures::line_feed_lines() {
  if (!has_feed_lines_) plain_lines(text_, line_feed_lines_);
  has_feed_lines_ = true;
  return line_feed_lines_;
}

const std::vector<NormalWord>& TextFeatures::normal_words() {
  if (!has_normal_words_) normal_words_ = ponder::normal_words(text_);
  has_normal_words_ = true;
  return normal_words_;
}

}  // namespace ponder
