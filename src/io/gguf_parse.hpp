// The header of one GGUF file, read from bytes that nobody has checked yet.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor_view.hpp"
#include "io/gguf.hpp"

namespace ponder {

struct GgufTensor {
  std::string name;
  TensorView view;  // of the bytes parsed
};

// Values and views point into the bytes that were parsed.
struct GgufHeader {
  std::vector<std::string> keys;  // in file order
  std::map<std::string, GgufValue, std::less<>> values;
  std::vector<GgufTensor> tensors;  // in file order; empty if only metadata was asked for
};

enum class GgufPart { kAll, kMetadata };

// Checks every count, length and offset against `bytes`, the whole file. With kMetadata the table
// of tensors and their data are not looked at. `where` names the file in errors.
Result<GgufHeader> parse_gguf(std::span<const std::byte> bytes, const std::string& where,
                              GgufPart part);

// Bytes of a scalar of the type; 0 for strings and arrays.
size_t gguf_scalar_bytes(GgufType type);
// "u32", "string" …
std::string_view gguf_type_name(GgufType type);

// The number of a format in GGUF files, if it has one.
std::optional<uint32_t> gguf_tensor_type(DType dtype);

}  // namespace ponder
