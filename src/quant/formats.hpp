// The list of weight formats, and the only dispatch from a DType to one of them. A new format is
// one folder and one line here (and its DType).
#pragma once

#include <type_traits>

#include "base/macros.hpp"
#include "core/dtype.hpp"
#include "quant/bf16/bf16.hpp"
#include "quant/f16/f16.hpp"
#include "quant/f32/f32.hpp"
#include "quant/f8e4m3/f8e4m3.hpp"
#include "quant/iq4_nl/iq4_nl.hpp"
#include "quant/iq4_xs/iq4_xs.hpp"
#include "quant/q2_k/q2_k.hpp"
#include "quant/q3_k/q3_k.hpp"
#include "quant/q4_0/q4_0.hpp"
#include "quant/q4_1/q4_1.hpp"
#include "quant/q4_k/q4_k.hpp"
#include "quant/q5_0/q5_0.hpp"
#include "quant/q5_1/q5_1.hpp"
#include "quant/q5_k/q5_k.hpp"
#include "quant/q6_k/q6_k.hpp"
#include "quant/q8_0/q8_0.hpp"

namespace ponder {

template <typename... Format>
struct FormatList {};

using Formats = FormatList<F32, F16, BF16, F8E4M3,        //
                           Q8_0, Q4_0, Q4_1, Q5_0, Q5_1,  //
                           Q2_K, Q3_K, Q4_K, Q5_K, Q6_K,  //
                           IQ4_NL, IQ4_XS>;

template <typename... Format>
PONDER_INLINE constexpr bool is_format_in(FormatList<Format...>, DType dtype) {
  return ((dtype == Format::kDType) || ...);
}

// Whether weights can have this type, that is, whether visit_format accepts it.
PONDER_INLINE constexpr bool is_format(DType dtype) { return is_format_in(Formats{}, dtype); }

template <typename Visitor, typename First, typename... Rest>
PONDER_INLINE decltype(auto) visit_format_in(FormatList<First, Rest...>, DType dtype,
                                             Visitor&& visitor) {
  if constexpr (sizeof...(Rest) == 0) {
    PONDER_CHECK(dtype == First::kDType);
    return visitor(First{});
  } else {
    if (dtype == First::kDType) return visitor(First{});
    return visit_format_in(FormatList<Rest...>{}, dtype, visitor);
  }
}

// Calls visitor(Format{}) with the format of `dtype`, for which is_format() must hold, and returns
// what it returns (the same type for every format):
//   visit_format(dtype, [&](auto format) { using Format = decltype(format); … });
template <typename Visitor>
PONDER_INLINE decltype(auto) visit_format(DType dtype, Visitor&& visitor) {
  return visit_format_in(Formats{}, dtype, visitor);
}

}  // namespace ponder
