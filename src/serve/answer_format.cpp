#include "serve/answer_format.hpp"

namespace ponder {

std::string json_line(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string server_event(const OrderedJson& data, std::string_view name) {
  std::string text;
  if (!name.empty()) text += "event: " + std::string(name) + "\n";
  return text + "data: " + json_line(data) + "\n\n";
}

std::string AnswerFormat::failure(const HttpError& error) {
  return "data: " + error_response(error).body + "\n\n";
}

}  // namespace ponder
