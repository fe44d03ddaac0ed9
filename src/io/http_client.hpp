// HTTP(S): GET with redirects, for downloads; POST, for talking to a server.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ponder {

struct Url {
  bool tls = false;
  std::string host;    // without the brackets of an IPv6 address
  std::string port;    // always given
  std::string target;  // path and query, beginning with '/'

  // Absolute http:// and https:// addresses without user names.
  static Result<Url> parse(std::string_view text);
  // What a Location header means when it came from this address.
  Result<Url> follow(std::string_view location) const;

  bool same_origin(const Url& other) const;
  bool loopback() const;  // of this machine
  std::string text() const;
};

// Everything but unreserved characters and '/' as %XX.
std::string percent_encode(std::string_view path);

struct HttpGet {
  Url url;
  std::string token;  // sent as bearer, only over TLS or to this machine, and not to another origin
  std::optional<uint64_t> first_byte;  // asks for the rest from here
  std::chrono::seconds patience{60};   // for each step: connecting, the head, 64 KiB of body
};

struct HttpHead {
  int status = 0;
  std::map<std::string, std::string>
      headers;                     // names in lower case; "x-linked-…" also of redirects
  std::optional<uint64_t> length;  // of the body, as announced

  // The value, or an empty text.
  std::string_view header(std::string_view name) const;
};

// Called with the head of the response, then with each piece of its body. An error ends the
// request.
struct HttpReceiver {
  std::function<Result<void>(const HttpHead&)> head;
  std::function<Result<void>(std::span<const std::byte>)> body;
};

// Follows at most ten redirects, never from https to http. Certificates are verified against the
// system's authorities. Any status that is no redirect reaches the receiver.
Result<void> http_get(const HttpGet& request, const HttpReceiver& receiver);

struct HttpPost {
  Url url;
  std::string token;                                // as in HttpGet
  std::string body;                                 // JSON
  std::string token_header = {};                    // carries the token bare; empty: as bearer
  std::map<std::string, std::string> headers = {};  // more of them
  std::chrono::seconds patience{600};
  const std::atomic<bool>* stop = nullptr;  // ends the request with an error "stopped"
};

// The body is received as it comes. Redirects are not followed.
Result<void> http_post(const HttpPost& request, const HttpReceiver& receiver);

}  // namespace ponder
