#include "io/gguf_parse.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "base/checked_math.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLongestKey = 65535;
constexpr uint64_t kLongestTensorName = 1024;
constexpr uint64_t kMostKeys = 1 << 16;
constexpr uint64_t kMostTensors = 1 << 20;
constexpr uint64_t kLargestAlignment = 1 << 20;
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint32_t kOldestVersion = 2;  // 3 differs from 2 only by allowing big-endian files
constexpr uint32_t kNewestVersion = 3;
constexpr const char* kDamaged = "the file is damaged: get it again from its source";

struct TypeInfo {
  std::string_view name;
  uint8_t bytes;
};
constexpr std::array<TypeInfo, 13> kTypes = {{{"u8", 1},
                                              {"i8", 1},
                                              {"u16", 2},
                                              {"i16", 2},
                                              {"u32", 4},
                                              {"i32", 4},
                                              {"f32", 4},
                                              {"bool", 1},
                                              {"string", 0},
                                              {"array", 0},
                                              {"u64", 8},
                                              {"i64", 8},
                                              {"f64", 8}}};

struct TensorType {
  uint32_t number;
  DType dtype;
};
constexpr std::array<TensorType, 20> kTensorTypes = {{
    {0, DType::kF32},     {1, DType::kF16},     {2, DType::kQ4_0},  {3, DType::kQ4_1},
    {6, DType::kQ5_0},    {7, DType::kQ5_1},    {8, DType::kQ8_0},  {10, DType::kQ2_K},
    {11, DType::kQ3_K},   {12, DType::kQ4_K},   {13, DType::kQ5_K}, {14, DType::kQ6_K},
    {20, DType::kIQ4_NL}, {23, DType::kIQ4_XS}, {24, DType::kI8},   {25, DType::kI16},
    {26, DType::kI32},    {27, DType::kI64},    {28, DType::kF64},  {30, DType::kBF16},
}};

// Formats of other programs, named so that the message says more than a number.
struct ForeignType {
  uint32_t number;
  std::string_view name;
};
constexpr std::array<ForeignType, 13> kForeignTypes = {{{9, "q8_1"},
                                                        {15, "q8_k"},
                                                        {16, "iq2_xxs"},
                                                        {17, "iq2_xs"},
                                                        {18, "iq3_xxs"},
                                                        {19, "iq1_s"},
                                                        {21, "iq3_s"},
                                                        {22, "iq2_s"},
                                                        {29, "iq1_m"},
                                                        {34, "tq1_0"},
                                                        {35, "tq2_0"},
                                                        {39, "mxfp4"},
                                                        {40, "nvfp4"}}};

std::optional<DType> dtype_of(uint32_t number) {
  for (const auto& type : kTensorTypes) {
    if (type.number == number) return type.dtype;
  }
  return std::nullopt;
}

std::string tensor_type_text(uint32_t number) {
  for (const auto& type : kForeignTypes) {
    if (type.number == number) return std::to_string(number) + " (" + std::string(type.name) + ")";
  }
  return std::to_string(number);
}

std::string supported_types() {
  std::string list;
  for (const auto& type : kTensorTypes) {
    if (!list.empty()) list += ", ";
    list += dtype_name(type.dtype);
  }
  return list;
}

// Reads little-endian values from the front of a file, never past its end.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const std::string& where)
      : bytes_(bytes), where_(where) {}

  uint64_t offset() const { return offset_; }
  uint64_t left() const { return bytes_.size() - offset_; }

  Failure failure(std::string what, std::string mend = kDamaged) const {
    return Failure{{.what = std::move(what),
                    .where = where_ + ": offset " + std::to_string(offset_),
                    .mend = std::move(mend)}};
  }

  template <typename T>
  Result<T> read(std::string_view what) {
    const auto part = PONDER_TRY(take(sizeof(T), what));
    T value;
    std::memcpy(&value, part.data(), sizeof(T));
    return value;
  }

  Result<std::span<const std::byte>> take(uint64_t count, std::string_view what) {
    if (count > left()) {
      return failure("the file ends inside " + std::string(what) + ": " + std::to_string(count) +
                     " bytes announced, " + std::to_string(left()) + " left");
    }
    const auto part = bytes_.subspan(offset_, count);
    offset_ += count;
    return part;
  }

  Result<std::string_view> string(std::string_view what, uint64_t longest = UINT64_MAX) {
    const uint64_t length = PONDER_TRY(read<uint64_t>(what));
    if (length > longest) {
      return failure(std::string(what) + " of " + std::to_string(length) +
                     " bytes is longer than " + std::to_string(longest));
    }
    const auto part = PONDER_TRY(take(length, what));
    return std::string_view(reinterpret_cast<const char*>(part.data()), part.size());
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t offset_ = 0;
  const std::string& where_;
};

struct Counts {
  uint64_t tensors = 0;
  uint64_t keys = 0;
};

Result<Counts> read_preamble(Cursor& cursor) {
  const auto magic = PONDER_TRY(cursor.take(4, "the magic number"));
  if (std::memcmp(magic.data(), "GGUF", 4) != 0) {
    return cursor.failure("not a GGUF file: it does not begin with \"GGUF\"",
                          "give a .gguf file, or a folder with safetensors");
  }
  const auto version = PONDER_TRY(cursor.read<uint32_t>("the version"));
  const uint32_t swapped = __builtin_bswap32(version);
  if (swapped >= 1 && swapped <= kNewestVersion) {
    return cursor.failure("the file is big-endian (version " + std::to_string(swapped) + ")",
                          "convert it to little-endian");
  }
  if (version < kOldestVersion || version > kNewestVersion) {
    return cursor.failure("GGUF version " + std::to_string(version) + " is not supported",
                          "use a file of version 3");
  }
  Counts counts;
  counts.tensors = PONDER_TRY(cursor.read<uint64_t>("the number of tensors"));
  counts.keys = PONDER_TRY(cursor.read<uint64_t>("the number of keys"));
  if (counts.tensors > kMostTensors || counts.tensors > cursor.left()) {
    return cursor.failure("absurd number of tensors: " + std::to_string(counts.tensors));
  }
  if (counts.keys > kMostKeys || counts.keys > cursor.left()) {
    return cursor.failure("absurd number of keys: " + std::to_string(counts.keys));
  }
  return counts;
}

Result<GgufType> read_type(Cursor& cursor, std::string_view what) {
  const auto number = PONDER_TRY(cursor.read<uint32_t>(what));
  if (number >= kTypes.size()) {
    return cursor.failure(std::string(what) + " is " + std::to_string(number) + ", not 0 to 12");
  }
  return static_cast<GgufType>(number);
}

Result<void> check_bools(const Cursor& cursor, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    if (std::to_integer<int>(byte) > 1) return cursor.failure("a bool that is neither 0 nor 1");
  }
  return {};
}

// Moves past `count` elements of a type that is not an array; returns their bytes.
Result<std::span<const std::byte>> take_elements(Cursor& cursor, GgufType type, uint64_t count) {
  if (type != GgufType::kString) {
    const auto total = checked_mul(count, gguf_scalar_bytes(type));
    if (!total) return cursor.failure("absurd array length: " + std::to_string(count));
    const auto bytes = PONDER_TRY(cursor.take(*total, "a value"));
    if (type == GgufType::kBool) PONDER_TRY(check_bools(cursor, bytes));
    return bytes;
  }
  if (count > cursor.left() / sizeof(uint64_t)) {
    return cursor.failure("the file ends inside an array of " + std::to_string(count) + " strings");
  }
  Cursor walker = cursor;
  for (uint64_t i = 0; i < count; ++i) PONDER_TRY(walker.string("a string"));
  return cursor.take(walker.offset() - cursor.offset(), "strings");
}

Result<GgufValue> read_value(Cursor& cursor) {
  GgufValue value;
  value.type = PONDER_TRY(read_type(cursor, "the type of a value"));
  value.element = value.type;
  if (value.type == GgufType::kArray) {
    value.element = PONDER_TRY(read_type(cursor, "the type of an array's elements"));
    if (value.element == GgufType::kArray) {
      return cursor.failure("arrays of arrays are not supported");
    }
    value.count = PONDER_TRY(cursor.read<uint64_t>("the length of an array"));
  }
  value.bytes = PONDER_TRY(take_elements(cursor, value.element, value.count));
  return value;
}

// Adds the place to the error of a value: a reader knows keys better than offsets.
Failure about(Error error, const std::string& subject) {
  error.where += ", " + subject;
  return Failure{std::move(error)};
}

Result<void> read_metadata(Cursor& cursor, uint64_t count, GgufHeader& header) {
  for (uint64_t i = 0; i < count; ++i) {
    const auto key = PONDER_TRY(cursor.string("a key", kLongestKey));
    if (key.empty()) return cursor.failure("empty key");
    auto value = read_value(cursor);
    if (!value.ok()) return about(std::move(value).take_error(), "key " + printable(key));
    if (!header.values.try_emplace(std::string(key), value.value()).second) {
      return cursor.failure("key " + printable(key) + " appears twice");
    }
    header.keys.emplace_back(key);
  }
  return {};
}

Result<uint64_t> read_alignment(const GgufHeader& header, const std::string& where) {
  const auto entry = header.values.find("general.alignment");
  if (entry == header.values.end()) return kDefaultAlignment;
  const auto failure = [&](std::string what) {
    return Failure{
        {.what = std::move(what), .where = where + ": key 'general.alignment'", .mend = kDamaged}};
  };
  if (entry->second.type != GgufType::kU32) {
    return failure("must be u32, not " + std::string(gguf_type_name(entry->second.type)));
  }
  uint32_t alignment;
  std::memcpy(&alignment, entry->second.bytes.data(), sizeof(alignment));
  if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > kLargestAlignment) {
    return failure(std::to_string(alignment) + " is not a power of two up to " +
                   std::to_string(kLargestAlignment));
  }
  return uint64_t{alignment};
}

// What the table says of a tensor, before it is compared with the data.
struct TableEntry {
  std::string_view name;
  DType dtype = DType::kF32;
  Shape shape;
  uint64_t offset = 0;  // from the start of the data
  uint64_t bytes = 0;
};

// Reads ne[], innermost first, and works out the shape and the bytes of the tensor.
Result<void> read_shape(Cursor& cursor, TableEntry& entry) {
  const auto rank = PONDER_TRY(cursor.read<uint32_t>("the number of dimensions"));
  if (rank < 1 || rank > kMaxRank) {
    return cursor.failure(std::to_string(rank) + " dimensions; 1 to 4 are possible");
  }
  entry.shape.rank = static_cast<int>(rank);
  uint64_t elements = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    const auto dim = PONDER_TRY(cursor.read<uint64_t>("the dimensions"));
    const auto product = checked_mul(elements, dim);
    if (dim == 0 || !product || *product > INT64_MAX) {
      return cursor.failure("dimension " + std::to_string(dim) + " is zero or too large");
    }
    elements = *product;
    entry.shape.dims[rank - 1 - i] = static_cast<int64_t>(dim);
  }
  const auto type = PONDER_TRY(cursor.read<uint32_t>("the tensor's type"));
  const auto dtype = dtype_of(type);
  if (!dtype) {
    return cursor.failure("type " + tensor_type_text(type) + " is not supported",
                          "supported types: " + supported_types());
  }
  entry.dtype = *dtype;
  const auto row = static_cast<uint64_t>(entry.shape[static_cast<int>(rank) - 1]);
  const auto bytes_of_row = row_bytes(*dtype, row);
  if (!bytes_of_row) {
    return cursor.failure("a row of " + std::to_string(row) + " is not whole blocks of " +
                          std::string(dtype_name(*dtype)));
  }
  const auto bytes = checked_mul(*bytes_of_row, elements / row);
  if (!bytes) return cursor.failure("shape " + entry.shape.text() + " is too large");
  entry.bytes = *bytes;
  return {};
}

Result<std::vector<TableEntry>> read_table(Cursor& cursor, uint64_t count) {
  std::vector<TableEntry> table;
  std::set<std::string_view> names;
  for (uint64_t i = 0; i < count; ++i) {
    TableEntry entry;
    entry.name = PONDER_TRY(cursor.string("a tensor's name", kLongestTensorName));
    if (entry.name.empty()) return cursor.failure("a tensor without a name");
    if (!names.insert(entry.name).second) {
      return cursor.failure("tensor " + printable(entry.name) + " appears twice");
    }
    auto shape = read_shape(cursor, entry);
    if (!shape.ok()) {
      return about(std::move(shape).take_error(), "tensor " + printable(entry.name));
    }
    entry.offset = PONDER_TRY(cursor.read<uint64_t>("a tensor's offset"));
    table.push_back(entry);
  }
  return table;
}

// Every tensor aligned and inside the data (of `size` bytes), and no two overlapping.
Result<void> check_places(const std::vector<TableEntry>& table, uint64_t size, uint64_t alignment,
                          const std::string& where) {
  const auto failure = [&](const TableEntry& entry, std::string what) {
    return Failure{{.what = std::move(what),
                    .where = where + ": tensor " + printable(entry.name),
                    .mend = kDamaged}};
  };
  std::vector<const TableEntry*> sorted;
  for (const auto& entry : table) {
    if (entry.offset % alignment != 0) {
      return failure(entry, "offset " + std::to_string(entry.offset) + " is not a multiple of " +
                                std::to_string(alignment));
    }
    const auto end = checked_add(entry.offset, entry.bytes);
    if (!end || *end > size) {
      return failure(entry, std::to_string(entry.bytes) + " bytes at offset " +
                                std::to_string(entry.offset) + " of the data, but the file holds " +
                                std::to_string(size) + " bytes of data");
    }
    sorted.push_back(&entry);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->offset < sorted[i - 1]->offset + sorted[i - 1]->bytes) {
      return failure(*sorted[i], "overlaps tensor " + printable(sorted[i - 1]->name));
    }
  }
  return {};
}

}  // namespace

size_t gguf_scalar_bytes(GgufType type) { return kTypes[static_cast<size_t>(type)].bytes; }
std::string_view gguf_type_name(GgufType type) { return kTypes[static_cast<size_t>(type)].name; }

std::optional<uint32_t> gguf_tensor_type(DType dtype) {
  for (const auto& type : kTensorTypes) {
    if (type.dtype == dtype) return type.number;
  }
  return std::nullopt;
}

Result<GgufHeader> parse_gguf(std::span<const std::byte> bytes, const std::string& where,
                              GgufPart part) {
  Cursor cursor(bytes, where);
  GgufHeader header;
  const Counts counts = PONDER_TRY(read_preamble(cursor));
  PONDER_TRY(read_metadata(cursor, counts.keys, header));
  if (part == GgufPart::kMetadata) return header;

  const uint64_t alignment = PONDER_TRY(read_alignment(header, where));
  const auto table = PONDER_TRY(read_table(cursor, counts.tensors));
  // Cannot wrap: both are far below 2^63.
  const uint64_t begin = *checked_round_up(cursor.offset(), alignment);
  const uint64_t size = begin < bytes.size() ? bytes.size() - begin : 0;
  PONDER_TRY(check_places(table, size, alignment, where));
  for (const auto& entry : table) {
    const auto data = bytes.subspan(begin + entry.offset, entry.bytes);
    header.tensors.push_back({std::string(entry.name), {entry.dtype, entry.shape, data}});
  }
  return header;
}

}  // namespace ponder
