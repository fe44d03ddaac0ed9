// Packing of weights for the vector kernels (layout: packed.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/tensor_view.hpp"

namespace ponder {

// Bytes of a packed group of 16 rows of `cols` elements.
int64_t packed_group_bytes(DType dtype, int64_t cols);

// Rows [16·group, 16·group + 16) of `matrix` (N, K), missing ones as zeros, to `out`.
void pack_group(const TensorView& matrix, int64_t group, std::byte* out);

}  // namespace ponder
