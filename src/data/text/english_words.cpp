#include "data/text/english_words.hpp"

#include <algorithm>

#include "data/text/english_affixes.hpp"
#include "data/text/special_words.hpp"

namespace ponder {
namespace {

struct ClassRun {
  uint32_t first, last;
  uint16_t classes;
};

#include "data/text/english_words.inl"

constexpr size_t kCodes = 0x110000;

std::vector<uint16_t> make_classes() {
  std::vector<uint16_t> table(kCodes, 0);
  for (const ClassRun& run : kClassRuns)
    std::fill(table.begin() + run.first, table.begin() + run.last + 1, run.classes);
  return table;
}

bool is_ascii_letter(char c) { return static_cast<uint8_t>((c | 0x20) - 'a') < 26; }

bool is_punctuation(std::string_view token) {
  for (size_t at = 0; at < token.size();) {
    const Char c = decode_char(token, at);
    if (!(char_classes()[c.code] & kPunctuation)) return false;
    at += c.length;
  }
  return true;
}

bool is_sentence_end(std::string_view token) {
  const Char c = decode_char(token, 0);
  return c.length == token.size() && (word_classes()[c.code] & kSentenceEnd) != 0;
}

}  // namespace

const uint16_t* word_classes() {
  static const std::vector<uint16_t> table = make_classes();
  return table.data();
}

const SpecialWords& SpecialWords::get() {
  static const SpecialWords words;
  return words;
}

SpecialWords::SpecialWords() {
  std::string_view rest = kSpecialWords;
  std::vector<uint8_t>* cuts = nullptr;
  while (!rest.empty()) {
    const char separator = rest[0];
    rest.remove_prefix(1);
    const size_t end = std::min(rest.find_first_of(" \t\n"), rest.size());
    const std::string_view item = rest.substr(0, end);
    rest.remove_prefix(end);
    if (item.empty()) continue;
    if (separator == '\t') {
      int cut = 0;
      for (const char digit : item) cut = cut * 10 + (digit - '0');
      cuts->push_back(static_cast<uint8_t>(cut));
    } else {
      cuts = &words_[item];
      longest_ = std::max(longest_, item.size());
    }
  }
  EnglishWords cutter;
  for (const auto& [word, unused] : words_) {
    cutter.tokens_.clear();
    cutter.cut_piece(word, 0, word.size(), false);
    if (cutter.tokens_.size() < 2) continue;
    Sequence sequence;
    for (const TextSpan& token : cutter.tokens_) sequence.push_back(token.of(word));
    second_[static_cast<uint8_t>(sequence[1][0])] = true;
    sequences_[sequence[0]].push_back(std::move(sequence));
  }
}

const std::vector<uint8_t>* SpecialWords::find(std::string_view word) const {
  if (word.size() > longest_) return nullptr;
  const auto found = words_.find(word);
  return found == words_.end() ? nullptr : &found->second;
}

const std::vector<SpecialWords::Sequence>* SpecialWords::starting_with(
    std::string_view token) const {
  if (token.size() > longest_) return nullptr;
  const auto found = sequences_.find(token);
  return found == sequences_.end() ? nullptr : &found->second;
}

void EnglishWords::decode(std::string_view text, size_t begin, size_t end) {
  text_ = text;
  chars_.clear();
  places_.clear();
  for (size_t at = begin; at < end;) {
    const Char c = decode_char(text, at);
    chars_.push_back(c.code);
    places_.push_back(static_cast<uint32_t>(at));
    at += c.length;
  }
  places_.push_back(static_cast<uint32_t>(end));
}

bool EnglishWords::is_special(size_t low, size_t high) const {
  return SpecialWords::get().find(text_.substr(places_[low], places_[high] - places_[low])) !=
         nullptr;
}

void EnglishWords::cut_piece(std::string_view text, size_t begin, size_t end, bool with_specials) {
  bool letters = true;
  for (size_t at = begin; at < end && letters; ++at) letters = is_ascii_letter(text[at]);
  if (letters) {
    places_ = {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
    const auto* cuts =
        with_specials ? SpecialWords::get().find(text.substr(begin, end - begin)) : nullptr;
    uint32_t from = static_cast<uint32_t>(begin);
    if (cuts != nullptr) {
      for (const uint8_t cut : *cuts) {
        tokens_.push_back({from, static_cast<uint32_t>(begin) + cut});
        from = static_cast<uint32_t>(begin) + cut;
      }
    }
    tokens_.push_back({from, static_cast<uint32_t>(end)});
    return;
  }
  decode(text, begin, end);
  cut_affixes(with_specials);
}

void EnglishWords::cut_affixes(bool with_specials) {
  size_t low = 0, high = chars_.size(), last = 0;
  suffixes_.clear();
  const auto special = [&](size_t from, size_t to) {
    return with_specials && from < to && is_special(from, to);
  };
  const auto take_suffix = [&](size_t length) {
    suffixes_.push_back({places_[high - length], places_[high]});
    high -= length;
  };
  while (low < high && high - low != last && !special(low, high)) {
    last = high - low;
    const Chars piece(chars_.data() + low, high - low);
    const size_t prefix = prefix_length(piece);
    if (prefix > 0 && special(low + prefix, high)) {
      push(low, low + prefix);
      low += prefix;
      break;
    }
    const size_t suffix = suffix_length(piece.subspan(prefix));
    if (suffix > 0 && special(low, high - suffix)) {
      take_suffix(suffix);
      break;
    }
    if (prefix > 0) {
      push(low, low + prefix);
      low += prefix;
    }
    if (suffix > 0) take_suffix(suffix);
  }
  if (low < high) cut_infixes(low, high, with_specials);
  tokens_.insert(tokens_.end(), suffixes_.rbegin(), suffixes_.rend());
}

void EnglishWords::cut_infixes(size_t low, size_t high, bool with_specials) {
  const Chars piece(chars_.data() + low, high - low);
  const std::string_view word = text_.substr(places_[low], places_[high] - places_[low]);
  if (const auto* cuts = with_specials ? SpecialWords::get().find(word) : nullptr;
      cuts != nullptr) {
    uint32_t from = places_[low];
    for (const uint8_t cut : *cuts) {
      tokens_.push_back({from, places_[low] + cut});
      from = places_[low] + cut;
    }
    tokens_.push_back({from, places_[high]});
    return;
  }
  size_t start = 0;
  if (!is_address(piece)) {
    for (Infix infix = next_infix(piece, 0); infix.begin < piece.size();
         infix = next_infix(piece, infix.end)) {
      if (infix.begin == 0) continue;
      if (infix.begin != start) push(low + start, low + infix.begin);
      push(low + infix.begin, low + infix.end);
      start = infix.end;
    }
  }
  if (start < piece.size()) push(low + start, high);
}

void EnglishWords::cut(std::string_view text) {
  tokens_.clear();
  if (text.empty()) return;
  size_t start = 0;
  bool in_space = is_python_space(decode_char(text, 0).code);
  const auto end_piece = [&](size_t end) {
    if (start >= end) return;
    if (in_space)
      tokens_.push_back({static_cast<uint32_t>(start), static_cast<uint32_t>(end)});
    else
      cut_piece(text, start, end, true);
  };
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_char(text, at);
    if (is_python_space(c.code) != in_space) {
      end_piece(at);
      start = c.code == ' ' ? at + 1 : at;
      in_space = !in_space;
    }
    at += c.length;
  }
  end_piece(text.size());
  join_specials(text);
}

void EnglishWords::join_specials(std::string_view text) {
  const SpecialWords& specials = SpecialWords::get();
  std::vector<TextSpan> found;  // of tokens
  for (size_t i = 1; i < tokens_.size(); ++i) {
    if (!specials.may_be_second(text[tokens_[i].begin])) continue;
    const auto* sequences = specials.starting_with(tokens_[i - 1].of(text));
    if (sequences == nullptr) continue;
    for (const SpecialWords::Sequence& sequence : *sequences) {
      size_t same = 1;
      while (same < sequence.size() && i - 1 + same < tokens_.size() &&
             tokens_[i - 1 + same].of(text) == sequence[same])
        ++same;
      if (same == sequence.size())
        found.push_back({static_cast<uint32_t>(i - 1), static_cast<uint32_t>(i - 1 + same)});
    }
  }
  if (found.empty()) return;
  // Longest first, then from left to right; what overlaps a longer one is dropped.
  std::stable_sort(found.begin(), found.end(), [](const TextSpan& a, const TextSpan& b) {
    return a.size() != b.size() ? a.size() > b.size() : a.begin < b.begin;
  });
  std::vector<uint8_t> seen(tokens_.size(), 0);
  std::vector<TextSpan> chosen;
  for (const TextSpan& match : found) {
    if (!seen[match.begin] && !seen[match.end - 1]) chosen.push_back(match);
    std::fill(seen.begin() + match.begin, seen.begin() + match.end, uint8_t{1});
  }
  std::sort(chosen.begin(), chosen.end(),
            [](const TextSpan& a, const TextSpan& b) { return a.begin < b.begin; });
  joined_.clear();
  size_t token = 0;
  for (const TextSpan& match : chosen) {
    joined_.insert(joined_.end(), tokens_.begin() + static_cast<long>(token),
                   tokens_.begin() + match.begin);
    const TextSpan whole{tokens_[match.begin].begin, tokens_[match.end - 1].end};
    const auto* cuts = specials.find(whole.of(text));
    if (cuts != nullptr) {
      uint32_t from = whole.begin;
      for (const uint8_t cut : *cuts) {
        joined_.push_back({from, whole.begin + cut});
        from = whole.begin + cut;
      }
      joined_.push_back({from, whole.end});
    } else {
      joined_.insert(joined_.end(), tokens_.begin() + match.begin, tokens_.begin() + match.end);
    }
    token = match.end;
  }
  joined_.insert(joined_.end(), tokens_.begin() + static_cast<long>(token), tokens_.end());
  tokens_.swap(joined_);
}

const std::vector<TextSpan>& EnglishWords::words(std::string_view text) {
  cut(text);
  words_.clear();
  for (const TextSpan& token : tokens_)
    if (!is_python_space(decode_char(text, token.begin).code)) words_.push_back(token);
  return words_;
}

int EnglishWords::sentences(std::string_view text) {
  cut(text);
  int count = tokens_.empty() ? 0 : 1;
  bool ended = false;
  for (const TextSpan& span : tokens_) {
    const std::string_view token = span.of(text);
    const bool end = is_sentence_end(token);
    if (ended && !end && !is_punctuation(token)) {
      ++count;
      ended = false;
    } else if (end) {
      ended = true;
    }
  }
  return count;
}

}  // namespace ponder
