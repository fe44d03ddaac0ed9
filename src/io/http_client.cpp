#include "io/http_client.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "io/printable.hpp"

namespace ponder {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = beast::error_code;

constexpr int kMostRedirects = 10;
constexpr uint32_t kLargestHead = 64 << 10;
constexpr size_t kPiece = 64 << 10;
constexpr std::chrono::milliseconds kLook{50};  // at the flag that stops

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += lower(c);
  return out;
}

Failure bad_url(std::string_view text, std::string what) {
  return Failure{{.what = std::move(what),
                  .where = "address " + printable(text),
                  .mend = "give an address like https://huggingface.co"}};
}

Failure transport_failure(const Url& url, const std::string& doing, const ErrorCode& code) {
  const bool certificate =
      code.category() == asio::error::get_ssl_category() && doing == "greeting";
  return Failure{{.what = doing + " failed: " + code.message(),
                  .where = url.tls ? "https://" + url.host : "http://" + url.host,
                  .mend = certificate ? "check the certificate of the host and the authorities of "
                                        "this machine (package ca-certificates)"
                                      : "check the network and try again"}};
}

// One request on one connection. `Stream` is beast::tcp_stream, bare or inside TLS.
template <typename Stream>
class Exchange {
 public:
  // `post`: instead of a GET; its other fields are in `request` too.
  Exchange(asio::io_context& io, Stream& stream, const HttpGet& request, const HttpPost* post)
      : io_(io), stream_(stream), request_(request), post_(post) {}

  Result<void> connect();
  Result<HttpHead> ask(bool with_token);
  Result<void> receive(const HttpReceiver& receiver);

 private:
  // Starts one asynchronous operation (only those have deadlines) and waits for it.
  template <typename Start>
  Result<void> step(const std::string& doing, Start start) {
    ErrorCode result;
    beast::get_lowest_layer(stream_).expires_after(request_.patience);
    start([&](ErrorCode code, auto&&...) { result = code; });
    io_.restart();
    if (post_ != nullptr && post_->stop != nullptr) {
      while (!io_.stopped()) {
        io_.run_for(kLook);
        if (*post_->stop && !io_.stopped()) {
          beast::get_lowest_layer(stream_).close();
          io_.run();
          return Failure{{.what = "stopped", .where = request_.url.text()}};
        }
      }
    } else {
      io_.run();
    }
    if (result && result != http::error::need_buffer) {
      return transport_failure(request_.url, doing, result);
    }
    return {};
  }

  asio::io_context& io_;
  Stream& stream_;
  const HttpGet& request_;
  const HttpPost* post_;
  beast::flat_buffer buffer_{kLargestHead + kPiece};
  http::response_parser<http::buffer_body> parser_;
};

template <typename Stream>
Result<void> Exchange<Stream>::connect() {
  const Url& url = request_.url;
  tcp::resolver resolver(io_);
  tcp::resolver::results_type found;
  PONDER_TRY(step("looking up the host", [&](auto done) {
    resolver.async_resolve(url.host, url.port, [&found, done](ErrorCode code, auto results) {
      found = std::move(results);
      done(code);
    });
  }));
  PONDER_TRY(step("connecting", [&](auto done) {
    beast::get_lowest_layer(stream_).async_connect(found, std::move(done));
  }));
  if constexpr (!std::is_same_v<Stream, beast::tcp_stream>) {
    SSL_set_tlsext_host_name(stream_.native_handle(), url.host.c_str());
    stream_.set_verify_callback(asio::ssl::host_name_verification(url.host));
    PONDER_TRY(step("greeting", [&](auto done) {
      stream_.async_handshake(asio::ssl::stream_base::client, std::move(done));
    }));
  }
  return {};
}

template <typename Stream>
Result<HttpHead> Exchange<Stream>::ask(bool with_token) {
  const Url& url = request_.url;
  http::request<http::string_body> request(post_ == nullptr ? http::verb::get : http::verb::post,
                                           url.target, 11);
  const std::string host = url.host.find(':') == url.host.npos ? url.host : "[" + url.host + "]";
  const bool usual_port = url.port == (url.tls ? "443" : "80");
  request.set(http::field::host, usual_port ? host : host + ":" + url.port);
  request.set(http::field::user_agent, "ponder");
  request.set(http::field::accept_encoding, "identity");
  request.set(http::field::connection, "close");
  const bool bare = post_ != nullptr && !post_->token_header.empty();
  if (with_token && bare) request.set(post_->token_header, request_.token);
  if (with_token && !bare) request.set(http::field::authorization, "Bearer " + request_.token);
  if (request_.first_byte) {
    request.set(http::field::range, "bytes=" + std::to_string(*request_.first_byte) + "-");
  }
  if (post_ != nullptr) {
    request.set(http::field::content_type, "application/json");
    for (const auto& [name, value] : post_->headers) request.set(name, value);
    request.body() = post_->body;
    request.prepare_payload();
  }
  PONDER_TRY(step("sending the request",
                  [&](auto done) { http::async_write(stream_, request, std::move(done)); }));
  parser_.header_limit(kLargestHead);
  parser_.body_limit(boost::none);  // the receiver knows what it expects
  PONDER_TRY(step("waiting for the answer", [&](auto done) {
    http::async_read_header(stream_, buffer_, parser_, std::move(done));
  }));
  HttpHead response;
  response.status = static_cast<int>(parser_.get().result_int());
  for (const auto& field : parser_.get()) {
    response.headers[lower({field.name_string().data(), field.name_string().size()})] =
        std::string(field.value());
  }
  if (const auto length = parser_.content_length()) response.length = *length;
  return response;
}

template <typename Stream>
Result<void> Exchange<Stream>::receive(const HttpReceiver& receiver) {
  std::vector<std::byte> piece(kPiece);
  auto& body = parser_.get().body();
  while (!parser_.is_done()) {
    body.data = piece.data();
    body.size = piece.size();
    auto read = step(post_ == nullptr ? "downloading" : "receiving", [&](auto done) {
      if (post_ == nullptr)
        http::async_read(stream_, buffer_, parser_, std::move(done));  // whole pieces
      else
        http::async_read_some(stream_, buffer_, parser_, std::move(done));  // what there is
    });
    // What came before an error is good: a download may go on after it.
    const auto got = std::span<const std::byte>(piece).first(piece.size() - body.size);
    if (!got.empty()) PONDER_TRY(receiver.body(got));
    PONDER_TRY(read);
  }
  return {};
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Asks; yields the address to ask next, or nothing when the body was received.
template <typename Stream>
Result<std::optional<Url>> exchange(asio::io_context& io, Stream& stream, const HttpGet& request,
                                    std::map<std::string, std::string>& linked,
                                    const HttpReceiver& receiver, const HttpPost* post) {
  Exchange<Stream> connection(io, stream, request, post);
  PONDER_TRY(connection.connect());
  const bool with_token = !request.token.empty() && (request.url.tls || request.url.loopback());
  HttpHead response = PONDER_TRY(connection.ask(with_token));
  if (is_redirect(response.status) && !response.header("location").empty()) {
    for (const auto& [name, value] : response.headers) {
      if (name.starts_with("x-linked-")) linked.emplace(name, value);
    }
    return std::optional(PONDER_TRY(request.url.follow(response.header("location"))));
  }
  response.headers.merge(linked);
  PONDER_TRY(receiver.head(response));
  PONDER_TRY(connection.receive(receiver));
  return std::optional<Url>();
}

// One exchange, with or without TLS.
Result<std::optional<Url>> exchange_once(const HttpGet& request,
                                         std::map<std::string, std::string>& linked,
                                         const HttpReceiver& receiver,
                                         const HttpPost* post = nullptr) {
  asio::io_context io;
  if (!request.url.tls) {
    beast::tcp_stream stream(io);
    return exchange(io, stream, request, linked, receiver, post);
  }
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.set_default_verify_paths();
  tls.set_verify_mode(asio::ssl::verify_peer);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  beast::ssl_stream<beast::tcp_stream> stream(io, tls);
  return exchange(io, stream, request, linked, receiver, post);
}

Result<void> get_following(HttpGet request, const HttpReceiver& receiver) {
  std::map<std::string, std::string> linked;
  for (int hop = 0; hop <= kMostRedirects; ++hop) {
    std::optional<Url> next = PONDER_TRY(exchange_once(request, linked, receiver));
    if (!next) return {};
    if (request.url.tls && !next->tls) {
      return bad_url(next->text(), "refused: " + request.url.host + " sends from https to http");
    }
    if (!request.url.same_origin(*next)) request.token.clear();
    request.url = std::move(*next);
  }
  return bad_url(request.url.text(), "more than " + std::to_string(kMostRedirects) + " redirects");
}

Result<void> post_once(const HttpPost& post, const HttpReceiver& receiver) {
  std::map<std::string, std::string> linked;
  const HttpGet request{
      .url = post.url, .token = post.token, .first_byte = {}, .patience = post.patience};
  const auto next = PONDER_TRY(exchange_once(request, linked, receiver, &post));
  if (next) return bad_url(post.url.text(), "is somewhere else: " + next->text());
  return {};
}

// Exceptions of Boost become errors: no memory, no random numbers …
template <typename Run>
Result<void> guarded(const Url& url, Run run) {
  try {
    return run();
  } catch (const std::exception& exception) {
    return Failure{{.what = exception.what(), .where = url.text()}};
  }
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  Url url;
  std::string_view rest = text;
  for (const char c : text) {
    if (c <= ' ' || c == 0x7F) return bad_url(text, "holds a space or a control character");
  }
  const size_t scheme_end = std::min(rest.find("://"), rest.size());
  const std::string scheme = lower(rest.substr(0, scheme_end));
  if (scheme_end == rest.size() || (scheme != "http" && scheme != "https")) {
    return bad_url(text, "neither http:// nor https://");
  }
  url.tls = scheme == "https";
  rest.remove_prefix(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  url.target = rest.substr(authority_end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (authority.find('@') != authority.npos) return bad_url(text, "names a user");

  const bool bracketed = authority.starts_with('[');
  const size_t host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == authority.npos) return bad_url(text, "']' is missing");
  url.host = lower(bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end));
  if (url.host.empty()) return bad_url(text, "the host is missing");
  const size_t colon = bracketed ? host_end + 1 : host_end;
  url.port = url.tls ? "443" : "80";
  if (colon < authority.size()) {
    const auto port = authority.substr(colon + 1);
    const bool digits =
        std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (authority[colon] != ':' || port.empty() || port.size() > 5 || !digits) {
      return bad_url(text, "the port is not a number");
    }
    url.port = port;
  }
  return url;
}

Result<Url> Url::follow(std::string_view location) const {
  if (location.starts_with("//")) {
    return parse((tls ? "https:" : "http:") + std::string(location));
  }
  if (location.starts_with('/')) {
    Url url = *this;
    url.target.clear();
    return parse(url.text() + std::string(location));
  }
  return parse(location);
}

bool Url::same_origin(const Url& other) const {
  return tls == other.tls && host == other.host && port == other.port;
}

bool Url::loopback() const { return host == "localhost" || host == "::1" || host == "127.0.0.1"; }

std::string Url::text() const {
  const std::string bracketed = host.find(':') == host.npos ? host : "[" + host + "]";
  return (tls ? "https://" : "http://") + bracketed + ":" + port + target;
}

std::string percent_encode(std::string_view path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  static constexpr std::string_view kPlain = "-._~/";
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
    if (plain || kPlain.find(c) != kPlain.npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<uint8_t>(c) >> 4];
      out += kHex[static_cast<uint8_t>(c) & 15];
    }
  }
  return out;
}

std::string_view HttpHead::header(std::string_view name) const {
  const auto entry = headers.find(std::string(name));
  return entry == headers.end() ? std::string_view() : std::string_view(entry->second);
}

Result<void> http_get(const HttpGet& request, const HttpReceiver& receiver) {
  return guarded(request.url, [&] { return get_following(request, receiver); });
}

Result<void> http_post(const HttpPost& request, const HttpReceiver& receiver) {
  return guarded(request.url, [&] { return post_once(request, receiver); });
}

}  // namespace ponder
