#include "serve/api.hpp"
#include "serve/schema_check.hpp"
#include "serve/schemas.hpp"

namespace ponder {
namespace {

OrderedJson reference(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

OrderedJson json_content(OrderedJson schema) {
  return {{"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
}

OrderedJson error_schema(bool anthropic) {
  const OrderedJson text = {{"type", "string"}};
  const OrderedJson text_or_null = {{"type", {"string", "null"}}};
  if (anthropic)
    return {{"type", "object"},
            {"required", {"type", "error"}},
            {"properties",
             {{"type", {{"const", "error"}}},
              {"error",
               {{"type", "object"},
                {"required", {"type", "message"}},
                {"properties", {{"type", text}, {"message", text}}}}}}}};
  return {{"type", "object"},
          {"required", {"error"}},
          {"properties",
           {{"error",
             {{"type", "object"},
              {"required", {"message", "type", "param", "code"}},
              {"properties",
               {{"message", text},
                {"type", text},
                {"param", text_or_null},
                {"code", text_or_null}}}}}}}};
}

OrderedJson operation(const Api::Route& route) {
  OrderedJson operation = {{"summary", route.summary}};
  if (route.path.ends_with("/{id}"))
    operation["parameters"] = OrderedJson::array(
        {{{"name", "id"}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}}});
  if (!route.schema.empty()) {
    operation["requestBody"] = json_content(reference(route.schema));
    operation["requestBody"]["required"] = true;
  }
  const bool anthropic = route.path.starts_with("/v1/messages");
  OrderedJson error = json_content(reference(anthropic ? "MessageError" : "Error"));
  error["description"] = "What is wrong, and where";
  operation["responses"]["200"] = {{"description", "The answer"}};
  for (const char* status : {"400", "401", "403", "404", "413", "429", "500", "503"})
    operation["responses"][status] = error;
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
  schemas["Error"] = error_schema(false);
  schemas["MessageError"] = error_schema(true);
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
