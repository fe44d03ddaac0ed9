#include "data/text/fasttext_model.hpp"

#include <fasttext/fasttext.h>

#include <algorithm>
#include <sstream>

namespace ponder {
namespace {

constexpr std::string_view kPrefix = "__label__";

std::string without_prefix(const std::string& label) {
  return label.starts_with(kPrefix) ? label.substr(kPrefix.size()) : label;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (c == '\n' || c == '\r' || c == '\0') c = ' ';
  return line;
}

Result<FastTextModel> FastTextModel::load(const std::string& path) {
  FastTextModel model;
  try {
    auto loaded = std::make_shared<fasttext::FastText>();
    loaded->loadModel(path);
    const auto dictionary = loaded->getDictionary();
    for (int32_t i = 0; i < dictionary->nlabels(); ++i)
      model.labels_.push_back(without_prefix(dictionary->getLabel(i)));
    model.model_ = std::move(loaded);
  } catch (const std::exception& failure) {
    return Failure{{.what = std::string("no model of fastText: ") + failure.what(), .where = path}};
  }
  if (model.labels_.empty())
    return Failure{{.what = "the model has no labels",
                    .where = path,
                    .mend = "take one that was trained with fasttext supervised"}};
  return model;
}

std::vector<FastTextModel::Guess> FastTextModel::guesses(std::string_view text, int most) const {
  std::istringstream line(one_line(text) + "\n");
  std::vector<std::pair<fasttext::real, std::string>> predicted;
  std::vector<Guess> guesses;
  if (!model_->predictLine(line, predicted, most, 0)) return guesses;
  for (const auto& [probability, label] : predicted)
    guesses.push_back({without_prefix(label), std::min(1.0, static_cast<double>(probability))});
  return guesses;
}

double FastTextModel::probability(std::string_view text, std::string_view label) const {
  for (const Guess& guess : guesses(text, -1))
    if (guess.label == label) return guess.probability;
  return 0;
}

}  // namespace ponder
