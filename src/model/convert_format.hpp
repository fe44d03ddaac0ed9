// Which format each tensor of a converted model gets. Private to this module.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "model/params.hpp"

namespace ponder {

// What the user chose.
struct ConversionType {
  DType dtype = DType::kQ8_0;
  bool mix = false;        // q4_k_m
  uint32_t file_type = 0;  // general.file_type
};
Result<ConversionType> conversion_type(std::string_view name);

// The format for rows of `cols` elements of a parameter, by the rules of llama.cpp's quantiser:
// vectors and the router f32; the output matrix q6_k if the type is coarser; in the mix q6_k for
// the values' and the down projection of some layers; formats with smaller blocks for odd rows.
struct ChosenFormat {
  DType dtype = DType::kF32;
  bool fell_back = false;  // the rows are no whole number of the wanted blocks
};
ChosenFormat choose_format(const ConversionType& type, const Config& config, const ParamInfo& info,
                           int64_t cols);

}  // namespace ponder
