#include "data/text/english_affixes.hpp"

#include <string_view>

#include "data/text/english_words.hpp"

namespace ponder {
namespace {

bool is(uint32_t code, int classes) { return (word_classes()[code] & classes) != 0; }
bool is_digit(uint32_t code) { return code >= '0' && code <= '9'; }

bool ends_with(Chars piece, std::u32string_view end) {
  if (piece.size() < end.size()) return false;
  const size_t at = piece.size() - end.size();
  for (size_t i = 0; i < end.size(); ++i)
    if (piece[at + i] != end[i]) return false;
  return true;
}

// Units of measure that part from the digits before them. The last two words of the Cyrillic and
// the first of the Arabic list are one word in spaCy's list too, by an oversight of theirs.
constexpr std::u32string_view kUnits[] = {
    U"km",  U"km²",  U"km³",  U"m",    U"m²",  U"m³",   U"dm",   U"dm²",  U"dm³",  U"cm",   U"cm²",
    U"cm³", U"mm",   U"mm²",  U"mm³",  U"ha",  U"µm",   U"nm",   U"yd",   U"in",   U"ft",   U"kg",
    U"g",   U"mg",   U"µg",   U"t",    U"lb",  U"oz",   U"m/s",  U"km/h", U"kmh",  U"mph",  U"hPa",
    U"Pa",  U"mbar", U"mb",   U"MB",   U"kb",  U"KB",   U"gb",   U"GB",   U"tb",   U"TB",   U"T",
    U"G",   U"M",    U"K",    U"%",    U"км",  U"км²",  U"км³",  U"м",    U"м²",   U"м³",   U"дм",
    U"дм²", U"дм³",  U"см",   U"см²",  U"см³", U"мм",   U"мм²",  U"мм³",  U"нм",   U"кг",   U"г",
    U"мг",  U"м/с",  U"км/ч", U"кПа",  U"Па",  U"мбар", U"Кб",   U"КБ",   U"кб",   U"Мб",   U"МБ",
    U"мб",  U"Гб",   U"ГБ",   U"гб",   U"Тб",  U"ТБ",   U"тбكم", U"كم²",  U"كم³",  U"م",    U"م²",
    U"م³",  U"سم",   U"سم²",  U"سم³",  U"مم",  U"مم²",  U"مم³",  U"كم",   U"غرام", U"جرام", U"جم",
    U"كغ",  U"ملغ",  U"كوب",  U"اكواب"};

size_t dots_at_end(Chars piece) {
  size_t dots = 0;
  while (dots < piece.size() && piece[piece.size() - 1 - dots] == '.') ++dots;
  return dots;
}

size_t period_suffix(Chars piece) {
  const size_t n = piece.size();
  if (n < 2 || piece[n - 1] != '.') return 0;
  if (is(piece[n - 2], kBeforePeriod)) return 1;
  return n >= 3 && is(piece[n - 2], kUpperChar) && is(piece[n - 3], kUpperChar) ? 1 : 0;
}

// Suffixes that need a digit before them.
size_t measure_suffix(Chars piece) {
  const size_t n = piece.size();
  const auto behind_digit = [&](size_t length) {
    return n > length && is_digit(piece[n - length - 1]);
  };
  size_t longest = 0;
  if (behind_digit(1) && (piece[n - 1] == '+' || is(piece[n - 1], kCurrencyChar))) longest = 1;
  for (const std::u32string_view mark : {U"US$", U"C$", U"A$"})
    if (mark.size() > longest && behind_digit(mark.size()) && ends_with(piece, mark))
      longest = mark.size();
  if (n < 2 || piece[n - 1] == '.') return longest;
  for (const std::u32string_view unit : kUnits)
    if (unit.size() > longest && behind_digit(unit.size()) && ends_with(piece, unit))
      longest = unit.size();
  return longest;
}

bool is_hyphen(uint32_t code) {
  return code == '-' || code == 0x2013 || code == 0x2014 || code == '~';
}

// A hyphen of up to three characters before a letter; 0 if there is none at `at`.
size_t hyphen_length(Chars piece, size_t at) {
  if (!is_hyphen(piece[at])) return 0;
  const uint32_t mark = piece[at];
  const size_t most = mark == '-' ? 3 : mark == 0x2014 ? 2 : 1;
  for (size_t length = 1; length <= most && at + length < piece.size(); ++length) {
    if (is(piece[at + length], kAlphaChar)) return length;
    if (piece[at + length] != mark) break;
  }
  return 0;
}

size_t infix_length(Chars piece, size_t at) {
  const uint32_t code = piece[at];
  if (code == '.' && at + 1 < piece.size() && piece[at + 1] == '.') {
    size_t end = at + 2;
    while (end < piece.size() && piece[end] == '.') ++end;
    return end - at;
  }
  if (is(code, kInfixChar)) return 1;
  if (at == 0 || at + 1 == piece.size()) return 0;
  const uint32_t before = piece[at - 1], behind = piece[at + 1];
  switch (code) {
    case '+':
    case '*':
    case '^':
      return is_digit(before) && (is_digit(behind) || behind == '-') ? 1 : 0;
    case '.':
      return is(before, kLowerChar | kQuoteChar) && is(behind, kUpperChar | kQuoteChar) ? 1 : 0;
    case ',':
      return is(before, kAlphaChar) && is(behind, kAlphaChar) ? 1 : 0;
    case ':':
    case '<':
    case '>':
    case '=':
    case '/':
      return (is(before, kAlphaChar) || is_digit(before)) && is(behind, kAlphaChar) ? 1 : 0;
    default:
      break;
  }
  if (code == '-' && is_digit(before) && (is_digit(behind) || behind == '-')) return 1;
  return is(before, kAlphaChar) || is_digit(before) ? hyphen_length(piece, at) : 0;
}

// ---- addresses ----

bool is_host_char(uint32_t code) {
  return (code < 0x80 && (is_digit(code) || ((code | 0x20) >= 'a' && (code | 0x20) <= 'z'))) ||
         (code >= 0xa1 && code <= 0xffff);
}

bool is_scheme_char(uint32_t code) {
  if (code == '+' || code == '-' || code == '.' || code == '_') return true;
  return (char_classes()[code] & (kLetter | kNumber)) != 0;
}

// Nothing, or ":" and 2 to 5 digits; then nothing, or a path.
bool is_port_and_path(Chars rest) {
  size_t at = 0;
  if (!rest.empty() && rest[0] == ':') {
    at = 1;
    while (at < rest.size() && is_digit(rest[at])) ++at;
    if (at < 3 || at > 6) return false;
  }
  return at == rest.size() || rest[at] == '/' || rest[at] == '?' || rest[at] == '#';
}

// The four numbers of an address like 12.34.56.78; each of 1 to 3 digits without leading zero,
// except that the middle two may have one as spaCy's pattern allows.
bool is_public_ip(Chars host) {
  int numbers[4], lengths[4], count = 0;
  for (size_t at = 0; at < host.size() && count < 4; ++count) {
    int value = 0, length = 0;
    while (at < host.size() && is_digit(host[at]) && length < 4) {
      value = value * 10 + static_cast<int>(host[at++] - '0');
      ++length;
    }
    if (length == 0 || length > 3) return false;
    if ((count == 0 || count == 3) && (host[at - static_cast<size_t>(length)] == '0')) return false;
    numbers[count] = value;
    lengths[count] = length;
    if (at == host.size()) {
      ++count;
      break;
    }
    if (host[at++] != '.' || at == host.size()) return false;
  }
  if (count != 4) return false;
  size_t all = 3;
  for (int i = 0; i < 4; ++i) all += static_cast<size_t>(lengths[i]);
  if (all != host.size()) return false;
  const int a = numbers[0], b = numbers[1];
  if (a > 223 || numbers[1] > 255 || numbers[2] > 255 || numbers[3] > 254) return false;
  if (a == 10 || a == 127) return false;
  if ((a == 169 && b == 254) || (a == 192 && b == 168)) return false;
  return !(a == 172 && b >= 16 && b <= 31);
}

bool is_label(Chars label) {
  if (label.empty() || label.size() > 64) return false;
  for (const uint32_t code : label)
    if (!is_host_char(code) && code != '_' && code != '-') return false;
  return is_host_char(label.front()) && is_host_char(label.back());
}

// Labels with dots between them; the last one is 2 to 63 letters in lower case.
bool is_host_name(Chars host) {
  size_t begin = 0, labels = 0;
  for (size_t at = 0; at < host.size(); ++at) {
    if (host[at] != '.') continue;
    if (!is_label(host.subspan(begin, at - begin))) return false;
    begin = at + 1;
    ++labels;
  }
  const Chars last = host.subspan(begin);
  if (labels == 0 || last.size() < 2 || last.size() > 63) return false;
  for (const uint32_t code : last)
    if (!is(code, kLowerChar)) return false;
  return true;
}

bool is_host_and_rest(Chars text) {
  size_t end = 0;
  while (end < text.size() && (is_host_char(text[end]) || text[end] == '.' || text[end] == '-' ||
                               text[end] == '_' || is(text[end], kLowerChar)))
    ++end;
  if (end == 0 || !is_port_and_path(text.subspan(end))) return false;
  const Chars host = text.first(end);
  return is_public_ip(host) || is_host_name(host);
}

}  // namespace

size_t prefix_length(Chars piece) {
  const uint32_t first = piece[0];
  if (first == '+') return piece.size() == 1 || !is_digit(piece[1]) ? 1 : 0;
  if (is(first, kPrefixChar)) return 1;
  if (first == '.') {
    size_t dots = 1;
    while (dots < piece.size() && piece[dots] == '.') ++dots;
    return dots >= 2 ? dots : 0;
  }
  if ((first == 'C' || first == 'A') && piece.size() > 1 && piece[1] == '$') return 2;
  if (first == 'U' && piece.size() > 2 && piece[1] == 'S' && piece[2] == '$') return 3;
  return 0;
}

size_t suffix_length(Chars piece) {
  if (piece.empty()) return 0;
  const size_t n = piece.size();
  const uint32_t last = piece[n - 1];
  if (last == '.') {
    const size_t dots = dots_at_end(piece);
    return dots >= 2 ? dots : period_suffix(piece);
  }
  if (last == 0x2026 && n > 1 && piece[n - 2] == 0x2026) return 2;
  const size_t measure = measure_suffix(piece);
  if (measure > 1) return measure;
  if ((last == 's' || last == 'S') && n > 1 && (piece[n - 2] == '\'' || piece[n - 2] == 0x2019))
    return 2;
  return is(last, kSuffixChar) ? 1 : measure;
}

Infix next_infix(Chars piece, size_t from) {
  for (size_t at = from; at < piece.size(); ++at)
    if (const size_t length = infix_length(piece, at); length > 0) return {at, at + length};
  return {piece.size(), piece.size()};
}

bool is_address(Chars piece) {
  size_t scheme = 0;
  while (scheme < piece.size() && is_scheme_char(piece[scheme])) ++scheme;
  const bool has_scheme = scheme >= 2 && scheme + 2 < piece.size() && piece[scheme] == ':' &&
                          piece[scheme + 1] == '/' && piece[scheme + 2] == '/';
  if (is_host_and_rest(piece)) return true;
  if (has_scheme && is_host_and_rest(piece.subspan(scheme + 3))) return true;
  for (size_t at = 1; at + 1 < piece.size(); ++at)
    if (piece[at] == '@' && is_host_and_rest(piece.subspan(at + 1))) return true;
  return false;
}

}  // namespace ponder
