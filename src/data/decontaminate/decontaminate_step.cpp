#include "data/decontaminate/decontaminate_step.hpp"

#include <algorithm>

#include "data/text/characters.hpp"

namespace ponder {
namespace {

// `count` characters back or forth from `at`, at a character's border.
size_t back(std::string_view text, size_t at, int count) {
  for (; at > 0 && count > 0; --count) do {
      --at;
    } while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80);
  return at;
}
size_t forth(std::string_view text, size_t at, int count) {
  for (; at < text.size() && count > 0; --count) do {
      ++at;
    } while (at < text.size() && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80);
  return at;
}

}  // namespace

void Decontaminate::remove(const Document& document, const std::vector<NormalWord>& words,
                           const EvaluationIndex::Hit& hit, Decision& decision) const {
  const EvaluationItem& item = index_.item(hit.item);
  const size_t begin = words[hit.word].begin;
  const size_t end = words[hit.word + hit.words - 1].end;
  decision.keep = false;
  decision.rule = hit.words == static_cast<size_t>(options_.ngram)
                      ? std::to_string(options_.ngram) + "_gram"
                      : "whole_item";
  decision.details =
      "\"item\": " + json_string(item.id) + ", \"field\": " + json_string(item.field) +
      ", \"offset\": " + std::to_string(begin) +
      ", \"match\": " + json_string(std::string_view(document.text).substr(begin, end - begin));
}

void Decontaminate::process(Document& document, const DocumentPlace&, Decision& decision) {
  const std::string_view text = document.text;
  const auto words = normal_words(text);
  EvaluationIndex::Hit hit = index_.find(words, 0);
  if (hit.words == 0) return;
  const EvaluationIndex::Hit first = hit;
  if (!options_.cut) return remove(document, words, first, decision);
  std::string kept;
  size_t from = 0;
  int cuts = 0;
  const auto keep = [&](size_t end) {
    const std::string_view piece = text.substr(from, end - std::min(end, from));
    if (count_chars(piece) >= static_cast<size_t>(options_.least_piece)) kept += piece;
  };
  for (; hit.words > 0; ++cuts) {
    size_t last = hit.word + hit.words;
    keep(std::max(from, back(text, words[hit.word].begin, options_.margin)));
    from = forth(text, words[last - 1].end, options_.margin);
    if (cuts >= options_.most_cuts) return remove(document, words, first, decision);
    while (last < words.size() && words[last].begin < from) ++last;
    hit = index_.find(words, last);
  }
  keep(text.size());
  if (kept.empty()) return remove(document, words, first, decision);
  document.text = std::move(kept);
  document.text_changed = true;
}

OrderedJson decontaminate_settings(const DecontaminateOptions& options,
                                   const std::vector<std::string>& against,
                                   const std::vector<std::string>& fields,
                                   const EvaluationIndex& index) {
  return {{"step", "decontaminate"},
          {"against", against},
          {"fields", fields},
          {"items", index.items()},
          {"runs", index.runs()},
          {"ngram", options.ngram},
          {"shortest", options.shortest},
          {"cut", options.cut},
          {"margin", options.margin},
          {"least_piece", options.least_piece},
          {"most_cuts", options.most_cuts}};
}

}  // namespace ponder
