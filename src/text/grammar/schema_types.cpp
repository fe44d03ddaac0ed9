#include <algorithm>
#include <set>

#include "io/printable.hpp"
#include "text/grammar/regex.hpp"
#include "text/grammar/schema_compiler.hpp"
#include "text/grammar/schema_formats.hpp"
#include "text/grammar/text_cursor.hpp"

namespace ponder {
namespace {

// A name as a part of a JSON pointer.
std::string pointer_part(std::string_view name) {
  std::string part = "/";
  for (const char c : name) {
    if (c == '~')
      part += "~0";
    else if (c == '/')
      part += "~1";
    else
      part += c;
  }
  return part;
}

}  // namespace

Result<int64_t> SchemaCompiler::count(const OrderedJson& schema, const char* keyword,
                                      const std::string& at, int64_t absent) const {
  const auto found = schema.find(keyword);
  if (found == schema.end()) return absent;
  const double value = found->is_number() ? found->get<double>() : -1.0;
  if (value < 0 || value != static_cast<double>(static_cast<int64_t>(std::min(value, 1e15))))
    return schema_failure(std::string(keyword) + " must be a whole number, 0 or more", at,
                          "mend the schema");
  if (value <= static_cast<double>(kMostCount)) return static_cast<int64_t>(value);
  if (is_upper(keyword)) return kMostCount;
  return schema_failure(std::string(keyword) + " of more than " + std::to_string(kMostCount), at,
                        "use less");
}

Result<NodeId> SchemaCompiler::string(const OrderedJson& schema, const std::string& at) {
  const int64_t least = PONDER_TRY(count(schema, "minLength", at, 0));
  const int64_t most = PONDER_TRY(count(schema, "maxLength", at, Grammar::kUnbounded));
  if (most >= 0 && least > most)
    return schema_failure("minLength is more than maxLength", at, "swap them");
  const bool has_pattern = schema.contains("pattern"), has_format = schema.contains("format");
  if (!has_pattern && !has_format) return json_.string(least, most);
  if (has_pattern && has_format)
    return schema_failure("pattern and format together", at, "use one of them");
  const char* keyword = has_pattern ? "pattern" : "format";
  if (!schema[keyword].is_string())
    return schema_failure(std::string(keyword) + " must be a string", at, "mend the schema");
  auto pattern = schema[keyword].get<std::string>();
  if (has_format) {
    const auto known = format_pattern(pattern);
    if (!known)
      return schema_failure("the format " + printable(pattern) + " is not supported", at,
                            "use one of: " + format_names());
    pattern = *known;
  }
  return json_.quoted(
      PONDER_TRY(add_regex(grammar_, pattern,
                           {.spell = [&](const CharSet& set) { return json_.character(set); },
                            .search = has_pattern,
                            .least = least,
                            .most = most,
                            .where = "schema " + printable(at + "/" + keyword)})));
}

Result<NodeId> SchemaCompiler::number(const OrderedJson& schema, bool integer,
                                      const std::string& at) {
  NumberBounds bounds = {.integer = integer};
  const auto bound = [&](const char* keyword) -> Result<std::optional<Decimal>> {
    const auto found = schema.find(keyword);
    if (found == schema.end()) return std::optional<Decimal>();
    if (!found->is_number())
      return schema_failure(std::string(keyword) + " must be a number", at,
                            "mend the schema; exclusive bounds are numbers of their own");
    const auto decimal = read_decimal(found->dump());
    if (!decimal)
      return schema_failure(std::string(keyword) + " has too many digits", at,
                            "use 18 at most on either side of the point");
    return decimal;
  };
  const auto value_of = [&](const char* keyword) { return schema[keyword].get<double>(); };
  bounds.low = PONDER_TRY(bound("minimum"));
  bounds.high = PONDER_TRY(bound("maximum"));
  const auto above = PONDER_TRY(bound("exclusiveMinimum"));
  const auto below = PONDER_TRY(bound("exclusiveMaximum"));
  if (above && (!bounds.low || value_of("exclusiveMinimum") >= value_of("minimum"))) {
    bounds.low = above;
    bounds.without_low = true;
  }
  if (below && (!bounds.high || value_of("exclusiveMaximum") <= value_of("maximum"))) {
    bounds.high = below;
    bounds.without_high = true;
  }
  bool plain = !bounds.low && !bounds.high;
  if (const auto found = schema.find("multipleOf"); found != schema.end()) {
    const double multiple = found->is_number() ? found->get<double>() : 0.0;
    int64_t odd = multiple >= 1 && multiple <= 1e15 ? static_cast<int64_t>(multiple) : 0;
    bounds.multiple = odd;
    if (static_cast<double>(odd) != multiple) odd = 0;
    while (odd != 0 && odd % 10 == 0) odd /= 10;
    if (odd == 0 || odd > kMostMultiple)
      return schema_failure("multipleOf must be a whole number, at most " +
                                std::to_string(kMostMultiple) + " without zeros at its end",
                            at, "use such a number, or check the answer yourself");
    bounds.integer = true;
    plain = plain && bounds.multiple == 1 && integer;
  }
  if (plain) return integer ? json_.integer() : json_.number();
  return add_number_range(grammar_, bounds);
}

Result<NodeId> SchemaCompiler::array(const OrderedJson& schema, const std::string& at, int depth) {
  const int64_t least = PONDER_TRY(count(schema, "minItems", at, 0));
  int64_t most = PONDER_TRY(count(schema, "maxItems", at, Grammar::kUnbounded));
  if (most >= 0 && least > most)
    return schema_failure("minItems is more than maxItems", at, "swap them");
  const OrderedJson any = true;
  const OrderedJson* items = schema.contains("items") ? &schema["items"] : &any;
  const OrderedJson* first = nullptr;  // schemas of the first elements, one by one
  if (schema.contains("prefixItems")) {
    first = &schema["prefixItems"];
  } else if (items->is_array()) {  // as drafts before 2020-12 have it
    first = items;
    items = schema.contains("additionalItems") ? &schema["additionalItems"] : &any;
  }
  if (first != nullptr && (!first->is_array() || first->size() > kMostProperties))
    return schema_failure("prefixItems must be a list", at, "mend the schema");
  const auto firsts = first == nullptr ? 0 : static_cast<int64_t>(first->size());
  if (*items == false) most = most < 0 ? firsts : std::min(most, firsts);
  if (most >= 0 && least > most)
    return schema_failure("minItems is more than the items that may be", at, "lower it");
  NodeId item = grammar_.empty();
  if (most < 0 || most > firsts) {
    item = PONDER_TRY(part(*items, at + "/items", depth + 1));
    if (firsts == 0)
      return grammar_.sequence(
          {grammar_.text("["), json_.list(item, least, most), grammar_.text("]")});
  }
  // Rules from the last to the first: what may follow when so many elements are there.
  NodeId rest = grammar_.empty();
  if (most < 0 || most > firsts)
    rest = grammar_.repeat(grammar_.sequence({json_.comma(), item}),
                           std::max<int64_t>(0, least - firsts),
                           most < 0 ? Grammar::kUnbounded : most - firsts);
  for (int64_t i = std::min(firsts, most < 0 ? firsts : most) - 1; i >= 0; --i) {
    const NodeId element = PONDER_TRY(part((*first)[static_cast<size_t>(i)],
                                           at + "/prefixItems/" + std::to_string(i), depth + 1));
    const NodeId comma = i > 0 ? json_.comma() : grammar_.empty();
    const NodeId with = grammar_.sequence({comma, element, rest});
    rest = grammar_.as_rule({}, i >= least ? grammar_.optional(with) : with);
  }
  return grammar_.sequence({grammar_.text("["), rest, grammar_.text("]")});
}

Result<std::vector<SchemaCompiler::Property>> SchemaCompiler::properties(const OrderedJson& schema,
                                                                         const std::string& at,
                                                                         int depth) {
  const OrderedJson none = OrderedJson::object(), no_names = OrderedJson::array();
  const OrderedJson& declared = schema.contains("properties") ? schema["properties"] : none;
  const OrderedJson& required = schema.contains("required") ? schema["required"] : no_names;
  if (!declared.is_object() || declared.size() > kMostProperties)
    return schema_failure(
        "properties must be an object of at most " + std::to_string(kMostProperties), at,
        "mend the schema");
  std::set<std::string> needed;
  if (required.is_array() && required.size() <= kMostProperties)
    for (const OrderedJson& name : required)
      if (name.is_string()) needed.insert(name.get<std::string>());
  if (!required.is_array() || needed.size() != required.size())
    return schema_failure("required must be a list of different names", at, "mend the schema");
  std::vector<Property> all;
  for (const auto& [name, inner] : declared.items()) {
    const bool must = needed.erase(name) > 0;
    if (inner == false && !must) continue;
    const std::string place = at + "/properties" + pointer_part(name);
    all.push_back({name, PONDER_TRY(part(inner, place, depth + 1)), must});
  }
  const OrderedJson any = true;
  const OrderedJson& more =
      schema.contains("additionalProperties") ? schema["additionalProperties"] : any;
  for (const std::string& name : needed) {
    if (more == false)
      return schema_failure("the required " + printable(name) + " is not in properties", at,
                            "declare it");
    const std::string place = at + "/additionalProperties";
    all.push_back({name, PONDER_TRY(part(more, place, depth + 1)), true});
  }
  return all;
}

// Without a word about more members beside declared ones there are none: nobody wants those that a
// model makes up.
Result<SchemaCompiler::More> SchemaCompiler::more_members(const OrderedJson& schema,
                                                          const std::string& at, int depth) {
  const OrderedJson absent = !schema.contains("properties");
  const OrderedJson& more =
      schema.contains("additionalProperties") ? schema["additionalProperties"] : absent;
  if (more == false) return More();
  return More(PONDER_TRY(part(more, at + "/additionalProperties", depth + 1)));
}

Result<NodeId> SchemaCompiler::map(const OrderedJson& schema, NodeId value, const std::string& at,
                                   int depth) {
  const int64_t least = PONDER_TRY(count(schema, "minProperties", at, 0));
  const int64_t most = PONDER_TRY(count(schema, "maxProperties", at, Grammar::kUnbounded));
  if (least > 1 || (most >= 0 && least > most))
    return schema_failure(
        "minProperties of more than 1 is not supported, since a name may come "
        "twice",
        at, "declare the properties, or check the answer yourself");
  NodeId key = json_.string();
  if (schema.contains("propertyNames")) {
    const OrderedJson text = {{"type", "string"}};
    key = PONDER_TRY(merged_part(schema["propertyNames"], text, at + "/propertyNames", depth));
  }
  return grammar_.sequence(
      {grammar_.text("{"), json_.list(json_.member(key, value), least, most), grammar_.text("}")});
}

Result<NodeId> SchemaCompiler::object(const OrderedJson& schema, const std::string& at, int depth) {
  const auto all = PONDER_TRY(properties(schema, at, depth));
  const More more = PONDER_TRY(more_members(schema, at, depth));
  if (all.empty()) {
    if (more) return map(schema, *more, at, depth);
    if (PONDER_TRY(count(schema, "minProperties", at, 0)) > 0)
      return schema_failure("no property is allowed, but one is needed", at, "declare it");
    return grammar_.text("{}");
  }
  const auto required = std::ranges::count_if(all, &Property::required);
  const bool few = PONDER_TRY(count(schema, "minProperties", at, 0)) > required;
  const int64_t most = PONDER_TRY(count(schema, "maxProperties", at, kMostCount));
  const bool many = most < static_cast<int64_t>(all.size()) || (more && most < kMostCount);
  if (schema.contains("propertyNames") || few || many)
    return schema_failure("propertyNames, minProperties or maxProperties beside properties", at,
                          "leave it out: required and additionalProperties say it too");
  return grammar_.sequence({grammar_.text("{"), members(all, more), grammar_.text("}")});
}

// For each property two rules: what may follow when nothing stands before it, and when something
// does, so that there is a comma.
NodeId SchemaCompiler::members(const std::vector<Property>& properties, const More& more) {
  NodeId first = grammar_.empty(), later = grammar_.empty();
  if (more) {
    std::vector<std::string> names;
    for (const Property& property : properties) names.push_back(property.name);
    const NodeId member = grammar_.as_rule({}, json_.member(json_.string_except(names), *more));
    first = json_.list(member, 0, Grammar::kUnbounded);
    later = grammar_.repeat(grammar_.sequence({json_.comma(), member}), 0, Grammar::kUnbounded);
  }
  for (size_t i = properties.size(); i-- > 0;) {
    const Property& property = properties[i];
    const NodeId with = grammar_.as_rule(
        {}, grammar_.sequence({json_.member(json_.key(property.name), property.value), later}));
    std::vector<NodeId> at_start = {with}, behind = {grammar_.sequence({json_.comma(), with})};
    if (!property.required) {
      at_start.push_back(first);
      behind.push_back(later);
    }
    first = grammar_.as_rule({}, grammar_.any_of(std::move(at_start)));
    later = grammar_.as_rule({}, grammar_.any_of(std::move(behind)));
  }
  return first;
}

}  // namespace ponder
