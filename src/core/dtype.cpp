#include "core/dtype.hpp"

#include <array>
#include <cctype>

#include "base/checked_math.hpp"

namespace ponder {
namespace {

constexpr std::array<DTypeInfo, kDTypeCount> kInfo = {{
    {"f32", 1, 4, false},       {"f16", 1, 2, false},     {"bf16", 1, 2, false},
    {"f8_e4m3", 1, 1, false},   {"q8_0", 32, 34, true},   {"q4_0", 32, 18, true},
    {"q4_1", 32, 20, true},     {"q5_0", 32, 22, true},   {"q5_1", 32, 24, true},
    {"q2_k", 256, 84, true},    {"q3_k", 256, 110, true}, {"q4_k", 256, 144, true},
    {"q5_k", 256, 176, true},   {"q6_k", 256, 210, true}, {"iq4_nl", 32, 18, true},
    {"iq4_xs", 256, 136, true}, {"i8", 1, 1, false},      {"i16", 1, 2, false},
    {"i32", 1, 4, false},       {"i64", 1, 8, false},     {"u8", 1, 1, false},
    {"bool", 1, 1, false},      {"f64", 1, 8, false},
}};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) !=
        std::tolower(static_cast<unsigned char>(b[i])))
      return false;
  }
  return true;
}

}  // namespace

const DTypeInfo& dtype_info(DType dtype) { return kInfo[static_cast<size_t>(dtype)]; }

std::optional<DType> parse_dtype(std::string_view name) {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (equal_ignoring_case(kInfo[static_cast<size_t>(i)].name, name)) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::optional<uint64_t> row_bytes(DType dtype, uint64_t elements) {
  const auto& info = dtype_info(dtype);
  const auto block = static_cast<uint64_t>(info.block_elements);
  if (elements % block != 0) return std::nullopt;
  return checked_mul(elements / block, static_cast<uint64_t>(info.block_bytes));
}

}  // namespace ponder
