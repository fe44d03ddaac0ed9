// Element and block formats of tensors, as files name them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ponder {

// Sizes and names of a format come from dtype_info(); what its bits mean from quant/<format>/.
enum class DType : uint8_t {
  kF32,
  kF16,
  kBF16,
  kF8E4M3,
  kQ8_0,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ4_NL,
  kIQ4_XS,
  kI8,
  kI16,
  kI32,
  kI64,
  kU8,
  kBool,
  kF64,
};
inline constexpr int kDTypeCount = static_cast<int>(DType::kF64) + 1;

struct DTypeInfo {
  std::string_view name;  // as Ponder prints it: "q4_k", "f32" …
  int block_elements;     // elements per block (1 for plain formats)
  int block_bytes;        // bytes per block
  bool quantised;         // has blocks with scales
};

const DTypeInfo& dtype_info(DType dtype);
inline std::string_view dtype_name(DType dtype) { return dtype_info(dtype).name; }

// "q4_k", "Q4_K", "f16" …; nothing if unknown.
std::optional<DType> parse_dtype(std::string_view name);

// Bytes of a row of `elements`; nothing if it is not a whole number of blocks or overflows.
std::optional<uint64_t> row_bytes(DType dtype, uint64_t elements);

}  // namespace ponder
