#include "model/convert_format.hpp"

#include <array>

#include "io/printable.hpp"
#include "model/convert.hpp"

namespace ponder {
namespace {

// Numbers of general.file_type: llama.cpp's llama_ftype.
struct FileType {
  DType dtype;
  uint32_t number;
};
constexpr std::array kFileTypes = {
    FileType{DType::kF32, 0},   FileType{DType::kF16, 1},     FileType{DType::kBF16, 32},
    FileType{DType::kQ8_0, 7},  FileType{DType::kQ4_0, 2},    FileType{DType::kQ4_1, 3},
    FileType{DType::kQ5_0, 8},  FileType{DType::kQ5_1, 9},    FileType{DType::kQ2_K, 10},
    FileType{DType::kQ3_K, 11}, FileType{DType::kQ4_K, 14},   FileType{DType::kQ5_K, 16},
    FileType{DType::kQ6_K, 18}, FileType{DType::kIQ4_NL, 25}, FileType{DType::kIQ4_XS, 30}};
constexpr std::string_view kMix = "q4_k_m";
constexpr uint32_t kMixFileType = 15;

double bits_per_weight(DType dtype) {
  const DTypeInfo& info = dtype_info(dtype);
  return 8.0 * info.block_bytes / info.block_elements;
}

// The first and the last eighth of the layers, and every third between.
bool gets_more_bits(int64_t layer, int64_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

DType wanted_format(const ConversionType& type, const Config& config, const ParamInfo& info) {
  const bool exact = info.is_vector() || info.kind == ParamKind::kRouter;
  if (exact) return DType::kF32;
  const bool output = info.kind == ParamKind::kOutput || info.kind == ParamKind::kMtpOutput ||
                      (info.kind == ParamKind::kEmbedding && config.tied);
  if (output && bits_per_weight(type.dtype) < bits_per_weight(DType::kQ6_K)) return DType::kQ6_K;
  const bool favoured = info.kind == ParamKind::kV || info.kind == ParamKind::kDown ||
                        info.kind == ParamKind::kExpertDown;
  if (type.mix && favoured && gets_more_bits(info.layer, config.layers)) return DType::kQ6_K;
  return type.dtype;
}

// The format that holds rows which `dtype` cannot: never coarser, but for the missing 4-bit ones.
DType smaller_blocks(DType dtype) {
  if (dtype_info(dtype).block_elements <= 32) return DType::kF16;
  const double bits = bits_per_weight(dtype);
  if (bits < bits_per_weight(DType::kQ4_K)) return DType::kIQ4_NL;
  if (bits < bits_per_weight(DType::kQ5_K)) return DType::kQ5_0;
  if (bits < bits_per_weight(DType::kQ6_K)) return DType::kQ5_1;
  return DType::kQ8_0;
}

}  // namespace

std::vector<std::string> conversion_types() {
  std::vector<std::string> names;
  for (const FileType& type : kFileTypes) names.emplace_back(dtype_name(type.dtype));
  names.emplace_back(kMix);
  return names;
}

Result<ConversionType> conversion_type(std::string_view name) {
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (lower == kMix) return ConversionType{DType::kQ4_K, true, kMixFileType};
  const auto dtype = parse_dtype(lower);
  for (const FileType& type : kFileTypes)
    if (dtype == type.dtype) return ConversionType{type.dtype, false, type.number};
  std::string known;
  for (const std::string& type : conversion_types()) known += (known.empty() ? "" : ", ") + type;
  return Failure{{.what = "unknown type " + printable(name),
                  .where = "conversion",
                  .mend = "types are " + known}};
}

ChosenFormat choose_format(const ConversionType& type, const Config& config, const ParamInfo& info,
                           int64_t cols) {
  ChosenFormat chosen{wanted_format(type, config, info), false};
  while (!row_bytes(chosen.dtype, static_cast<uint64_t>(cols)).has_value())
    chosen = {smaller_blocks(chosen.dtype), true};
  return chosen;
}

}  // namespace ponder
