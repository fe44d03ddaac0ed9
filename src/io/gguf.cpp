#include "io/gguf.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>

#include "io/gguf_parse.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

// What the name of a split says: stem-00002-of-00005.gguf.
struct SplitName {
  std::filesystem::path stem;  // with the folder
  uint32_t number = 1;         // from 1
  uint32_t count = 1;

  std::filesystem::path path(uint32_t of) const {
    char suffix[32];
    std::snprintf(suffix, sizeof(suffix), "-%05u-of-%05u.gguf", of, count);
    auto result = stem;
    result += suffix;
    return result;
  }
};

std::optional<uint32_t> five_digits(std::string_view text) {
  uint32_t number = 0;
  for (size_t i = 0; i < 5; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + static_cast<uint32_t>(text[i] - '0');
  }
  return number;
}

std::optional<SplitName> split_name(const std::filesystem::path& path) {
  static constexpr std::string_view kPattern = "-00000-of-00000.gguf";
  const std::string name = path.filename().string();
  if (name.size() <= kPattern.size()) return std::nullopt;
  const auto tail = std::string_view(name).substr(name.size() - kPattern.size());
  if (tail[0] != '-' || tail.substr(6, 4) != "-of-" || tail.substr(15) != ".gguf") {
    return std::nullopt;
  }
  const auto number = five_digits(tail.substr(1, 5));
  const auto count = five_digits(tail.substr(10, 5));
  if (!number || !count || *number < 1 || *number > *count) return std::nullopt;
  return SplitName{path.parent_path() / name.substr(0, name.size() - kPattern.size()), *number,
                   *count};
}

template <typename T>
T load(const GgufValue& value, uint64_t i) {
  T result;
  std::memcpy(&result, value.bytes.data() + i * sizeof(T), sizeof(T));
  return result;
}

// Element i of a scalar or an array, if it is an integer that int64_t holds.
std::optional<int64_t> integer_at(const GgufValue& value, uint64_t i) {
  switch (value.element) {
    case GgufType::kU8:
      return load<uint8_t>(value, i);
    case GgufType::kI8:
      return load<int8_t>(value, i);
    case GgufType::kU16:
      return load<uint16_t>(value, i);
    case GgufType::kI16:
      return load<int16_t>(value, i);
    case GgufType::kU32:
      return load<uint32_t>(value, i);
    case GgufType::kI32:
      return load<int32_t>(value, i);
    case GgufType::kI64:
      return load<int64_t>(value, i);
    case GgufType::kU64: {
      const auto wide = load<uint64_t>(value, i);
      if (wide <= INT64_MAX) return static_cast<int64_t>(wide);
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// Element i, if it is a finite number.
std::optional<double> number_at(const GgufValue& value, uint64_t i) {
  std::optional<double> result;
  if (value.element == GgufType::kF32) {
    result = load<float>(value, i);
  } else if (value.element == GgufType::kF64) {
    result = load<double>(value, i);
  } else if (const auto integer = integer_at(value, i)) {
    result = static_cast<double>(*integer);
  }
  return result && std::isfinite(*result) ? result : std::nullopt;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Failure key_failure(const std::filesystem::path& path, std::string_view key, std::string what) {
  return Failure{{.what = std::move(what),
                  .where = path.string() + ": key " + printable(key),
                  .mend = "get the file again, or convert the model again"}};
}

Failure absent(const std::filesystem::path& path, std::string_view key) {
  return key_failure(path, key, "is missing");
}

Failure wrong_type(const std::filesystem::path& path, std::string_view key, const GgufValue& value,
                   std::string_view expected) {
  std::string is(gguf_type_name(value.type));
  if (value.type == GgufType::kArray) {
    is += " of " + std::to_string(value.count) + " " + std::string(gguf_type_name(value.element));
  }
  return key_failure(path, key, "must be " + std::string(expected) + ", is " + is);
}

constexpr std::string_view kInteger = "an integer below 2^63";
constexpr std::string_view kNumber = "a finite number";

std::optional<int64_t> scalar_integer(const GgufHeader& header, std::string_view key) {
  const auto entry = header.values.find(key);
  if (entry == header.values.end() || entry->second.type == GgufType::kArray) return std::nullopt;
  return integer_at(entry->second, 0);
}

// That the header belongs to split `number` of `count`. Files that were merged say that they are
// split 0 of 0; files that never were split say nothing.
Result<void> check_split(const GgufHeader& header, uint32_t number, uint32_t count,
                         const std::filesystem::path& path) {
  const int64_t said_count = scalar_integer(header, "split.count").value_or(0);
  const int64_t said_number = scalar_integer(header, "split.no").value_or(0);
  if (count == 1 && said_count <= 1) return {};
  if (said_count == count && said_number == number - 1) return {};
  return Failure{
      {.what = "keys split.no = " + std::to_string(said_number) +
               " and split.count = " + std::to_string(said_count) + " do not fit the file's name",
       .where = path.string(),
       .mend = "splits are named NAME-00001-of-00003.gguf; give them their first names"}};
}

}  // namespace

bool is_gguf_file(const std::filesystem::path& path) {
  if (path.extension() == ".gguf") return true;
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  return file.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "GGUF";
}

Result<GgufFile> GgufFile::open(const std::filesystem::path& path) {
  return open_parts(path, GgufPart::kAll);
}

Result<GgufFile> GgufFile::open_metadata(const std::filesystem::path& path) {
  return open_parts(path, GgufPart::kMetadata);
}

Result<GgufFile> GgufFile::open_parts(const std::filesystem::path& path, GgufPart part) {
  GgufFile result;
  result.path_ = path;
  const auto split = split_name(path);
  const uint32_t count = split ? split->count : 1;
  // The first split holds the metadata of all.
  const uint32_t wanted = part == GgufPart::kMetadata ? 1 : count;
  int64_t announced = -1;
  for (uint32_t number = 1; number <= wanted; ++number) {
    const auto part_path = split ? split->path(number) : path;
    auto opened = MappedFile::open(part_path);
    if (!opened.ok() && count > 1) {
      auto error = std::move(opened).take_error();
      error.mend = "all " + std::to_string(count) + " splits must lie in one folder";
      return Failure{std::move(error)};
    }
    auto file = std::make_shared<const MappedFile>(PONDER_TRY(std::move(opened)));
    auto header = PONDER_TRY(parse_gguf(file->bytes(), part_path.string(), part));
    PONDER_TRY(check_split(header, number, count, part_path));
    if (number == 1) announced = scalar_integer(header, "split.tensors.count").value_or(-1);
    PONDER_TRY(result.add(std::move(header), std::move(file)));
  }
  const auto found = static_cast<int64_t>(result.tensors_.names().size());
  if (wanted > 1 && announced >= 0 && announced != found) {
    return key_failure(path, "split.tensors.count",
                       "is " + std::to_string(announced) + ", but the splits hold " +
                           std::to_string(found) + " tensors");
  }
  return result;
}

Result<void> GgufFile::add(GgufHeader header, std::shared_ptr<const MappedFile> file) {
  if (files_.empty()) {
    keys_ = std::move(header.keys);
    values_ = std::move(header.values);
  }
  for (auto& tensor : header.tensors) {
    PONDER_TRY(tensors_.add(std::move(tensor.name), tensor.view, file));
  }
  files_.push_back(std::move(file));
  return {};
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto entry = values_.find(key);
  return entry == values_.end() ? nullptr : &entry->second;
}

Result<int64_t> GgufFile::integer(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return absent(path_, key);
  if (value->type != GgufType::kArray) {
    if (const auto integer = integer_at(*value, 0)) return *integer;
  }
  return wrong_type(path_, key, *value, kInteger);
}

Result<int64_t> GgufFile::integer_or(std::string_view key, int64_t absent) const {
  return find(key) == nullptr ? Result<int64_t>(absent) : integer(key);
}

Result<double> GgufFile::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return absent(path_, key);
  if (value->type != GgufType::kArray) {
    if (const auto number = number_at(*value, 0)) return *number;
  }
  return wrong_type(path_, key, *value, kNumber);
}

Result<double> GgufFile::number_or(std::string_view key, double absent) const {
  return find(key) == nullptr ? Result<double>(absent) : number(key);
}

Result<bool> GgufFile::boolean_or(std::string_view key, bool absent) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return absent;
  if (value->type != GgufType::kBool) return wrong_type(path_, key, *value, "a bool");
  return load<uint8_t>(*value, 0) != 0;
}

Result<std::string> GgufFile::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return absent(path_, key);
  if (value->type != GgufType::kString) return wrong_type(path_, key, *value, "a string");
  return std::string(text_of(value->bytes.subspan(sizeof(uint64_t))));
}

Result<std::string> GgufFile::text_or(std::string_view key, std::string_view absent) const {
  return find(key) == nullptr ? Result<std::string>(std::string(absent)) : text(key);
}

Result<std::vector<std::string_view>> GgufFile::texts(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return absent(path_, key);
  if (value->type != GgufType::kArray || value->element != GgufType::kString) {
    return wrong_type(path_, key, *value, "an array of strings");
  }
  std::vector<std::string_view> result;
  result.reserve(value->count);
  auto rest = value->bytes;
  for (uint64_t i = 0; i < value->count; ++i) {
    uint64_t length;
    std::memcpy(&length, rest.data(), sizeof(length));
    result.push_back(text_of(rest.subspan(sizeof(length), length)));
    rest = rest.subspan(sizeof(length) + length);
  }
  return result;
}

Result<std::vector<int64_t>> GgufFile::integers(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return absent(path_, key);
  if (value->type != GgufType::kArray) return wrong_type(path_, key, *value, "an array");
  std::vector<int64_t> result;
  for (uint64_t i = 0; i < value->count; ++i) {
    const auto integer = integer_at(*value, i);
    if (!integer) return wrong_type(path_, key, *value, "an array of integers below 2^63");
    result.push_back(*integer);
  }
  return result;
}

Result<std::vector<float>> GgufFile::numbers(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return absent(path_, key);
  if (value->type != GgufType::kArray) return wrong_type(path_, key, *value, "an array");
  std::vector<float> result;
  for (uint64_t i = 0; i < value->count; ++i) {
    const auto number = number_at(*value, i);
    if (!number) return wrong_type(path_, key, *value, "an array of finite numbers");
    result.push_back(static_cast<float>(*number));
  }
  return result;
}

}  // namespace ponder
