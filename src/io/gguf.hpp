// Reading GGUF v3 files: metadata and a table of tensors over a read-only mapping.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/tensor_map.hpp"

namespace ponder {

struct GgufHeader;  // these two: io/gguf_parse.hpp
enum class GgufPart;

enum class GgufType : uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64
};

// One metadata value: where its bytes are and how to read them. Checked when the file was opened.
struct GgufValue {
  GgufType type = GgufType::kU8;
  GgufType element = GgufType::kU8;  // of an array
  uint64_t count = 1;                // elements of an array
  std::span<const std::byte> bytes;  // payload, without type and count
};

// Whether the name ends in .gguf, or the file begins as a GGUF file does (ollama's have no ending).
bool is_gguf_file(const std::filesystem::path& path);

// A GGUF file, or all splits of one opened through any of them. Getters fail with the key's name
// when it is absent or of another kind; the *_or forms take a default for absent keys only.
class GgufFile {
 public:
  static Result<GgufFile> open(const std::filesystem::path& path);
  // Only the metadata, also of a file that was cut after it: tensors() is empty.
  static Result<GgufFile> open_metadata(const std::filesystem::path& path);

  const GgufValue* find(std::string_view key) const;
  Result<int64_t> integer(std::string_view key) const;  // any integer type that fits
  Result<int64_t> integer_or(std::string_view key, int64_t absent) const;
  Result<double> number(std::string_view key) const;  // float or integer
  Result<double> number_or(std::string_view key, double absent) const;
  Result<bool> boolean_or(std::string_view key, bool absent) const;
  Result<std::string> text(std::string_view key) const;
  Result<std::string> text_or(std::string_view key, std::string_view absent) const;
  Result<std::vector<std::string_view>> texts(std::string_view key) const;  // views into the file
  Result<std::vector<int64_t>> integers(std::string_view key) const;
  Result<std::vector<float>> numbers(std::string_view key) const;

  const std::vector<std::string>& keys() const { return keys_; }  // in file order
  const TensorMap& tensors() const { return tensors_; }           // of all splits
  const std::filesystem::path& path() const { return path_; }

 private:
  static Result<GgufFile> open_parts(const std::filesystem::path& path, GgufPart part);
  Result<void> add(GgufHeader header, std::shared_ptr<const MappedFile> file);

  std::filesystem::path path_;
  std::vector<std::shared_ptr<const MappedFile>> files_;  // what values_ points into
  std::vector<std::string> keys_;
  std::map<std::string, GgufValue, std::less<>> values_;
  TensorMap tensors_;
};

}  // namespace ponder
