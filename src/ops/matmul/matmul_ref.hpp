// The scalar truth of a product, on the file's own bytes: y = Σ_k W[n, k]·x[k] (+ bias), summed in
// f64.
#pragma once

#include <cstdint>

#include "ops/matmul/product.hpp"

namespace ponder::ref {

// Outputs [begin, end) of all columns.
void matmul_rows(const Product& product, int64_t begin, int64_t end);

}  // namespace ponder::ref
