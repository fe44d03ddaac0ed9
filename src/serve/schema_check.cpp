#include "serve/schema_check.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "io/printable.hpp"
#include "serve/checked_json.hpp"

namespace ponder {
namespace {

constexpr std::string_view kReference = "#/components/schemas/";

int64_t count_characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

std::string shown(const OrderedJson& value) {
  if (value.is_structured()) return value.is_array() ? "a list" : "an object";
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string with_article(const std::string& type) {
  if (type == "array") return "a list";
  if (type == "boolean") return "true or false";
  const bool vowel = type == "integer" || type == "object";
  return type == "null" ? type : (vowel ? "an " : "a ") + type;
}

// "a, b or c"
std::string any_of(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

bool is_type(const OrderedJson& value, const std::string& type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type == "number") return value.is_number();
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    return number == std::floor(number);
  }
  return value.is_number_integer();
}

std::vector<std::string> types_of(const OrderedJson& schema) {
  const OrderedJson* type = field_of(schema, "type");
  if (type == nullptr) return {};
  if (type->is_array()) return type->get<std::vector<std::string>>();
  return {type->get<std::string>()};
}

class Checker {
 public:
  explicit Checker(const OrderedJson& definitions) : definitions_(definitions) {}

  Result<void> check(const OrderedJson& value, const OrderedJson& given,
                     const std::string& where) const {
    const OrderedJson& schema = resolved(given);
    auto checked = check_resolved(value, schema, where);
    const OrderedJson* mend = field_of(schema, "x-mend");
    if (checked.ok() || mend == nullptr) return checked;
    Error error = std::move(checked).take_error();
    if (error.mend.empty()) error.mend = mend->get<std::string>();
    return Failure{std::move(error)};
  }

 private:
  const OrderedJson& resolved(const OrderedJson& schema) const {
    const OrderedJson* reference = field_of(schema, "$ref");
    if (reference == nullptr) return schema;
    return definitions_.at(reference->get<std::string>().substr(kReference.size()));
  }

  Result<void> check_resolved(const OrderedJson& value, const OrderedJson& schema,
                              const std::string& where) const {
    if (const OrderedJson* choices = field_of(schema, "anyOf"))
      return check_any(value, *choices, where);
    PONDER_TRY(check_type(value, schema, where));
    PONDER_TRY(check_choice(value, schema, where));
    if (value.is_number()) return check_number(value, schema, where);
    if (value.is_string()) return check_text(value, schema, where);
    if (value.is_array()) return check_array(value, schema, where);
    if (value.is_object()) return check_object(value, schema, where);
    return {};
  }

  static Failure wrong(const std::string& where, std::string what) {
    return Failure{{.what = std::move(what), .where = where}};
  }

  static Result<void> check_type(const OrderedJson& value, const OrderedJson& schema,
                                 const std::string& where) {
    const std::vector<std::string> types = types_of(schema);
    if (types.empty() || std::any_of(types.begin(), types.end(),
                                     [&](const auto& type) { return is_type(value, type); }))
      return {};
    std::vector<std::string> names(types.size());
    std::transform(types.begin(), types.end(), names.begin(), with_article);
    return wrong(where, "must be " + any_of(names) + ", is " + shown(value));
  }

  static Result<void> check_choice(const OrderedJson& value, const OrderedJson& schema,
                                   const std::string& where) {
    std::vector<std::string> names;
    if (const OrderedJson* constant = field_of(schema, "const")) {
      if (*constant == value) return {};
      names.push_back(shown(*constant));
    } else if (const OrderedJson* choices = field_of(schema, "enum")) {
      for (const OrderedJson& choice : *choices) {
        if (choice == value) return {};
        names.push_back(shown(choice));
      }
    }
    if (names.empty()) return {};
    return wrong(where, "must be " + any_of(names) + ", is " + shown(value));
  }

  static Result<void> check_number(const OrderedJson& value, const OrderedJson& schema,
                                   const std::string& where) {
    const OrderedJson* least = field_of(schema, "minimum");
    const OrderedJson* most = field_of(schema, "maximum");
    if ((least == nullptr || value >= *least) && (most == nullptr || value <= *most)) return {};
    if (least == nullptr) return wrong(where, "is " + shown(value) + ", at most " + shown(*most));
    if (most == nullptr) return wrong(where, "is " + shown(value) + ", at least " + shown(*least));
    return wrong(where,
                 "must be in " + shown(*least) + " to " + shown(*most) + ", is " + shown(value));
  }

  // `what` is counted in `unit`s and may have so many.
  static Result<void> check_count(int64_t count, const OrderedJson& schema, const char* least,
                                  const char* most, const std::string& where) {
    const OrderedJson* lower = field_of(schema, least);
    const OrderedJson* upper = field_of(schema, most);
    if (lower != nullptr && count < lower->get<int64_t>())
      return wrong(where, count == 0 ? "is empty" : "has less than " + shown(*lower));
    if (upper != nullptr && count > upper->get<int64_t>())
      return wrong(where, "is too long: " + std::to_string(count) + ", at most " + shown(*upper));
    return {};
  }

  static Result<void> check_text(const OrderedJson& value, const OrderedJson& schema,
                                 const std::string& where) {
    return check_count(count_characters(value.get_ref<const std::string&>()), schema, "minLength",
                       "maxLength", where);
  }

  Result<void> check_array(const OrderedJson& value, const OrderedJson& schema,
                           const std::string& where) const {
    PONDER_TRY(
        check_count(static_cast<int64_t>(value.size()), schema, "minItems", "maxItems", where));
    const OrderedJson* items = field_of(schema, "items");
    if (items == nullptr) return {};
    for (size_t i = 0; i < value.size(); ++i)
      PONDER_TRY(check(value[i], *items, where + "[" + std::to_string(i) + "]"));
    return {};
  }

  Result<void> check_object(const OrderedJson& value, const OrderedJson& schema,
                            const std::string& where) const {
    const auto place = [&](const std::string& key) {
      return where.empty() ? key : where + "." + key;
    };
    PONDER_TRY(check_count(static_cast<int64_t>(value.size()), schema, "minProperties",
                           "maxProperties", where));
    const OrderedJson* properties = field_of(schema, "properties");
    if (const OrderedJson* required = field_of(schema, "required"))
      for (const OrderedJson& key : *required)
        if (field_of(value, key.get_ref<const std::string&>()) == nullptr) {
          // That it is of a kind which nobody takes says more than what it lacks.
          for (const auto& [name, field] : value.items()) {
            const OrderedJson* known = properties ? field_of(*properties, name) : nullptr;
            if (known == nullptr || field.is_null()) continue;
            if (resolved(*known).contains("const") || resolved(*known).contains("enum"))
              PONDER_TRY(check(field, *known, place(name)));
          }
          return wrong(place(key.get<std::string>()), "is missing");
        }
    const OrderedJson* others = field_of(schema, "additionalProperties");
    for (const auto& [key, field] : value.items()) {
      const OrderedJson* known = properties == nullptr ? nullptr : field_of(*properties, key);
      if (known == nullptr && others != nullptr && others->is_object()) known = others;
      if (known != nullptr && !field.is_null()) PONDER_TRY(check(field, *known, place(key)));
    }
    return {};
  }

  // The alternatives that have the value's type and agree with its discriminating fields decide
  // what the error is.
  Result<void> check_any(const OrderedJson& value, const OrderedJson& choices,
                         const std::string& where) const {
    std::vector<std::string> names;
    std::vector<const OrderedJson*> fitting;
    for (const OrderedJson& choice : choices) {
      const OrderedJson& schema = resolved(choice);
      if (check(value, schema, where).ok()) return {};
      const auto types = types_of(schema);
      for (const std::string& type : types)
        if (const std::string name = with_article(type);
            std::find(names.begin(), names.end(), name) == names.end())
          names.push_back(name);
      if (std::any_of(types.begin(), types.end(),
                      [&](const auto& type) { return is_type(value, type); }))
        fitting.push_back(&schema);
    }
    if (fitting.empty()) return wrong(where, "must be " + any_of(names) + ", is " + shown(value));
    if (fitting.size() > 1 && value.is_object()) return check_variants(value, fitting, where);
    return check(value, *nearest(value, fitting), where);
  }

  // Of several kinds of lists, the one whose items have the type of the first item.
  const OrderedJson* nearest(const OrderedJson& value,
                             const std::vector<const OrderedJson*>& fitting) const {
    for (const OrderedJson* schema : fitting) {
      const OrderedJson* items = field_of(*schema, "items");
      if (value.is_array() && !value.empty() && items != nullptr &&
          check_type(value[0], resolved(*items), "").ok())
        return schema;
    }
    return fitting.front();
  }

  Result<void> check_variants(const OrderedJson& value,
                              const std::vector<const OrderedJson*>& variants,
                              const std::string& where) const {
    const std::string kind = where.empty() ? "type" : where + ".type";
    const OrderedJson* type = field_of(value, "type");
    std::vector<std::string> names;
    for (const OrderedJson* variant : variants) {
      const OrderedJson& constant = variant->at("properties").at("type").at("const");
      if (type != nullptr && *type == constant) return check(value, *variant, where);
      names.push_back(shown(constant));
    }
    if (type == nullptr) return wrong(kind, "is missing");
    return wrong(kind, "must be " + any_of(names) + ", is " + shown(*type));
  }

  const OrderedJson& definitions_;
};

OrderedJson or_null(OrderedJson schema) {
  if (schema.contains("$ref") || schema.contains("anyOf")) {
    OrderedJson choices = schema.contains("anyOf") ? schema["anyOf"] : OrderedJson::array({schema});
    choices.push_back({{"type", "null"}});
    return {{"anyOf", std::move(choices)}};
  }
  if (schema.contains("const")) {
    schema["enum"] = OrderedJson::array({schema["const"]});
    schema.erase("const");
  }
  if (schema.contains("enum")) schema["enum"].push_back(nullptr);
  if (schema.contains("type") && schema["type"].is_string())
    schema["type"] = OrderedJson::array({schema["type"], "null"});
  return schema;
}

}  // namespace

Result<void> check_schema(const OrderedJson& value, const OrderedJson& schema,
                          const OrderedJson& definitions, const std::string& where) {
  return Checker(definitions).check(value, schema, where);
}

OrderedJson published_schema(const OrderedJson& schema) {
  if (schema.is_array()) {
    OrderedJson list = OrderedJson::array();
    for (const OrderedJson& item : schema) list.push_back(published_schema(item));
    return list;
  }
  if (!schema.is_object()) return schema;
  OrderedJson published = OrderedJson::object();
  for (const auto& [key, value] : schema.items()) {
    if (key == "x-mend") continue;
    if (key != "properties") {
      published[key] = key == "enum" || key == "const" || key == "default" || key == "example"
                           ? value
                           : published_schema(value);
      continue;
    }
    const OrderedJson required = schema.value("required", OrderedJson::array());
    for (const auto& [name, property] : value.items()) {
      const bool needed = std::find(required.begin(), required.end(), name) != required.end();
      published[key][name] =
          needed ? published_schema(property) : or_null(published_schema(property));
    }
  }
  return published;
}

}  // namespace ponder
