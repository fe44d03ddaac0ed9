// The scalar truth of a product, on the file's own bytes: y = Σ_k W[n, k]·x[k] (+ bias), summed in
// f64; and of its gradients.
#pragma once

#include <cstdint>

#include "ops/matmul/product_backward.hpp"

namespace ponder::ref {

// Outputs [begin, end) of all columns.
void matmul_rows(const Product& product, int64_t begin, int64_t end);
// Row t of dx; row n of dw.
void backward_input_row(const InputGradient& gradient, int64_t t);
void backward_weight_row(const WeightGradient& gradient, int64_t n);

}  // namespace ponder::ref
