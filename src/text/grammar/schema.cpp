#include "text/grammar/schema.hpp"

#include <algorithm>
#include <array>

#include "io/printable.hpp"
#include "text/grammar/schema_compiler.hpp"
#include "text/grammar/text_cursor.hpp"

namespace ponder {
namespace {

constexpr int kMostNesting = 160;  // of the schema's text

constexpr auto kRefused = std::to_array<std::string_view>(
    {"not", "if", "then", "else", "dependencies", "dependentRequired", "dependentSchemas",
     "patternProperties", "unevaluatedProperties", "unevaluatedItems", "contains", "minContains",
     "maxContains", "$dynamicRef", "$recursiveRef", "extends", "disallow"});

// How many values there are in a value.
int64_t weight(const OrderedJson& value) {
  int64_t sum = 1;
  if (value.is_structured())
    for (const OrderedJson& inner : value) sum += weight(inner);
  return sum;
}

// A reference's part of a pointer: ~0, ~1 and %XX stand for characters.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view two = text.substr(i, 2);
    TextCursor cursor = {text, i + 1};
    if (two == "~0" || two == "~1") {
      plain += two == "~0" ? '~' : '/';
      ++i;
    } else if (const auto code = text[i] == '%' ? cursor.hex(2) : std::nullopt) {
      plain += static_cast<char>(*code);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

OrderedJson without(OrderedJson schema, std::string_view keyword) {
  schema.erase(std::string(keyword));
  return schema;
}

bool has_type(const OrderedJson& value, const std::string& type) {
  if (type == "number") return value.is_number();
  if (type == "integer") return value.is_number_integer();
  return type == value.type_name();
}

}  // namespace

Result<NodeId> SchemaCompiler::run() {
  const RuleId root = grammar_.rule("#");
  references_["#"] = root;
  waiting_.push_back({&root_, "#", root});
  while (!waiting_.empty()) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    grammar_.define(next.rule, PONDER_TRY(part(*next.schema, next.at, 0)));
  }
  return grammar_.call(root);
}

Result<NodeId> SchemaCompiler::part(const OrderedJson& schema, const std::string& at, int depth) {
  if (depth > kMostDepth)
    return schema_failure("schemas nested deeper than " + std::to_string(kMostDepth), at,
                          "use $defs and $ref, or a flatter schema");
  if (++work_ > kMostWork || grammar_.too_large())
    return schema_failure("the schema is too large", at, "use a smaller one");
  if (schema == true) return json_.value();
  if (schema == false)
    return schema_failure("false allows no value", at, "leave the part out, or allow something");
  PONDER_TRY(check_keywords(schema, at));
  if (schema.contains("$ref")) return reference(schema, at, depth);
  if (schema.contains("allOf")) return all_of(schema, at, depth);
  if (schema.value("nullable", OrderedJson(false)) == true) {
    const OrderedJson rest = without(schema, "nullable");
    return grammar_.any_of({PONDER_TRY(part(rest, at, depth + 1)), json_.null()});
  }
  for (const char* keyword : {"anyOf", "oneOf"})
    if (schema.contains(keyword)) return any_of(schema, keyword, at, depth);
  if (schema.contains("enum") || schema.contains("const")) return values(schema, at);
  if (!constrains(without(schema, "nullable"))) return json_.value();
  std::vector<NodeId> ways;
  for (const std::string& type : PONDER_TRY(types(schema, at)))
    ways.push_back(PONDER_TRY(of_type(type, schema, at, depth)));
  return grammar_.any_of(std::move(ways));
}

Result<void> SchemaCompiler::check_keywords(const OrderedJson& schema,
                                            const std::string& at) const {
  if (!schema.is_object())
    return schema_failure("a schema must be an object, true or false", at, "mend the schema");
  for (const auto& [key, value] : schema.items())
    if (std::ranges::find(kRefused, key) != kRefused.end())
      return schema_failure("the keyword " + printable(key) + " is not supported", at,
                            "say it without, or check the answer yourself");
  if (schema.contains("uniqueItems") && schema["uniqueItems"] != false)
    return schema_failure("the keyword 'uniqueItems' is not supported", at,
                          "leave it out and check the answer yourself");
  return {};
}

Result<const OrderedJson*> SchemaCompiler::target(const std::string& reference,
                                                  const std::string& at) const {
  if (!reference.starts_with('#') || (reference.size() > 1 && reference[1] != '/'))
    return schema_failure("the reference " + printable(reference) + " is not supported", at,
                          "refer to a part of this schema, as in #/$defs/name");
  const OrderedJson* value = &root_;
  for (size_t start = 1; start < reference.size();) {
    const size_t end = std::min(reference.find('/', start + 1), reference.size());
    const std::string name =
        unescaped(std::string_view(reference).substr(start + 1, end - start - 1));
    start = end;
    const OrderedJson* next = nullptr;
    if (value->is_object()) {
      if (const auto found = value->find(name); found != value->end()) next = &*found;
    } else if (value->is_array() && !name.empty() && name.size() < 7 &&
               name.find_first_not_of("0123456789") == name.npos) {
      const size_t index = std::stoul(name);
      if (index < value->size()) next = &(*value)[index];
    }
    if (next == nullptr)
      return schema_failure("there is no " + printable(reference), at, "mend the reference");
    value = next;
  }
  return value;
}

Result<NodeId> SchemaCompiler::reference(const OrderedJson& schema, const std::string& at,
                                         int depth) {
  const OrderedJson rest = without(schema, "$ref");
  if (constrains(rest)) {
    const OrderedJson whole = PONDER_TRY(resolved(schema, at));
    return part(whole, at, depth + 1);
  }
  if (!schema["$ref"].is_string())
    return schema_failure("$ref must be a string", at, "mend the schema");
  const auto name = schema["$ref"].get<std::string>();
  const auto known = references_.find(name);
  if (known != references_.end()) return grammar_.call(known->second);
  const OrderedJson* found = PONDER_TRY(target(name, at));
  const RuleId rule = grammar_.rule(name);
  references_[name] = rule;
  waiting_.push_back({found, name, rule});
  return grammar_.call(rule);
}

Result<OrderedJson> SchemaCompiler::resolved(OrderedJson schema, const std::string& at) {
  constexpr int kMostSteps = 16;
  for (int step = 0; schema.is_object() && schema.contains("$ref"); ++step) {
    if (step == kMostSteps || !schema["$ref"].is_string())
      return schema_failure("$ref leads in a circle, or is no string", at, "mend the reference");
    const OrderedJson* found = PONDER_TRY(target(schema["$ref"].get<std::string>(), at));
    copied_ += weight(*found);
    if (copied_ > kMostCopied)
      return schema_failure("merging the schemas takes too much", at, "use fewer allOf and $ref");
    schema = PONDER_TRY(merged_schemas(*found, without(std::move(schema), "$ref"), at));
  }
  return schema;
}

Result<NodeId> SchemaCompiler::merged_part(const OrderedJson& first, const OrderedJson& second,
                                           const std::string& at, int depth) {
  copied_ += weight(first) + weight(second);
  if (copied_ > kMostCopied)
    return schema_failure("merging the schemas takes too much", at, "use fewer allOf and $ref");
  const OrderedJson other = PONDER_TRY(resolved(second, at));
  OrderedJson own = PONDER_TRY(resolved(first, at));
  const OrderedJson both = PONDER_TRY(merged_schemas(std::move(own), other, at));
  return part(both, at, depth + 1);
}

Result<NodeId> SchemaCompiler::all_of(const OrderedJson& schema, const std::string& at, int depth) {
  const OrderedJson& parts = schema["allOf"];
  if (!parts.is_array() || parts.empty())
    return schema_failure("allOf must be a list of schemas", at, "mend the schema");
  OrderedJson whole = without(schema, "allOf");
  for (const OrderedJson& each : parts) {
    copied_ += weight(whole) + weight(each);
    if (copied_ > kMostCopied)
      return schema_failure("merging the schemas takes too much", at, "use fewer allOf and $ref");
    const OrderedJson next = PONDER_TRY(resolved(each, at + "/allOf"));
    PONDER_TRY(check_keywords(next.is_boolean() ? OrderedJson::object() : next, at + "/allOf"));
    whole = constrains(whole) ? PONDER_TRY(merged_schemas(std::move(whole), next, at)) : next;
  }
  return part(whole, at, depth + 1);
}

Result<NodeId> SchemaCompiler::any_of(const OrderedJson& schema, const std::string& keyword,
                                      const std::string& at, int depth) {
  const OrderedJson& parts = schema[keyword];
  if (!parts.is_array() || parts.empty())
    return schema_failure(keyword + " must be a list of schemas", at, "mend the schema");
  const OrderedJson rest = without(schema, keyword);
  const bool merge = constrains(rest);
  std::vector<NodeId> ways;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string place = at + "/" + keyword + "/" + std::to_string(i);
    ways.push_back(merge ? PONDER_TRY(merged_part(rest, parts[i], place, depth))
                         : PONDER_TRY(part(parts[i], place, depth + 1)));
  }
  return grammar_.any_of(std::move(ways));
}

Result<NodeId> SchemaCompiler::values(const OrderedJson& schema, const std::string& at) {
  for (const auto& [key, value] : schema.items())
    if (is_constraint(key) && key != "enum" && key != "const" && key != "type" && key != "nullable")
      return schema_failure("the keyword " + printable(key) + " beside enum or const", at,
                            "leave it out, and the values that it forbids too");
  OrderedJson values = schema.contains("enum") ? schema["enum"] : OrderedJson::array();
  if (!values.is_array() || values.size() > kMostValues)
    return schema_failure("enum must be a list of at most " + std::to_string(kMostValues), at,
                          "mend the schema");
  if (schema.contains("const")) {
    const OrderedJson only = schema["const"];
    if (schema.contains("enum") && std::ranges::find(values, only) == values.end())
      values = OrderedJson::array();
    else
      values = OrderedJson::array({only});
  }
  if (schema.contains("type")) {
    const auto allowed = PONDER_TRY(types(schema, at));
    OrderedJson kept = OrderedJson::array();
    for (const OrderedJson& value : values)
      if (std::ranges::any_of(allowed, [&](const auto& type) { return has_type(value, type); }))
        kept.push_back(value);
    values = std::move(kept);
  }
  if (values.empty())
    return schema_failure("no value of enum or const is allowed", at, "allow one at least");
  std::vector<std::string> texts;
  std::vector<NodeId> ways;
  for (const OrderedJson& value : values) {
    if (value.is_structured())
      ways.push_back(json_.constant(value));
    else
      texts.push_back(value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
  }
  if (!texts.empty()) ways.push_back(grammar_.texts(std::move(texts)));
  return grammar_.any_of(std::move(ways));
}

Result<std::vector<std::string>> SchemaCompiler::types(const OrderedJson& schema,
                                                       const std::string& at) const {
  using Types = std::vector<std::string>;
  const auto has = [&](auto... keywords) { return (schema.contains(keywords) || ...); };
  if (has("type")) {
    const OrderedJson& type = schema["type"];
    Types found;
    const auto list = type.is_array() ? type : OrderedJson::array({type});
    constexpr std::array kTypes = {"object",  "array",   "string", "number",
                                   "integer", "boolean", "null"};
    for (const OrderedJson& one : list) {
      if (std::ranges::none_of(kTypes, [&](const char* known) { return one == known; }) ||
          found.size() >= kTypes.size())
        return schema_failure("an unknown type", at,
                              "use object, array, string, number, integer, boolean or null");
      found.push_back(one.get<std::string>());
    }
    if (found.empty()) return schema_failure("no type is left", at, "allow one at least");
    return found;
  }
  Types found;  // those that the keywords speak of
  if (has("properties", "required", "additionalProperties", "propertyNames", "minProperties",
          "maxProperties"))
    found.push_back("object");
  if (has("items", "prefixItems", "minItems", "maxItems", "additionalItems"))
    found.push_back("array");
  if (has("pattern", "format", "minLength", "maxLength")) found.push_back("string");
  if (has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
    found.push_back("number");
  if (found.empty())  // uniqueItems: false and the like
    found = {"object", "array", "string", "number", "boolean", "null"};
  return found;
}

Result<NodeId> SchemaCompiler::of_type(const std::string& type, const OrderedJson& schema,
                                       const std::string& at, int depth) {
  if (type == "object") return object(schema, at, depth);
  if (type == "array") return array(schema, at, depth);
  if (type == "string") return string(schema, at);
  if (type == "boolean") return json_.boolean();
  if (type == "null") return json_.null();
  return number(schema, type == "integer", at);
}

Result<NodeId> add_schema(Grammar& grammar, std::string_view text) {
  const OrderedJson root = PONDER_TRY(parse_ordered_json(text, "schema", kMostNesting));
  return SchemaCompiler(grammar, root).run();
}

}  // namespace ponder
