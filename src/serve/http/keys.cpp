// Key files.
#include <algorithm>
#include <charconv>
#include <set>

#include "io/printable.hpp"
#include "io/sha256.hpp"
#include "serve/http/guard.hpp"

namespace ponder {
namespace {

constexpr size_t kMostKeys = 100'000;

bool is_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

// The characters of a bearer token (RFC 6750, section 2.1).
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
  });
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  line = line.substr(0, line.find('#'));
  static constexpr std::string_view kSpace = " \t\r";
  for (size_t at = line.find_first_not_of(kSpace); at < line.size();) {
    const size_t end = std::min(line.find_first_of(kSpace, at), line.size());
    out.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kSpace, end);
  }
  return out;
}

// "rpm=60" or "parallel=4".
Result<void> read_limit(ApiKey& key, std::string_view word, const std::string& where) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view digits = equals < word.size() ? word.substr(equals + 1) : "";
  int value = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool number = end.ec == std::errc() && end.ptr == digits.data() + digits.size();
  if ((name != "rpm" && name != "parallel") || !number || value < 1) {
    return Failure{{.what = printable(word) + " is no limit",
                    .where = where,
                    .mend = "write rpm=N (requests a minute) or parallel=N, from 1"}};
  }
  if (name == "rpm") key.per_minute = value;
  if (name == "parallel") key.parallel = value;
  return {};
}

// The message never holds what may be a key.
Result<ApiKey> read_key(const std::vector<std::string_view>& line, const std::string& where) {
  ApiKey key;
  const std::string_view first = line[0];
  const size_t colon = first.find(':');
  if (colon != first.npos && is_hash(first.substr(colon + 1)) && is_token(first.substr(0, colon))) {
    key.name = first.substr(0, colon);
    key.hash = first.substr(colon + 1);
    for (char& c : key.hash) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  } else if (is_token(first)) {
    key.hash = hash_api_key(first);
    key.name = "key-" + key.hash.substr(0, 8);
  } else {
    return Failure{{.what = "neither NAME:SHA256 nor a key",
                    .where = where,
                    .mend = "write the key's SHA-256 (64 hexadecimal digits) after the colon, or "
                            "the key alone, of letters, digits and -._~+/="}};
  }
  for (size_t i = 1; i < line.size(); ++i) PONDER_TRY(read_limit(key, line[i], where));
  return key;
}

}  // namespace

std::string hash_api_key(std::string_view key) {
  Sha256 sum;
  sum.update(std::as_bytes(std::span(key)));
  return sum.hex();
}

Result<std::vector<ApiKey>> parse_api_keys(std::string_view text, std::string_view where) {
  std::vector<ApiKey> keys;
  std::set<std::string> seen;
  size_t number = 0;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const auto line = words(text.substr(start, end - start));
    start = end + 1;
    const std::string place = std::string(where) + ", line " + std::to_string(++number);
    if (line.empty()) continue;
    keys.push_back(PONDER_TRY(read_key(line, place)));
    const ApiKey& key = keys.back();
    if (!seen.insert("name " + key.name).second || !seen.insert("hash " + key.hash).second) {
      return Failure{{.what = "a name or a key that an earlier line has", .where = place}};
    }
    if (keys.size() > kMostKeys) return Failure{{.what = "too many keys", .where = place}};
  }
  if (keys.empty()) {
    return Failure{{.what = "no key in it",
                    .where = std::string(where),
                    .mend = "write one line NAME:SHA256 for each key, or do not ask for keys"}};
  }
  return keys;
}

}  // namespace ponder
