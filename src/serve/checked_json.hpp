// Reading JSON whose types check_schema() has checked.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.hpp"

namespace ponder {

// nullptr if `object` is no object, or the field is absent or null.
inline const OrderedJson* field_of(const OrderedJson& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto entry = object.find(std::string(key));
  return entry == object.end() || entry->is_null() ? nullptr : &*entry;
}

// What is beyond int64 becomes its limit.
inline int64_t integer_of(const OrderedJson& number) {
  if (number.is_number_unsigned())
    return static_cast<int64_t>(std::min<uint64_t>(number.get<uint64_t>(), INT64_MAX));
  if (!number.is_number_float()) return number.get<int64_t>();
  const auto value = number.get<double>();
  if (value >= 9.2e18) return INT64_MAX;
  return value <= -9.2e18 ? INT64_MIN : static_cast<int64_t>(value);
}

inline std::optional<int64_t> integer_in(const OrderedJson& object, std::string_view key) {
  const OrderedJson* field = field_of(object, key);
  if (field == nullptr) return std::nullopt;
  return integer_of(*field);
}
inline std::optional<double> number_in(const OrderedJson& object, std::string_view key) {
  const OrderedJson* field = field_of(object, key);
  if (field == nullptr) return std::nullopt;
  return field->get<double>();
}
inline bool bool_in(const OrderedJson& object, std::string_view key, bool absent = false) {
  const OrderedJson* field = field_of(object, key);
  return field == nullptr ? absent : field->get<bool>();
}
inline std::string text_in(const OrderedJson& object, std::string_view key) {
  const OrderedJson* field = field_of(object, key);
  return field == nullptr ? std::string() : field->get<std::string>();
}
inline std::vector<int32_t> tokens_of(const OrderedJson& list) {
  std::vector<int32_t> tokens;
  tokens.reserve(list.size());
  for (const OrderedJson& token : list) tokens.push_back(static_cast<int32_t>(integer_of(token)));
  return tokens;
}

}  // namespace ponder
