#include "serve/schemas.hpp"

namespace ponder {
namespace {

// "x-include" names schemas of properties that an object has besides its own.
void include_properties(OrderedJson& schema, const OrderedJson& all) {
  const auto included = schema.find("x-include");
  if (included == schema.end()) return;
  for (const OrderedJson& name : *included)
    for (const auto& [key, property] : all.at(name.get<std::string>()).items())
      if (!schema["properties"].contains(key)) schema["properties"][key] = property;
  schema.erase("x-include");
}

OrderedJson make_schemas() {
  OrderedJson all = OrderedJson::parse(shared_schemas_text());
  const OrderedJson shared = all.at("x-properties");
  all.erase("x-properties");
  all.update(OrderedJson::parse(openai_schemas_text()));
  all.update(OrderedJson::parse(other_schemas_text()));
  for (auto& [name, schema] : all.items()) include_properties(schema, shared);
  return all;
}

}  // namespace

const OrderedJson& request_schemas() {
  static const OrderedJson schemas = make_schemas();
  return schemas;
}

}  // namespace ponder
