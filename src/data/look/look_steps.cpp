#include "data/look/look_steps.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "data/rules/filters.hpp"
#include "data/text/characters.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ponder {
namespace {

uint64_t count_words(std::string_view text) {
  uint64_t words = 0;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_char(text, at);
    at += c.length;
    const bool space = is_python_space(c.code);
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

std::string language_of(const Document& document) {
  static const std::unique_ptr<TextFilter> filter = make_language();
  FilterScratch scratch;
  scratch.features.look_at(document.text);
  Document copy;
  double score = 0;
  Measures measures({&score, 1}, true);
  filter->check(copy, scratch, measures);
  const std::string& json = copy.added.front().second;
  return json.substr(1, json.size() - 2);
}

}  // namespace

void CorpusStats::process(Document& document, const DocumentPlace&, Decision&) {
  const std::string_view text = document.text;
  const size_t chars = count_chars(text);
  const uint64_t words = count_words(text), lines = count_of(text, "\n") + !text.empty();
  const std::string language = languages_ ? language_of(document) : "";
  const std::scoped_lock lock(mutex_);
  ++documents_;
  bytes_ += text.size();
  chars_ += chars;
  words_ += words;
  lines_ += lines;
  ++by_size_[std::min<size_t>(by_size_.size() - 1, std::bit_width(chars | 1) - 1)];
  if (languages_) ++by_language_[language];
}

OrderedJson CorpusStats::to_json() const {
  OrderedJson json = {{"documents", documents_},
                      {"bytes", bytes_},
                      {"chars", chars_},
                      {"words", words_},
                      {"lines", lines_}};
  OrderedJson& sizes = json["by_chars"] = OrderedJson::array();
  for (size_t i = 0; i < by_size_.size(); ++i)
    if (by_size_[i] > 0)
      sizes.push_back({{"from", i == 0 ? 0 : uint64_t{1} << i}, {"documents", by_size_[i]}});
  if (languages_) json["by_language"] = by_language_;
  return json;
}

uint64_t SampleStep::order_of(uint64_t seed, std::string_view id) {
  return XXH3_64bits_withSeed(id.data(), id.size(), seed);
}

uint64_t SampleStep::limit_of(double fraction) {
  if (fraction >= 1) return UINT64_MAX;
  return static_cast<uint64_t>(std::ldexp(fraction, 64));
}

void SampleStep::process(Document& document, const DocumentPlace&, Decision& decision) {
  if (order_of(seed_, document.id) <= limit_) return;
  decision.keep = false;
  decision.rule = "not_in_sample";
}

void SampleLimit::process(Document& document, const DocumentPlace&, Decision&) {
  const uint64_t order = SampleStep::order_of(seed_, document.id);
  const std::scoped_lock lock(mutex_);
  least_.push_back(order);
  std::push_heap(least_.begin(), least_.end());
  if (least_.size() <= count_) return;
  std::pop_heap(least_.begin(), least_.end());
  least_.pop_back();
}

}  // namespace ponder
