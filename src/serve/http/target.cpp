#include "serve/http/target.hpp"

#include <cstdint>
#include <vector>

#include "io/printable.hpp"

namespace ponder {
namespace {

Failure bad_target(std::string_view target, std::string what) {
  return Failure{{.what = std::move(what), .where = "path " + printable(target)}};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decode(std::string_view path) {
  std::string out;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out += path[i];
      continue;
    }
    const int high = i + 2 < path.size() ? hex_digit(path[i + 1]) : -1;
    const int low = i + 2 < path.size() ? hex_digit(path[i + 2]) : -1;
    if (high < 0 || low < 0) return bad_target(path, "'%' without two hexadecimal digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  for (size_t i = 0; i < out.size();) {
    const size_t length = utf8_length(std::string_view(out).substr(i));
    const auto byte = static_cast<uint8_t>(out[i]);
    if (length == 0) return bad_target(path, "not UTF-8");
    if (byte < 0x20 || byte == 0x7F) return bad_target(path, "holds a control character");
    i += length;
  }
  return out;
}

// Segments are cut after decoding, so that "%2e%2E%2f" is the same as "../".
Result<std::string> without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  for (size_t start = 1; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    const auto segment = path.substr(start, end - start);
    const bool last = end == path.size();
    start = end + 1;
    if (segment == "..") {
      if (kept.empty()) return bad_target(path, "leads above the root");
      kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
      continue;
    }
    if (last) kept.push_back("");  // a folder
  }
  std::string out;
  for (const auto segment : kept) out.append("/").append(segment);
  return out;
}

}  // namespace

Result<RequestTarget> parse_target(std::string_view target) {
  RequestTarget result;
  std::string_view rest = target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!rest.starts_with(scheme)) continue;
    rest.remove_prefix(scheme.size());
    const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    result.authority = rest.substr(0, end);
    rest.remove_prefix(end);
    if (result.authority.empty()) return bad_target(target, "the host is missing");
    break;
  }
  if (rest.find('#') != rest.npos) return bad_target(target, "holds a '#'");
  const size_t question = rest.find('?');
  if (question != rest.npos) result.query = rest.substr(question + 1);
  rest = rest.substr(0, question);
  if (target == "*") {
    result.path = "*";
    return result;
  }
  if (rest.empty() && !result.authority.empty()) rest = "/";
  if (!rest.starts_with('/')) return bad_target(target, "does not begin with '/'");
  const std::string decoded = PONDER_TRY(decode(rest));
  result.path = PONDER_TRY(without_dots(decoded));
  return result;
}

}  // namespace ponder
