#include "data/parquet/arrow/json_rows.hpp"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <charconv>
#include <cmath>

#include "data/io/document.hpp"

namespace ponder {
namespace {

constexpr int kDeepest = 64;

template <typename Number>
void append_number(std::string& out, Number value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  out.append(text, end);
}

void append_real(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const size_t from = out.size();
  append_number(out, value);
  // Recognisable as no integer.
  if (out.find_first_of(".e", from) == out.npos) out += ".0";
}

template <typename Array>
void append_text(std::string& out, const arrow::Array& array, int64_t row) {
  append_json_string(out, static_cast<const Array&>(array).GetView(row));
}

template <typename Array>
bool append_list(std::string& out, const arrow::Array& array, int64_t row, int depth) {
  const auto& list = static_cast<const Array&>(array);
  const int64_t begin = list.value_offset(row), count = list.value_length(row);
  out += '[';
  for (int64_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    if (!append_value(out, *list.values(), begin + i, depth + 1)) return false;
  }
  out += ']';
  return true;
}

bool append_struct(std::string& out, const arrow::Array& array, int64_t row, int depth) {
  const auto& object = static_cast<const arrow::StructArray&>(array);
  out += '{';
  for (int i = 0; i < object.num_fields(); ++i) {
    if (i > 0) out += ", ";
    append_json_string(out, object.type()->field(i)->name());
    out += ": ";
    if (!append_value(out, *object.field(i), row, depth + 1)) return false;
  }
  out += '}';
  return true;
}

// Numbers, by the type that T is the array of.
template <typename T>
void append_integer(std::string& out, const arrow::Array& array, int64_t row) {
  append_number(out, static_cast<const T&>(array).Value(row));
}

bool append_scalar(std::string& out, const arrow::Array& array, int64_t row) {
  const auto scalar = array.GetScalar(row);
  append_json_string(out, scalar.ok() ? (*scalar)->ToString() : "");
  return true;
}

bool append_plain(std::string& out, const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      out += static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
      return true;
    case arrow::Type::INT8:
      append_number(out, int{static_cast<const arrow::Int8Array&>(array).Value(row)});
      return true;
    case arrow::Type::UINT8:
      append_number(out, int{static_cast<const arrow::UInt8Array&>(array).Value(row)});
      return true;
    case arrow::Type::INT16:
      append_integer<arrow::Int16Array>(out, array, row);
      return true;
    case arrow::Type::UINT16:
      append_integer<arrow::UInt16Array>(out, array, row);
      return true;
    case arrow::Type::INT32:
      append_integer<arrow::Int32Array>(out, array, row);
      return true;
    case arrow::Type::UINT32:
      append_integer<arrow::UInt32Array>(out, array, row);
      return true;
    case arrow::Type::INT64:
      append_integer<arrow::Int64Array>(out, array, row);
      return true;
    case arrow::Type::UINT64:
      append_integer<arrow::UInt64Array>(out, array, row);
      return true;
    case arrow::Type::FLOAT:
      append_real(out, static_cast<const arrow::FloatArray&>(array).Value(row));
      return true;
    case arrow::Type::DOUBLE:
      append_real(out, static_cast<const arrow::DoubleArray&>(array).Value(row));
      return true;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      append_text<arrow::BinaryArray>(out, array, row);
      return true;
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      append_text<arrow::LargeBinaryArray>(out, array, row);
      return true;
    case arrow::Type::FIXED_SIZE_BINARY:
      append_text<arrow::FixedSizeBinaryArray>(out, array, row);
      return true;
    default:
      return append_scalar(out, array, row);
  }
}

}  // namespace

bool append_value(std::string& out, const arrow::Array& array, int64_t row, int depth) {
  if (depth > kDeepest) return false;
  if (array.IsNull(row)) {
    out += "null";
    return true;
  }
  switch (array.type_id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return append_list<arrow::ListArray>(out, array, row, depth);
    case arrow::Type::LARGE_LIST:
      return append_list<arrow::LargeListArray>(out, array, row, depth);
    case arrow::Type::FIXED_SIZE_LIST:
      return append_list<arrow::FixedSizeListArray>(out, array, row, depth);
    case arrow::Type::STRUCT:
      return append_struct(out, array, row, depth);
    case arrow::Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return append_value(out, *coded.dictionary(), coded.GetValueIndex(row), depth + 1);
    }
    case arrow::Type::EXTENSION:
      return append_value(out, *static_cast<const arrow::ExtensionArray&>(array).storage(), row,
                          depth + 1);
    default:
      return append_plain(out, array, row);
  }
}

bool append_row(std::string& out, const arrow::RecordBatch& batch, int64_t row) {
  out += '{';
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (i > 0) out += ", ";
    append_json_string(out, batch.column_name(i));
    out += ": ";
    if (!append_value(out, *batch.column(i), row)) return false;
  }
  out += '}';
  return true;
}

}  // namespace ponder
