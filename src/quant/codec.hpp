// Rows of weights from and to f32, by the run-time name of their format. Scalar reference code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.hpp"

namespace ponder {

// row: row_bytes(dtype, elements) bytes, any alignment; out: (elements). `dtype` is a format
// (is_format) and `elements` a multiple of its block.
void decode_row(DType dtype, const std::byte* row, int64_t elements, float* out);

// The reverse, for any format. Every input gives a valid row (see quant/format.hpp).
// in: (elements); row: row_bytes(dtype, elements) bytes.
void encode_row(DType dtype, const float* in, int64_t elements, std::byte* row);

}  // namespace ponder
