// Masks what identifies people or opens doors: mail addresses, public IP numbers, telephone
// numbers, keys and tokens of services.
#include <algorithm>
#include <array>

#include "data/rules/filters.hpp"

namespace ponder {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return static_cast<uint8_t>((c | 0x20) - 'a') < 26; }
bool is_word(char c) { return is_digit(c) || is_letter(c) || c == '_' || (c & 0x80) != 0; }

// A piece of the text that is to be masked; length 0: nothing begins here.
struct Found {
  size_t begin = 0, end = 0;
};

bool is_local_char(char c) {
  return is_digit(c) || is_letter(c) ||
         std::string_view("!#$%&'*+/=?^_`{|}~-.").find(c) != std::string_view::npos;
}

// The mail address around the @ at `at`; nothing before `from` belongs to it.
Found mail_at(std::string_view text, size_t at, size_t from) {
  size_t begin = at;
  while (begin > from && at - begin < 64 && is_local_char(text[begin - 1])) --begin;
  while (begin < at && !is_digit(text[begin]) && !is_letter(text[begin])) ++begin;
  if (begin == at || text[at - 1] == '.') return {};
  size_t end = at + 1, label = 0, dots = 0, behind = at;
  for (; end < text.size() && end - at < 255; ++end) {
    const char c = text[end];
    if (is_digit(c) || is_letter(c)) {
      ++label;
      if (dots > 0) behind = end + 1;
    } else if (c == '-' && label > 0) {
      ++label;
    } else if (c == '.' && label > 0 && text[end - 1] != '-') {
      label = 0;
      ++dots;
    } else {
      break;
    }
  }
  return behind > at ? Found{begin, behind} : Found{};
}

// 12.34.56.78 at `at`, outside the ranges that belong to nobody or to everybody.
Found public_ip_at(std::string_view text, size_t at) {
  int numbers[4];
  size_t end = at;
  for (int i = 0; i < 4; ++i) {
    int value = 0;
    const size_t begin = end;
    while (end < text.size() && is_digit(text[end]) && end - begin < 3)
      value = value * 10 + (text[end++] - '0');
    if (end == begin || value > 255) return {};
    numbers[i] = value;
    if (i < 3 && (end == text.size() || text[end++] != '.')) return {};
  }
  if (end < text.size() && (is_digit(text[end]) || is_letter(text[end]))) return {};
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) return {};
  const int a = numbers[0], b = numbers[1], c = numbers[2];
  const bool reserved =
      a == 0 || a == 10 || a == 127 || a >= 224 || (a == 100 && (b & 192) == 64) ||
      (a == 169 && b == 254) || (a == 172 && (b & 240) == 16) ||
      (a == 192 && (b == 168 || (b == 0 && (c == 0 || c == 2)))) ||
      (a == 198 && ((b & 254) == 18 || (b == 51 && c == 100))) || (a == 203 && b == 0 && c == 113);
  return reserved ? Found{} : Found{at, end};
}

// +49 30 1234567 or (212) 555-0123 or 212-555-0123 at `at`.
Found phone_at(std::string_view text, size_t at) {
  const bool international = text[at] == '+';
  size_t end = at + (international ? 1 : 0), digits = 0, groups = 0, last = at;
  bool in_group = false;
  for (; end < text.size() && end - at < 24; ++end) {
    const char c = text[end];
    if (is_digit(c)) {
      groups += !in_group;
      in_group = true;
      ++digits;
      last = end + 1;
    } else if (c == ' ' || c == '-' || c == '(' || c == ')' || (c == '.' && international)) {
      if (!in_group && c == ' ' && end > at && text[end - 1] == ' ') break;
      in_group = false;
    } else {
      break;
    }
  }
  if (last < text.size() && (is_digit(text[last]) || is_letter(text[last]))) return {};
  if (international) return digits >= 8 && digits <= 15 ? Found{at, last} : Found{};
  if (digits != 10 || groups != 3) return {};
  const std::string_view number = text.substr(at, last - at);
  const size_t dash = number.rfind('-');
  return dash != number.npos && number.size() - dash == 5 ? Found{at, last} : Found{};
}

struct KeyForm {
  std::string_view prefix;
  size_t least;             // characters behind the prefix
  std::string_view others;  // besides letters and digits
};
// Forms that services publish for their secrets.
constexpr KeyForm kKeyForms[] = {
    {"AKIA", 16, ""},   {"ASIA", 16, ""},       {"AIza", 35, "_-"},       {"ghp_", 36, ""},
    {"gho_", 36, ""},   {"ghs_", 36, ""},       {"github_pat_", 40, "_"}, {"glpat-", 20, "_-"},
    {"sk-", 20, "_-"},  {"sk_live_", 20, ""},   {"rk_live_", 20, ""},     {"xoxb-", 20, "-"},
    {"xoxp-", 20, "-"}, {"hf_", 30, ""},        {"npm_", 36, ""},         {"pypi-", 40, "_-"},
    {"eyJ", 40, "_-."}, {"dckr_pat_", 20, "_-"}};

Found key_at(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  constexpr std::string_view kPem = "-----BEGIN ";
  if (rest.starts_with(kPem)) {
    const size_t line = rest.find("-----", kPem.size());
    if (line == rest.npos || rest.substr(0, line).find("PRIVATE KEY") == rest.npos) return {};
    const size_t end = rest.find("-----END ", line);
    const size_t behind = end == rest.npos ? end : rest.find("-----", end + 9);
    return {at, behind == rest.npos ? text.size() : at + behind + 5};
  }
  for (const KeyForm& form : kKeyForms) {
    if (!rest.starts_with(form.prefix)) continue;
    size_t end = form.prefix.size();
    while (end < rest.size() && (is_digit(rest[end]) || is_letter(rest[end]) ||
                                 form.others.find(rest[end]) != form.others.npos))
      ++end;
    while (end > 0 && rest[end - 1] == '.') --end;
    const bool jwt = form.prefix != "eyJ" ||
                     std::count(rest.begin(), rest.begin() + static_cast<long>(end), '.') == 2;
    if (end - form.prefix.size() >= form.least && jwt) return {at, at + end};
  }
  return {};
}

class Pii : public TextFilter {
 public:
  enum Number { kMails, kIps, kPhones, kKeys, kMostFound };

  Pii() : TextFilter("pii") {
    numbers_ = {{"emails", 1, "1: mail addresses are masked"},
                {"ips", 1, "1: public IP numbers are masked"},
                {"phones", 1, "1: telephone numbers are masked"},
                {"keys", 1, "1: keys and tokens are masked"},
                {"max_found", 1e9, "largest number of masked pieces"}};
    lists_ = {{"masks", {"<EMAIL>", "<IP>", "<PHONE>", "<KEY>"}, "what stands for each kind"}};
    rules_ = {{"pii_pieces", kMostFound, FilterRule::kAbove}};
  }

  Result<void> prepare() override {
    if (list(0).size() == 4) return {};
    return Failure{{.what = "masks must be four words", .where = "pii"}};
  }

  void check(Document& document, FilterScratch& scratch, Measures& measures) const override {
    const std::string_view text = document.text;
    std::string masked;
    double count = 0;
    size_t from = 0;
    for (size_t at = 0; at < text.size(); ++at) {
      const auto [found, kind] = find(text, at, from);
      if (found.end <= found.begin) continue;
      masked.append(text, from, found.begin - from);
      masked += list(0)[static_cast<size_t>(kind)];
      from = found.end;
      at = found.end - 1;
      ++count;
    }
    measures.take(*this, 0, count);
    if (count == 0) return;
    masked.append(text, from);
    replace_text(document, scratch, std::move(masked));
  }

 private:
  bool on(int option) const { return number(option) > 0; }

  std::pair<Found, int> find(std::string_view text, size_t at, size_t from) const {
    const char c = text[at];
    if (c == '@' && on(kMails)) return {mail_at(text, at, from), kMails};
    const bool free = at == 0 || !is_word(text[at - 1]);
    if (!free) return {};
    if (is_digit(c) && on(kIps) && (at == 0 || text[at - 1] != '.')) {
      const Found ip = public_ip_at(text, at);
      if (ip.end > 0) return {ip, kIps};
    }
    if ((is_digit(c) || c == '+' || c == '(') && on(kPhones)) {
      const Found phone = phone_at(text, at);
      if (phone.end > 0) return {phone, kPhones};
    }
    if ((is_letter(c) || c == '-') && on(kKeys)) return {key_at(text, at), kKeys};
    return {};
  }
};

}  // namespace

std::unique_ptr<TextFilter> make_pii() { return std::make_unique<Pii>(); }

}  // namespace ponder
