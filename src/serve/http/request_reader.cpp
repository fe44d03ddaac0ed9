#include "serve/http/request_reader.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "base/macros.hpp"
#include "serve/http/target.hpp"

namespace ponder {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using ErrorCode = boost::beast::error_code;

constexpr size_t kLastChunk = 5;  // "0\r\n\r\n"

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

}  // namespace

// Collects what Beast finds.
class RequestReader::Parser final : public http::basic_parser<true> {
 public:
  Parser(const ReaderLimits& limits, HttpRequest& request) : limits_(limits), request_(request) {
    header_limit(static_cast<uint32_t>(limits.head_bytes));
    body_limit(limits.body_bytes);
  }

  std::string target;
  int version = 0;
  bool too_many_headers = false;

 private:
  void on_request_impl(http::verb, string_view method, string_view wanted, int number,
                       ErrorCode& code) override {
    request_.method.assign(method.data(), method.size());
    target.assign(wanted.data(), wanted.size());
    version = number;
    code = {};
  }
  void on_response_impl(int, string_view, int, ErrorCode&) override {}
  void on_field_impl(http::field, string_view name, string_view value, ErrorCode& code) override {
    code = {};
    if (is_header_done()) return;  // a trailer
    if (request_.headers.size() == limits_.headers) {
      too_many_headers = true;
      code = http::error::header_limit;
      return;
    }
    request_.headers.emplace_back(lower({name.data(), name.size()}),
                                  std::string(value.data(), value.size()));
  }
  void on_header_impl(ErrorCode& code) override { code = {}; }
  void on_body_init_impl(const boost::optional<uint64_t>&, ErrorCode& code) override { code = {}; }
  size_t on_body_impl(string_view body, ErrorCode& code) override {
    code = {};
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, string_view, ErrorCode& code) override { code = {}; }
  size_t on_chunk_body_impl(uint64_t, string_view body, ErrorCode& code) override {
    return on_body_impl(body, code);
  }
  void on_finish_impl(ErrorCode& code) override { code = {}; }

  const ReaderLimits limits_;
  HttpRequest& request_;
};

RequestReader::RequestReader(ReaderLimits limits)
    : limits_(limits), parser_(std::make_unique<Parser>(limits, request_)) {}

RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::fail(int status, std::string message, std::string code) {
  if (request_.path.empty()) {  // for the log
    if (auto target = parse_target(parser_->target); target.ok()) {
      request_.path = std::move(target.value().path);
    }
  }
  error_ = {.status = status, .message = std::move(message), .code = std::move(code)};
  return state_ = State::kFailed;
}

RequestReader::State RequestReader::take(std::string& bytes) {
  switch (state_) {
    case State::kEmpty: {
      // Empty lines before a request are allowed for.
      bytes.erase(0, std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
      if (bytes.empty()) return state_;
      state_ = State::kHead;
      [[fallthrough]];
    }
    case State::kHead:
      if (parse(bytes, false) == State::kFailed || !parser_->is_header_done()) return state_;
      return finish_head();
    case State::kHeadDone:
      state_ = State::kBody;
      [[fallthrough]];
    case State::kBody:
      if (!parser_->is_done() && parse(bytes, true) == State::kFailed) return state_;
      return state_ = parser_->is_done() ? State::kDone : State::kBody;
    case State::kDone:
    case State::kFailed:
      return state_;
  }
  return state_;
}

// Gives the parser bytes until it wants more than there are, is done, or fails.
RequestReader::State RequestReader::parse(std::string& bytes, bool eager) {
  parser_->eager(eager);
  size_t used = 0;
  ErrorCode code;
  while (used < bytes.size() && !parser_->is_done() && (eager || !parser_->is_header_done())) {
    const auto rest = std::string_view(bytes).substr(used);
    // A chunked body ends with at least these many. Beast asserts that it has them when it comes
    // back to a last chunk, so that an empty body sent byte by byte would end the program.
    if (eager && parser_->chunked() && rest.size() < kLastChunk) break;
    const size_t taken = parser_->put(boost::asio::buffer(rest.data(), rest.size()), code);
    used += taken;
    if (code || taken == 0) break;
  }
  bytes.erase(0, used);
  if (code == http::error::need_more) code = {};
  // Beast's limit is for each call. What is left of a body's bytes is a line of a chunk or a
  // trailer that does not end.
  if (!eager) head_taken_ += used;
  const bool complete = eager ? parser_->is_done() : parser_->is_header_done();
  const size_t lines = (eager ? 0 : head_taken_) + (complete ? 0 : bytes.size());
  if (!code && lines > limits_.head_bytes) code = http::error::header_limit;
  if (code == http::error::body_limit) {
    return fail(413, "the body is larger than " + std::to_string(limits_.body_bytes) + " bytes",
                "request_too_large");
  }
  if (parser_->too_many_headers) {
    return fail(431, "more than " + std::to_string(limits_.headers) + " headers");
  }
  if (code == http::error::header_limit || code == http::error::buffer_overflow) {
    return fail(431, "the head is larger than " + std::to_string(limits_.head_bytes) + " bytes");
  }
  if (code) return fail(400, "not HTTP/1.1: " + code.message());
  return state_;
}

RequestReader::State RequestReader::finish_head() {
  http_1_0_ = parser_->version == 10;
  keep_alive_ = parser_->keep_alive();
  has_body_ = parser_->chunked() || parser_->content_length().value_or(0) > 0;
  if (!http_1_0_ && parser_->version != 11) return fail(400, "neither HTTP/1.0 nor HTTP/1.1");
  auto target = parse_target(parser_->target);
  if (!target.ok()) return fail(400, target.error().message());
  request_.path = std::move(target.value().path);
  request_.query = std::move(target.value().query);
  size_t hosts = 0;
  for (auto& [name, value] : request_.headers) {
    if (name == "transfer-encoding" && (lower(value) != "chunked" || http_1_0_)) {
      return fail(400, "Transfer-Encoding may only be 'chunked'");
    }
    if (name == "expect" && !http_1_0_) {
      if (lower(value) != "100-continue") return fail(417, "Expect may only be '100-continue'");
      wants_continue_ = true;
    }
    if (name == "host") {
      ++hosts;
      if (!target.value().authority.empty()) value = target.value().authority;
    }
  }
  if (hosts > 1 || (hosts == 0 && !http_1_0_)) {
    return fail(400, hosts == 0 ? "the header Host is missing" : "more than one header Host");
  }
  return state_ = State::kHeadDone;
}

std::string request_id(std::string_view offered) {
  const auto sane = [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  };
  if (!offered.empty() && offered.size() <= 128 &&
      std::all_of(offered.begin(), offered.end(), sane)) {
    return std::string(offered);
  }
  static constexpr char kHex[] = "0123456789abcdef";
  unsigned char random[16];
  PONDER_CHECK(RAND_bytes(random, sizeof random) == 1);
  std::string id = "req_";
  for (const unsigned char byte : random) {
    id += kHex[byte >> 4];
    id += kHex[byte & 15];
  }
  return id;
}

}  // namespace ponder
