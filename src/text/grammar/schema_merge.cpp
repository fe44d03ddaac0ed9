#include "text/grammar/schema_merge.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kMostPairs = 256, kMostMergedProperties = 1024;

constexpr auto kConstraints = std::to_array<std::string_view>({"$ref",
                                                               "additionalItems",
                                                               "additionalProperties",
                                                               "allOf",
                                                               "anyOf",
                                                               "const",
                                                               "enum",
                                                               "exclusiveMaximum",
                                                               "exclusiveMinimum",
                                                               "format",
                                                               "items",
                                                               "maxItems",
                                                               "maxLength",
                                                               "maxProperties",
                                                               "maximum",
                                                               "minItems",
                                                               "minLength",
                                                               "minProperties",
                                                               "minimum",
                                                               "multipleOf",
                                                               "nullable",
                                                               "oneOf",
                                                               "pattern",
                                                               "prefixItems",
                                                               "properties",
                                                               "propertyNames",
                                                               "required",
                                                               "type",
                                                               "not",
                                                               "if",
                                                               "patternProperties",
                                                               "contains",
                                                               "uniqueItems"});

OrderedJson all_of(const OrderedJson& first, const OrderedJson& second) {
  if (first == second) return first;
  OrderedJson both = OrderedJson::object();
  both["allOf"] = OrderedJson::array({first, second});
  return both;
}

std::vector<OrderedJson> as_list(const OrderedJson& value) {
  if (!value.is_array()) return {value};
  return {value.begin(), value.end()};
}

OrderedJson types_of_both(const OrderedJson& first, const OrderedJson& second) {
  const auto a = as_list(first), b = as_list(second);
  const auto has = [](const auto& list, const OrderedJson& type) {
    return std::ranges::find(list, type) != list.end();
  };
  OrderedJson both = OrderedJson::array();
  for (const OrderedJson& type : a) {
    if (has(b, type) || (type == "integer" && has(b, "number")))
      both.push_back(type);
    else if (type == "number" && has(b, "integer"))
      both.push_back("integer");
  }
  return both;
}

// The member of an object with this key, or what is meant by its absence.
OrderedJson member_or(const OrderedJson& object, std::string_view key, OrderedJson absent) {
  const auto found = object.find(key);
  return found == object.end() ? std::move(absent) : *found;
}

// Properties that only `from` has, as far as `to` allows more than its own.
void add_properties(OrderedJson& properties, const OrderedJson& from, const OrderedJson& to) {
  const OrderedJson more = member_or(to, "additionalProperties", true);
  const OrderedJson own = member_or(to, "properties", OrderedJson::object());
  const OrderedJson added = member_or(from, "properties", OrderedJson::object());
  for (const auto& [name, schema] : added.items()) {
    if (own.contains(name))
      properties[name] = all_of(properties.contains(name) ? properties[name] : own[name], schema);
    else if (more.is_boolean() ? more.get<bool>() : true)
      properties[name] = more.is_boolean() ? schema : all_of(schema, more);
  }
}

Result<OrderedJson> merged_properties(const OrderedJson& first, const OrderedJson& second,
                                      const std::string& at) {
  for (const OrderedJson* schema : {&first, &second}) {
    const OrderedJson properties = member_or(*schema, "properties", OrderedJson::object());
    if (!properties.is_object() || properties.size() > kMostMergedProperties)
      return schema_failure("properties must be an object, of at most " +
                                std::to_string(kMostMergedProperties) + " where schemas meet",
                            at, "mend the schema");
  }
  const OrderedJson none = OrderedJson::object();
  OrderedJson properties = OrderedJson::object();
  // Those of the first in their place, then what only the second has.
  add_properties(properties, first, second);
  const OrderedJson own = member_or(first, "properties", none);
  OrderedJson rest = OrderedJson::object();
  add_properties(rest, second, first);
  for (const auto& [name, schema] : rest.items())
    if (!own.contains(name)) properties[name] = schema;
  return properties;
}

OrderedJson both_additional(const OrderedJson& first, const OrderedJson& second) {
  if (first == false || second == false) return false;
  if (first == true) return second;
  return second == true ? first : all_of(first, second);
}

Result<OrderedJson> every_pair(const OrderedJson& first, const OrderedJson& second,
                               const std::string& at) {
  if (!first.is_array() || !second.is_array() || first.size() * second.size() > kMostPairs)
    return schema_failure("too many combinations of alternatives", at,
                          "write the alternatives out, at most " + std::to_string(kMostPairs));
  OrderedJson pairs = OrderedJson::array();
  for (const OrderedJson& a : first)
    for (const OrderedJson& b : second) pairs.push_back(all_of(a, b));
  return pairs;
}

OrderedJson in_both(const OrderedJson& first, const OrderedJson& second) {
  const std::set<OrderedJson> known(second.begin(), second.end());
  OrderedJson both = OrderedJson::array();
  for (const OrderedJson& value : first)
    if (known.contains(value)) both.push_back(value);
  return both;
}

OrderedJson in_any(OrderedJson first, const OrderedJson& second) {
  std::set<OrderedJson> known(first.begin(), first.end());
  for (const OrderedJson& value : second)
    if (known.insert(value).second) first.push_back(value);
  return first;
}

Result<OrderedJson> merged_keyword(const std::string& key, const OrderedJson& a,
                                   const OrderedJson& b, const std::string& at) {
  const auto is_one_of = [&](auto... names) { return ((key == names) || ...); };
  if (a == b) return a;
  if (key == "type") return types_of_both(a, b);
  if (is_one_of("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties") &&
      a.is_number() && b.is_number())
    return a < b ? b : a;
  if (is_one_of("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties") &&
      a.is_number() && b.is_number())
    return a < b ? a : b;
  if (key == "required" && a.is_array() && b.is_array()) return in_any(a, b);
  if (key == "enum" && a.is_array() && b.is_array()) return in_both(a, b);
  if (is_one_of("items", "propertyNames")) return all_of(a, b);
  if (key == "additionalProperties") return both_additional(a, b);
  if (is_one_of("anyOf", "oneOf")) return every_pair(a, b, at);
  if (key == "allOf" && a.is_array() && b.is_array()) return in_any(a, b);
  if (key == "nullable") return OrderedJson(a == true && b == true);
  if (key == "multipleOf" && a.is_number_unsigned() && b.is_number_unsigned() &&
      a.get<uint64_t>() - 1 < 1'000'000 && b.get<uint64_t>() - 1 < 1'000'000)
    return OrderedJson(std::lcm(a.get<uint64_t>(), b.get<uint64_t>()));
  return schema_failure("two values of " + printable(key) + " for the same part", at,
                        "write what holds of both into one schema");
}

}  // namespace

Failure schema_failure(std::string what, const std::string& at, std::string mend) {
  return Failure{
      {.what = std::move(what), .where = "schema " + printable(at), .mend = std::move(mend)}};
}

bool is_constraint(std::string_view keyword) {
  return std::ranges::find(kConstraints, keyword) != kConstraints.end();
}

bool constrains(const OrderedJson& schema) {
  if (!schema.is_object()) return schema == false;
  for (const auto& [key, value] : schema.items())
    if (is_constraint(key)) return true;
  return false;
}

Result<OrderedJson> merged_schemas(OrderedJson first, const OrderedJson& second,
                                   const std::string& at) {
  if (second == true || first == false) return first;
  if (first == true || second == false) return second;
  if (!first.is_object() || !second.is_object())
    return schema_failure("a schema must be an object, true or false", at, "mend the schema");
  if (first.contains("properties") || second.contains("properties")) {
    OrderedJson properties = PONDER_TRY(merged_properties(first, second, at));
    first["properties"] = std::move(properties);
  }
  for (const auto& [key, value] : second.items()) {
    if (key == "properties") continue;
    const auto own = first.find(key);
    if (own == first.end())
      first[key] = value;
    else if (is_constraint(key))
      *own = PONDER_TRY(merged_keyword(key, *own, value, at));
  }
  return first;
}

}  // namespace ponder
