// Reads requests from the bytes of a connection, without sockets: Beast's parser, then the checks
// that it leaves to others. (RFC 9112)
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serve/http/errors.hpp"
#include "serve/http/exchange.hpp"

namespace ponder {

struct ReaderLimits {
  size_t head_bytes = 64 << 10;
  size_t headers = 200;
  uint64_t body_bytes = 32 << 20;
};

class RequestReader {
 public:
  enum class State {
    kEmpty,     // nothing of a request has come
    kHead,      // a part of its head
    kHeadDone,  // its head; judge it, then take() again
    kBody,      // a part of its body
    kDone,      // all of it
    kFailed,    // see error(); the rest of the connection cannot be understood
  };

  explicit RequestReader(ReaderLimits limits);
  ~RequestReader();

  // Takes what it can from the front of `bytes`; what belongs to the next request stays. Stops
  // when the head is complete, and at the end.
  State take(std::string& bytes);
  State state() const { return state_; }

  // From kHeadDone on; remote, client and request_id are not its business.
  HttpRequest& request() { return request_; }
  bool keep_alive() const { return keep_alive_; }
  bool http_1_0() const { return http_1_0_; }
  bool has_body() const { return has_body_; }
  bool wants_continue() const { return wants_continue_; }

  const HttpError& error() const { return error_; }  // when kFailed

 private:
  class Parser;

  State fail(int status, std::string message, std::string code = "");
  State parse(std::string& bytes, bool eager);
  State finish_head();

  ReaderLimits limits_;
  State state_ = State::kEmpty;
  HttpRequest request_;
  std::unique_ptr<Parser> parser_;
  size_t head_taken_ = 0;
  bool keep_alive_ = false, http_1_0_ = false, has_body_ = false, wants_continue_ = false;
  HttpError error_;
};

// `offered` if it is a sane id (1 to 128 letters, digits and -_.:), else a new random one.
std::string request_id(std::string_view offered);

}  // namespace ponder
