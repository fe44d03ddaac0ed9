// Which columns records of JSON have, and their values as Arrow's arrays.
#pragma once

#include <arrow/array/builder_base.h>
#include <arrow/type.h>
#include <simdjson.h>

#include <memory>
#include <string>
#include <vector>

namespace ponder {

// The type that holds all values seen so far.
struct Shape {
  enum Kind { kNull, kBool, kInteger, kReal, kText, kList, kStruct, kJson };

  Kind kind = kNull;
  bool large = false;              // an integer that a double cannot hold was seen
  std::vector<std::string> names;  // of a struct's members, in the order in which they came
  std::vector<Shape> parts;        // of a struct its members, of a list what is in it

  // Widens the shape by a value; what fits nothing common becomes kJson.
  void see(const simdjson::dom::element& value, int depth = 0);
  // Called once, when all is seen: what Parquet cannot hold (a struct without members) becomes
  // kJson.
  void close();
  std::shared_ptr<arrow::DataType> type() const;

 private:
  void see_object(const simdjson::dom::object& object, int depth);
  void become(Kind wanted);
};

// Adds a value of which the shape was made to a builder of its type.
arrow::Status append_json(arrow::ArrayBuilder& builder, const Shape& shape,
                          const simdjson::dom::element& value);
// The same for the member `name` of an object; null if it is not there.
arrow::Status append_member(arrow::ArrayBuilder& builder, const Shape& shape,
                            const simdjson::dom::object& object, std::string_view name);

}  // namespace ponder
