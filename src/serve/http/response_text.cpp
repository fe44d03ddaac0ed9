#include "serve/http/response_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace ponder {
namespace {

struct Reason {
  int status;
  std::string_view phrase;
};
constexpr Reason kReasons[] = {{200, "OK"},
                               {201, "Created"},
                               {202, "Accepted"},
                               {204, "No Content"},
                               {301, "Moved Permanently"},
                               {302, "Found"},
                               {304, "Not Modified"},
                               {307, "Temporary Redirect"},
                               {308, "Permanent Redirect"},
                               {400, "Bad Request"},
                               {401, "Unauthorized"},
                               {403, "Forbidden"},
                               {404, "Not Found"},
                               {405, "Method Not Allowed"},
                               {406, "Not Acceptable"},
                               {408, "Request Timeout"},
                               {409, "Conflict"},
                               {411, "Length Required"},
                               {413, "Content Too Large"},
                               {415, "Unsupported Media Type"},
                               {417, "Expectation Failed"},
                               {422, "Unprocessable Content"},
                               {429, "Too Many Requests"},
                               {431, "Request Header Fields Too Large"},
                               {500, "Internal Server Error"},
                               {501, "Not Implemented"},
                               {503, "Service Unavailable"},
                               {529, "Overloaded"}};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool may_be_set(std::string_view name) {
  static constexpr std::string_view kOurs[] = {"content-length", "transfer-encoding", "connection",
                                               "content-type",   "x-request-id",      "date"};
  const bool token = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  });
  return token && std::find(std::begin(kOurs), std::end(kOurs), name) == std::end(kOurs);
}

void add(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  out += "\r\n";
}

// RFC 9110, section 5.6.7. Not strftime, whose names depend on the locale.
std::string date(std::time_t now) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %d %02d:%02d:%02d GMT", kDays[parts.tm_wday],
                parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text.data();
}

}  // namespace

std::string_view reason_phrase(int status) {
  for (const auto& reason : kReasons) {
    if (reason.status == status) return reason.phrase;
  }
  return "Status";
}

std::string response_head(const ResponseHead& head) {
  std::string out = "HTTP/1.1 " + std::to_string(head.status) + " ";
  out.append(reason_phrase(head.status)).append("\r\n");
  add(out, "Date", date(std::time(nullptr)));
  add(out, "X-Request-Id", head.request_id);
  add(out, "X-Content-Type-Options", "nosniff");
  const bool bodiless = head.status == 204 || head.status == 304;
  if (!bodiless) {
    add(out, "Content-Type", head.content_type);
    if (head.framing == BodyFraming::kLength) {
      add(out, "Content-Length", std::to_string(head.length));
    } else if (head.framing == BodyFraming::kChunked) {
      add(out, "Transfer-Encoding", "chunked");
    }
  }
  for (const HttpHeaders* headers : {head.headers, head.more}) {
    if (headers == nullptr) continue;
    for (const auto& [name, value] : *headers) {
      if (may_be_set(lower(name))) add(out, name, value);
    }
  }
  add(out, "Connection", head.keep_alive ? "keep-alive" : "close");
  return out + "\r\n";
}

std::string chunk(std::string_view text) {
  if (text.empty()) return "0\r\n\r\n";
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16);
  std::string out(size.data(), end.ptr);
  out.append("\r\n").append(text).append("\r\n");
  return out;
}

}  // namespace ponder
