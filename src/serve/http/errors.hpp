// Errors as OpenAI's clients read them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "serve/http/exchange.hpp"

namespace ponder {

struct HttpError {
  int status = 400;
  std::string message;     // any bytes: what is not UTF-8 is replaced
  std::string code = {};   // a word for programs, like "invalid_api_key"; empty: null
  std::string param = {};  // the field that is wrong; empty: null
  std::string type = {};   // empty: what belongs to the status
  HttpHeaders headers = {};
};

// {"error":{"message","type","param","code"}}
HttpResponse error_response(HttpError error);

// How errors of the server itself are written: `path` is that of the request, or empty if its head
// could not be read.
using RefusalForm = std::function<HttpResponse(std::string_view path, HttpError error)>;
HttpResponse refusal_response(std::string_view path, HttpError error);  // error_response()

// "invalid_request_error", "authentication_error", "rate_limit_error", "server_error" …
std::string_view error_type(int status);

}  // namespace ponder
