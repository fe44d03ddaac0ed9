#include "serve/api.hpp"
#include "serve/schema_check.hpp"
#include "serve/schemas.hpp"

namespace ponder {
namespace {

OrderedJson reference(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

OrderedJson json_content(OrderedJson schema) {
  return {{"application/json", {{"schema", std::move(schema)}}}};
}

bool streams(const Api::Route& route) {
  return !route.schema.empty() &&
         request_schemas().at(std::string(route.schema)).at("properties").contains("stream");
}

OrderedJson answer_content(const Api::Route& route) {
  if (route.reply.empty()) return {{"text/plain", {{"schema", {{"type", "string"}}}}}};
  OrderedJson content = json_content(reference(route.reply));
  if (streams(route)) content["text/event-stream"] = {{"schema", {{"type", "string"}}}};
  return content;
}

// What anybody may be refused for, and what this route refuses.
std::vector<std::string> refusals(const Api::Route& route) {
  std::vector<std::string> all = {"400", "401", "403", "408", "429", "431"};
  const bool generates = route.method == "POST";
  if (generates || route.path.ends_with("/{id}")) all.push_back("404");
  if (generates) all.insert(all.end(), {"413", "500"});
  all.push_back("503");
  return all;
}

OrderedJson operation(const Api::Route& route) {
  OrderedJson operation = {{"summary", route.summary}};
  if (route.path.ends_with("/{id}"))
    operation["parameters"] =
        OrderedJson::array({{{"name", "id"},
                             {"in", "path"},
                             {"required", true},
                             {"schema", {{"type", "string"}, {"minLength", 1}}}}});
  if (!route.schema.empty())
    operation["requestBody"] = {{"required", true},
                                {"content", json_content(reference(route.schema))}};
  const bool anthropic = route.path.starts_with("/v1/messages");
  const OrderedJson error = reference(anthropic ? "MessageError" : "Error");
  operation["responses"]["200"] = {{"description", "The answer"},
                                   {"content", answer_content(route)}};
  for (const std::string& status : refusals(route))
    operation["responses"][status] = {{"description", "What is wrong, and where"},
                                      {"content", json_content(error)}};
  if (route.path == "/ready") {
    const OrderedJson either = {{"anyOf", OrderedJson::array({reference(route.reply), error})}};
    operation["responses"]["503"]["content"] = json_content(either);
  }
  return operation;
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(c | 0x20);
  return out;
}

}  // namespace

OrderedJson openapi_document(std::string_view version) {
  OrderedJson paths = OrderedJson::object();
  for (const Api::Route& route : Api::routes())
    paths[std::string(route.path)][lower(route.method)] = operation(route);
  OrderedJson schemas = OrderedJson::object();
  for (const auto& [name, schema] : request_schemas().items())
    schemas[name] = published_schema(schema);
  for (const auto& [name, schema] : answer_schemas().items()) schemas[name] = schema;
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "Ponder"}, {"version", version}}},
          {"paths", std::move(paths)},
          {"components",
           {{"schemas", std::move(schemas)},
            {"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
          {"security", OrderedJson::array(
                           {OrderedJson::object(), OrderedJson{{"key", OrderedJson::array()}}})}};
}

}  // namespace ponder
