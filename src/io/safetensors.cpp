#include "io/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "base/checked_math.hpp"
#include "io/json.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLargestHeader = 100'000'000;
constexpr uint64_t kLargestIndex = 32 << 20;
constexpr const char* kDamaged = "the file is damaged: get it again from its source";
constexpr std::string_view kIndexName = "model.safetensors.index.json";
constexpr std::string_view kSingleName = "model.safetensors";

struct DTypeName {
  std::string_view name;
  DType dtype;
};
constexpr std::array<DTypeName, 11> kDTypeNames = {{{"F64", DType::kF64},
                                                    {"F32", DType::kF32},
                                                    {"F16", DType::kF16},
                                                    {"BF16", DType::kBF16},
                                                    {"F8_E4M3", DType::kF8E4M3},
                                                    {"I64", DType::kI64},
                                                    {"I32", DType::kI32},
                                                    {"I16", DType::kI16},
                                                    {"I8", DType::kI8},
                                                    {"U8", DType::kU8},
                                                    {"BOOL", DType::kBool}}};

std::optional<DType> dtype_of(std::string_view name) {
  for (const auto& entry : kDTypeNames) {
    if (entry.name == name) return entry.dtype;
  }
  return std::nullopt;
}

std::string supported_types() {
  std::string list;
  for (const auto& entry : kDTypeNames) {
    if (!list.empty()) list += ", ";
    list += entry.name;
  }
  return list;
}

// A tensor as the header describes it.
struct Described {
  std::string name;
  std::optional<DType> dtype;
  Shape shape;
  std::array<uint64_t, 2> offsets = {};
  int offsets_read = 0;
  bool has_shape = false;
};

// Reads {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {…}}
// and nothing else. Each callback returns false, with problem() set, at the first surprise.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  std::vector<Described> tensors;
  std::map<std::string, std::string> metadata;

  const std::string& problem() const { return problem_; }
  size_t position() const { return position_; }

  bool null() override { return fail("null is not expected"); }
  bool boolean(bool) override { return fail("true or false is not expected"); }
  bool number_float(double, const std::string&) override { return fail("not a whole number"); }
  bool number_integer(int64_t) override { return fail("negative number"); }
  bool binary(Json::binary_t&) override { return fail("binary is not expected"); }

  bool number_unsigned(uint64_t value) override {
    if (place_ == Place::kShape) {
      auto& shape = tensors.back().shape;
      if (shape.rank == kMaxRank) return fail("more than 4 dimensions");
      if (value == 0 || value > INT64_MAX) return fail("a dimension that is zero or too large");
      shape.dims[static_cast<size_t>(shape.rank++)] = static_cast<int64_t>(value);
      return true;
    }
    if (place_ == Place::kOffsets) {
      auto& tensor = tensors.back();
      if (tensor.offsets_read == 2) return fail("more than two data_offsets");
      tensor.offsets[static_cast<size_t>(tensor.offsets_read++)] = value;
      return true;
    }
    return fail("a number is not expected");
  }

  bool string(std::string& value) override {
    if (place_ == Place::kMetadata) {
      if (!metadata.try_emplace(key_, std::move(value)).second) return twice();
      return true;
    }
    if (place_ != Place::kTensor || key_ != "dtype") return fail("a string is not expected");
    auto& tensor = tensors.back();
    if (tensor.dtype) return twice();
    tensor.dtype = dtype_of(value);
    if (!tensor.dtype)
      return fail("unknown dtype " + printable(value) + ", known: " + supported_types());
    return true;
  }

  bool start_object(size_t) override {
    if (place_ == Place::kOutside) {
      place_ = Place::kRoot;
    } else if (place_ != Place::kRoot) {
      return fail("an object is not expected");
    } else if (key_ == "__metadata__") {
      if (has_metadata_) return twice();
      has_metadata_ = true;
      place_ = Place::kMetadata;
    } else {
      if (!names_.insert(key_).second) return twice();
      tensors.emplace_back().name = key_;
      place_ = Place::kTensor;
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor) {
      const auto& tensor = tensors.back();
      if (!tensor.dtype) return fail("no dtype");
      if (!tensor.has_shape) return fail("no shape");
      if (tensor.offsets_read != 2) return fail("no data_offsets, or not two");
    }
    place_ = place_ == Place::kRoot ? Place::kOutside : Place::kRoot;
    return true;
  }

  bool start_array(size_t) override {
    if (place_ != Place::kTensor) return fail("an array is not expected");
    auto& tensor = tensors.back();
    if (key_ == "shape") {
      if (tensor.has_shape) return twice();
      tensor.has_shape = true;
      place_ = Place::kShape;
      return true;
    }
    if (key_ != "data_offsets") return fail("an array is not expected");
    if (tensor.offsets_read > 0) return twice();
    place_ = Place::kOffsets;
    return true;
  }

  bool end_array() override {
    place_ = Place::kTensor;
    return true;
  }

  bool key(std::string& key) override {
    if (place_ == Place::kTensor && key != "dtype" && key != "shape" && key != "data_offsets") {
      return fail("unknown field " + printable(key));
    }
    if (place_ == Place::kRoot && key.empty()) return fail("a tensor without a name");
    key_ = std::move(key);
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& exception) override {
    position_ = position;
    problem_ = exception.what();
    return false;
  }

 private:
  enum class Place { kOutside, kRoot, kMetadata, kTensor, kShape, kOffsets };

  bool fail(std::string what) {
    const bool in_tensor =
        place_ == Place::kTensor || place_ == Place::kShape || place_ == Place::kOffsets;
    problem_ = (in_tensor ? "tensor " + printable(tensors.back().name) + ": " : "") + what;
    return false;
  }
  bool twice() { return fail("key " + printable(key_) + " appears twice"); }

  Place place_ = Place::kOutside;
  std::string key_;
  std::set<std::string> names_;
  bool has_metadata_ = false;
  std::string problem_;
  size_t position_ = 0;
};

Failure damaged(const std::string& where, std::string what) {
  return Failure{{.what = std::move(what), .where = where, .mend = kDamaged}};
}

Result<std::string_view> header_text(std::span<const std::byte> bytes, const std::string& where) {
  uint64_t length = 0;
  if (bytes.size() < sizeof(length)) return damaged(where, "the file is shorter than 8 bytes");
  std::memcpy(&length, bytes.data(), sizeof(length));
  const uint64_t left = bytes.size() - sizeof(length);
  if (length < 2 || length > kLargestHeader || length > left) {
    return damaged(where, "a header of " + std::to_string(length) + " bytes is announced; 2 to " +
                              std::to_string(std::min(left, kLargestHeader)) + " are possible");
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof(length), length);
  if (text.front() != '{') return damaged(where, "the header does not begin with '{'");
  return text;
}

// Bytes that dtype and shape ask for.
std::optional<uint64_t> bytes_of(const Described& tensor) {
  uint64_t elements = 1;
  for (int i = 0; i < tensor.shape.rank; ++i) {
    const auto product = checked_mul(elements, static_cast<uint64_t>(tensor.shape[i]));
    if (!product || *product > INT64_MAX) return std::nullopt;
    elements = *product;
  }
  return row_bytes(*tensor.dtype, elements);
}

// Sorts by place; then each tensor must begin where the one before ended, and the last end the
// file.
Result<void> check_places(std::vector<Described>& tensors, uint64_t size,
                          const std::string& where) {
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return a.offsets < b.offsets; });
  uint64_t reached = 0;
  for (const auto& tensor : tensors) {
    const uint64_t begin = tensor.offsets[0];
    const uint64_t end = tensor.offsets[1];
    const auto failure = [&](std::string what) {
      return damaged(
          where + ": tensor " + printable(tensor.name),
          "data_offsets " + std::to_string(begin) + " to " + std::to_string(end) + std::move(what));
    };
    if (begin > end) return failure(" run backwards");
    if (end > size) return failure(": the file holds " + std::to_string(size) + " bytes of data");
    const auto needed = bytes_of(tensor);
    if (needed != end - begin) {
      return failure(" do not fit " + std::string(safetensors_dtype_name(*tensor.dtype)) + " " +
                     tensor.shape.text());
    }
    if (begin < reached) return failure(" overlap the tensor before");
    if (begin > reached) return failure(" leave a hole after " + std::to_string(reached));
    reached = end;
  }
  if (reached != size) {
    return damaged(where, std::to_string(size - reached) + " bytes behind the last tensor");
  }
  return {};
}

bool file_exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool plain_file_name(std::string_view name) {
  return name.ends_with(".safetensors") && name.front() != '.' &&
         name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
}

Result<std::map<std::string, std::string>> read_index(const std::filesystem::path& path) {
  const std::string text = PONDER_TRY(read_file(path, kLargestIndex));
  const Json index = PONDER_TRY(parse_json(text, path.string(), 8));
  const Json* listed = find_field(index, "weight_map");
  if (listed == nullptr || !listed->is_object() || listed->empty()) {
    return damaged(path.string(), "no weight_map, or an empty one");
  }
  std::map<std::string, std::string> map;
  for (const auto& [name, shard] : listed->items()) {
    const auto* file = shard.get_ptr<const Json::string_t*>();
    if (file == nullptr || !plain_file_name(*file)) {
      return damaged(path.string() + ": tensor " + printable(name),
                     "its shard must be the name of a .safetensors file in the same folder");
    }
    map.emplace(name, *file);
  }
  return map;
}

}  // namespace

std::string_view safetensors_dtype_name(DType dtype) {
  for (const auto& entry : kDTypeNames) {
    if (entry.dtype == dtype) return entry.name;
  }
  return {};
}

Result<SafetensorsHeader> parse_safetensors(std::span<const std::byte> bytes,
                                            const std::string& where) {
  const auto text = PONDER_TRY(header_text(bytes, where));
  HeaderReader reader;
  if (!Json::sax_parse(text.begin(), text.end(), &reader)) {
    if (reader.position() == 0) return damaged(where, reader.problem());
    return json_failure(text, reader.position(), where, reader.problem());
  }
  const auto data = bytes.subspan(sizeof(uint64_t) + text.size());
  PONDER_TRY(check_places(reader.tensors, data.size(), where));
  SafetensorsHeader header;
  header.metadata = std::move(reader.metadata);
  for (auto& tensor : reader.tensors) {
    const auto [begin, end] = tensor.offsets;
    header.tensors.push_back(
        {std::move(tensor.name), {*tensor.dtype, tensor.shape, data.subspan(begin, end - begin)}});
  }
  return header;
}

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& path) {
  SafetensorsFile result;
  result.path_ = path;
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) {
    PONDER_TRY(result.add(path, nullptr));
  } else if (file_exists(path / kIndexName)) {
    PONDER_TRY(result.add_shards(path, path / kIndexName));
  } else if (file_exists(path / kSingleName)) {
    PONDER_TRY(result.add(path / kSingleName, nullptr));
  } else {
    return Failure{{.what = "no " + std::string(kSingleName) + " and no " + std::string(kIndexName),
                    .where = path.string(),
                    .mend = "give the folder of a model, or a .gguf file"}};
  }
  return result;
}

// `listed` nullptr: takes all tensors. Otherwise those that the index lists; what it does not list
// nobody asks for.
Result<void> SafetensorsFile::add(const std::filesystem::path& path, const WeightMap* listed) {
  auto file = std::make_shared<const MappedFile>(PONDER_TRY(MappedFile::open(path)));
  auto header = PONDER_TRY(parse_safetensors(file->bytes(), path.string()));
  metadata_ = std::move(header.metadata);
  for (auto& tensor : header.tensors) {
    if (listed != nullptr) {
      const auto entry = listed->find(tensor.name);
      if (entry == listed->end()) continue;
      if (entry->second != path.filename()) {
        return damaged(path.string() + ": tensor " + printable(tensor.name),
                       "the index says that it is in " + printable(entry->second));
      }
    }
    PONDER_TRY(tensors_.add(std::move(tensor.name), tensor.view, file));
  }
  return {};
}

Result<void> SafetensorsFile::add_shards(const std::filesystem::path& folder,
                                         const std::filesystem::path& index) {
  const WeightMap listed = PONDER_TRY(read_index(index));
  std::set<std::string> shards;
  for (const auto& [name, shard] : listed) shards.insert(shard);
  for (const auto& shard : shards) PONDER_TRY(add(folder / shard, &listed));
  for (const auto& [name, shard] : listed) {
    if (tensors_.find(name) == nullptr) {
      return damaged(index.string() + ": tensor " + printable(name),
                     "listed in " + printable(shard) + ", which does not hold it");
    }
  }
  return {};
}

}  // namespace ponder
