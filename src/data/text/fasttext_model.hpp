// A model of fastText (Joulin et al. 2016, https://fasttext.cc) that tells labels of texts.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace fasttext {
class FastText;
}

namespace ponder {

// fastText takes one example a line.
std::string one_line(std::string_view text);

class FastTextModel {
 public:
  // A .bin or .ftz file.
  static Result<FastTextModel> load(const std::string& path);

  // Without "__label__".
  const std::vector<std::string>& labels() const { return labels_; }

  struct Guess {
    std::string label;
    double probability;  // at most 1
  };
  // The most probable label first; empty if the model knows no word of the text. From many threads.
  std::vector<Guess> guesses(std::string_view text, int most) const;
  // Of one label; 0 if it is not among the guesses.
  double probability(std::string_view text, std::string_view label) const;

 private:
  std::shared_ptr<const fasttext::FastText> model_;
  std::vector<std::string> labels_;
};

}  // namespace ponder
