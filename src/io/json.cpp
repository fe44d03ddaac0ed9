#include "io/json.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "io/printable.hpp"

namespace ponder {
namespace {

// Builds the document; refuses what nlohmann's own builder lets pass.
template <typename Value>
class Builder : public nlohmann::json_sax<Value> {
 public:
  explicit Builder(int max_depth) : max_depth_(static_cast<size_t>(max_depth)) {}

  bool null() override { return add(nullptr) != nullptr; }
  bool boolean(bool value) override { return add(value) != nullptr; }
  bool number_integer(int64_t value) override { return add(value) != nullptr; }
  bool number_unsigned(uint64_t value) override { return add(value) != nullptr; }
  bool number_float(double value, const std::string&) override { return add(value) != nullptr; }
  bool string(std::string& value) override { return add(std::move(value)) != nullptr; }
  bool binary(typename Value::binary_t&) override { return false; }

  bool start_object(size_t) override { return open(Value::object()); }
  bool start_array(size_t) override { return open(Value::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& key) override {
    bool twice;  // looking a key up in an ordered object would go through all of them
    if constexpr (kOrdered)
      twice = !open_.back().keys.insert(key).second;
    else
      twice = open_.back().value->contains(key);
    if (twice) {
      problem_ = "key " + printable(key) + " appears twice";
      return false;
    }
    key_ = std::move(key);
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& exception) override {
    position_ = position;
    problem_ = exception.what();
    return false;
  }

  Value take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }
  size_t position() const { return position_; }

 private:
  static constexpr bool kOrdered = std::is_same_v<Value, OrderedJson>;

  struct Open {
    Value* value;  // a parent does not grow while a child is open, so this stays valid
    std::unordered_set<std::string> keys = {};  // if ordered
  };

  Value* add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Value& parent = *open_.back().value;
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    auto& object = parent.template get_ref<typename Value::object_t&>();
    if constexpr (kOrdered)
      return &object.emplace_back(std::move(key_), std::move(value)).second;
    else
      return &object.emplace(std::move(key_), std::move(value)).first->second;
  }

  bool open(Value value) {
    if (open_.size() >= max_depth_) {
      problem_ = "nested deeper than " + std::to_string(max_depth_);
      return false;
    }
    open_.push_back({add(std::move(value))});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  size_t max_depth_;
  Value root_;
  std::vector<Open> open_;
  std::string key_, problem_;
  size_t position_ = 0;
};

template <typename Value>
Result<Value> build(std::string_view text, std::string_view where, int max_depth) {
  Builder<Value> builder(max_depth);
  if (Value::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  return json_failure(text, builder.position(), where, builder.problem());
}

Failure field_failure(std::string_view where, std::string_view key, std::string what) {
  return Failure{{.what = std::move(what),
                  .where = std::string(where) + ": field " + printable(key),
                  .mend = "check the file against its source"}};
}

Result<const Json*> require(const Json& object, std::string_view key, std::string_view where) {
  const Json* field = find_field(object, key);
  if (field == nullptr) return field_failure(where, key, "is missing");
  return field;
}

std::string shown(const Json& value) {
  if (value.is_structured()) return value.type_name();
  return value.is_string() ? printable(value.get_ref<const std::string&>())
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string shown(double value) { return Json(value).dump(); }

}  // namespace

Failure json_failure(std::string_view text, size_t offset, std::string_view where,
                     std::string_view what) {
  const auto before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  // "[json.exception.parse_error.101] parse error at line 1, column 3: the reason"
  if (const auto colon = what.find(": "); what.starts_with("[json") && colon != what.npos) {
    what.remove_prefix(colon + 2);
  }
  // The parser quotes what it read, which may drive a terminal.
  std::string reason;
  for (const char c : what) reason += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  std::string place(where);
  if (offset > 0) {
    place += ": line " + std::to_string(line) + ", offset " + std::to_string(offset - 1);
  }
  return Failure{{.what = "not valid JSON: " + reason,
                  .where = std::move(place),
                  .mend = "check the file against its source"}};
}

Result<Json> parse_json(std::string_view text, std::string_view where, int max_depth) {
  return build<Json>(text, where, max_depth);
}

Result<OrderedJson> parse_ordered_json(std::string_view text, std::string_view where,
                                       int max_depth) {
  return build<OrderedJson>(text, where, max_depth);
}

const Json* find_field(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto entry = object.find(key);
  return entry == object.end() || entry->is_null() ? nullptr : &*entry;
}

Result<int64_t> integer_field(const Json& object, std::string_view key, std::string_view where,
                              IntegerRange range) {
  const Json& field = *PONDER_TRY(require(object, key, where));
  std::optional<int64_t> value;
  if (field.is_number_unsigned()) {
    const auto wide = field.get<uint64_t>();
    if (wide <= INT64_MAX) value = static_cast<int64_t>(wide);
  } else if (field.is_number_integer()) {
    value = field.get<int64_t>();
  } else if (field.is_number_float()) {
    const auto number = field.get<double>();
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (std::abs(number) <= kExact && number == std::floor(number)) {
      value = static_cast<int64_t>(number);
    }
  }
  if (!value) return field_failure(where, key, "must be an integer, is " + shown(field));
  if (*value < range.least || *value > range.most) {
    return field_failure(where, key,
                         std::to_string(*value) + " is not in " + std::to_string(range.least) +
                             " to " + std::to_string(range.most));
  }
  return *value;
}

Result<int64_t> integer_field_or(const Json& object, std::string_view key, std::string_view where,
                                 int64_t absent, IntegerRange range) {
  if (find_field(object, key) == nullptr) return absent;
  return integer_field(object, key, where, range);
}

Result<double> number_field(const Json& object, std::string_view key, std::string_view where,
                            NumberRange range) {
  const Json& field = *PONDER_TRY(require(object, key, where));
  if (!field.is_number()) return field_failure(where, key, "must be a number, is " + shown(field));
  const auto value = field.get<double>();
  if (!(value >= range.least && value <= range.most)) {
    return field_failure(
        where, key, shown(field) + " is not in " + shown(range.least) + " to " + shown(range.most));
  }
  return value;
}

Result<double> number_field_or(const Json& object, std::string_view key, std::string_view where,
                               double absent, NumberRange range) {
  if (find_field(object, key) == nullptr) return absent;
  return number_field(object, key, where, range);
}

Result<bool> bool_field(const Json& object, std::string_view key, std::string_view where) {
  const Json& field = *PONDER_TRY(require(object, key, where));
  if (!field.is_boolean()) {
    return field_failure(where, key, "must be true or false, is " + shown(field));
  }
  return field.get<bool>();
}

Result<bool> bool_field_or(const Json& object, std::string_view key, std::string_view where,
                           bool absent) {
  if (find_field(object, key) == nullptr) return absent;
  return bool_field(object, key, where);
}

Result<std::string> text_field(const Json& object, std::string_view key, std::string_view where) {
  const Json& field = *PONDER_TRY(require(object, key, where));
  if (!field.is_string()) return field_failure(where, key, "must be a string, is " + shown(field));
  return field.get<std::string>();
}

Result<std::string> text_field_or(const Json& object, std::string_view key, std::string_view where,
                                  std::string_view absent) {
  if (find_field(object, key) == nullptr) return std::string(absent);
  return text_field(object, key, where);
}

}  // namespace ponder
