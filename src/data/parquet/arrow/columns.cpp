#include "data/parquet/arrow/columns.hpp"

#include <arrow/builder.h>

#include <algorithm>

namespace ponder {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

constexpr int kDeepest = 16;
constexpr size_t kMostMembers = 1000;  // more are names that are data
constexpr int64_t kExact = int64_t{1} << 53;

Shape::Kind kind_of(const element& value) {
  switch (value.type()) {
    case element_type::BOOL:
      return Shape::kBool;
    case element_type::INT64:
      return Shape::kInteger;
    case element_type::DOUBLE:
      return Shape::kReal;
    case element_type::STRING:
      return Shape::kText;
    case element_type::ARRAY:
      return Shape::kList;
    case element_type::OBJECT:
      return Shape::kStruct;
    case element_type::NULL_VALUE:
      return Shape::kNull;
    default:
      return Shape::kJson;  // integers of 64 bits without sign
  }
}

bool is_number(Shape::Kind kind) { return kind == Shape::kInteger || kind == Shape::kReal; }

arrow::Status append_list(arrow::ListBuilder& builder, const Shape& shape, const element& value) {
  ARROW_RETURN_NOT_OK(builder.Append());
  const array items = value.get_array().value_unsafe();
  for (const element item : items)
    ARROW_RETURN_NOT_OK(append_json(*builder.value_builder(), shape.parts[0], item));
  return arrow::Status::OK();
}

arrow::Status append_struct(arrow::StructBuilder& builder, const Shape& shape,
                            const element& value) {
  ARROW_RETURN_NOT_OK(builder.Append());
  const object members = value.get_object().value_unsafe();
  for (size_t i = 0; i < shape.names.size(); ++i)
    ARROW_RETURN_NOT_OK(append_member(*builder.field_builder(static_cast<int>(i)), shape.parts[i],
                                      members, shape.names[i]));
  return arrow::Status::OK();
}

}  // namespace

void Shape::become(Kind wanted) {
  if (kind == wanted || wanted == kNull) return;
  if (kind == kNull) {
    kind = wanted;
  } else if (is_number(kind) && is_number(wanted)) {
    kind = kReal;
  } else {
    kind = kJson;
  }
  if (kind == kReal && large) kind = kJson;
  if (kind == kJson) {
    parts.clear();
    names.clear();
  }
}

void Shape::see(const element& value, int depth) {
  if (kind == kJson) return;
  const Kind seen = kind_of(value);
  if (seen == kInteger) {
    const int64_t number = value.get_int64().value_unsafe();
    large = large || number > kExact || number < -kExact;
  }
  become(depth > kDeepest && (seen == kList || seen == kStruct) ? kJson : seen);
  if (kind == kList && seen == kList) {
    if (parts.empty()) parts.emplace_back();
    const array items = value.get_array().value_unsafe();
    for (const element item : items) parts[0].see(item, depth + 1);
  }
  if (kind == kStruct && seen == kStruct) see_object(value.get_object().value_unsafe(), depth);
}

void Shape::see_object(const object& members, int depth) {
  size_t at = 0;  // members mostly come in the same order
  for (const auto& [name, value] : members) {
    if (at >= names.size() || names[at] != name) {
      at = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
      if (at == names.size()) {
        names.emplace_back(name);
        parts.emplace_back();
      }
    }
    parts[at++].see(value, depth + 1);
    if (names.size() > kMostMembers) return become(kJson);
  }
}

void Shape::close() {
  for (Shape& part : parts) part.close();
  if (kind == kStruct && names.empty()) kind = kJson;
}

std::shared_ptr<arrow::DataType> Shape::type() const {
  switch (kind) {
    case kBool:
      return arrow::boolean();
    case kInteger:
      return arrow::int64();
    case kReal:
      return arrow::float64();
    case kList:
      return arrow::list(parts[0].type());
    case kStruct: {
      arrow::FieldVector fields;
      for (size_t i = 0; i < names.size(); ++i)
        fields.push_back(arrow::field(names[i], parts[i].type()));
      return arrow::struct_(std::move(fields));
    }
    default:
      return arrow::utf8();  // kNull too: a column of nothing
  }
}

arrow::Status append_json(arrow::ArrayBuilder& builder, const Shape& shape, const element& value) {
  if (value.is_null()) return builder.AppendNull();
  switch (shape.kind) {
    case Shape::kBool:
      return static_cast<arrow::BooleanBuilder&>(builder).Append(value.get_bool().value_unsafe());
    case Shape::kInteger:
      return static_cast<arrow::Int64Builder&>(builder).Append(value.get_int64().value_unsafe());
    case Shape::kReal:
      return static_cast<arrow::DoubleBuilder&>(builder).Append(value.get_double().value_unsafe());
    case Shape::kText:
      return static_cast<arrow::StringBuilder&>(builder).Append(value.get_string().value_unsafe());
    case Shape::kList:
      return append_list(static_cast<arrow::ListBuilder&>(builder), shape, value);
    case Shape::kStruct:
      return append_struct(static_cast<arrow::StructBuilder&>(builder), shape, value);
    default:
      return static_cast<arrow::StringBuilder&>(builder).Append(simdjson::minify(value));
  }
}

arrow::Status append_member(arrow::ArrayBuilder& builder, const Shape& shape, const object& members,
                            std::string_view name) {
  element value;
  if (members.at_key(name).get(value) != simdjson::SUCCESS) return builder.AppendNull();
  return append_json(builder, shape, value);
}

}  // namespace ponder
