#include "serve/http/errors.hpp"

#include "io/json.hpp"

namespace ponder {
namespace {

Json text_or_null(std::string& text) { return text.empty() ? Json() : Json(std::move(text)); }

}  // namespace

std::string_view error_type(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

HttpResponse error_response(HttpError error) {
  if (error.type.empty()) error.type = error_type(error.status);
  const Json body = {{"error",
                      {{"message", std::move(error.message)},
                       {"type", std::move(error.type)},
                       {"param", text_or_null(error.param)},
                       {"code", text_or_null(error.code)}}}};
  return {.status = error.status,
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace),
          .headers = std::move(error.headers)};
}

HttpResponse refusal_response(std::string_view, HttpError error) {
  return error_response(std::move(error));
}

}  // namespace ponder
