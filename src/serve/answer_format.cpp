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

OrderedJson answer_head(const Outcome& outcome, const char* object) {
  return {{"id", outcome.id},
          {"object", object},
          {"created", outcome.created},
          {"model", outcome.model->name},
          {"system_fingerprint", outcome.model->fingerprint}};
}

void add_measures(OrderedJson& answer, const Outcome& outcome) {
  answer["seed"] = outcome.seed;
  answer["timings"] = timings_json(outcome);
}

std::string stream_end(OrderedJson last, const Outcome& outcome, bool usage) {
  std::string text;
  if (usage) {
    last["choices"] = OrderedJson::array();
    last["usage"] = usage_json(outcome.usage());
    text = server_event(last);
  }
  return text + "data: [DONE]\n\n";
}

std::string AnswerFormat::failure(const HttpError& error) {
  return "data: " + error_response(error).body + "\n\n";
}

}  // namespace ponder
