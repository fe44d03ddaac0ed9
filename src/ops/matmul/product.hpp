// The two steps of every product, shared by matmul, matmul_stacked and moe: pack the columns (rows
// of x) once, then multiply any number of weights with them in one parallel pass. T columns, K
// inputs, N outputs.
#pragma once

#include <cstdint>
#include <span>

#include "device/context.hpp"
#include "ops/matmul/gemm.hpp"
#include "ops/matmul/weight.hpp"

namespace ponder {

// T columns: column i is the K floats at x + (index ? index[i] : i)·stride.
struct Columns {
  const float* x = nullptr;
  int64_t stride = 0;               // elements
  const int32_t* index = nullptr;   // (T) or nullptr
  int64_t count = 0;                // T
  const std::byte* int8 = nullptr;  // packed forms, made by pack_columns()
  const std::byte* floats = nullptr;

  // Columns from `begin` on as rows for gemm.hpp, from element `first` of K on.
  RowSource rows(int64_t begin, int64_t first = 0) const {
    if (index == nullptr) return {.x = x + begin * stride + first, .stride = stride};
    return {.x = x + first, .stride = stride, .index = index + begin};
  }
  const float* column(int64_t i) const { return x + (index == nullptr ? i : index[i]) * stride; }
};

struct Product {
  const Weight* weight = nullptr;
  int64_t matrix = 0;  // index in the weight's stack
  const Columns* input = nullptr;
  float* y = nullptr;  // (T, N), row t at y + t·y_stride
  int64_t y_stride = 0;
  const float* bias = nullptr;  // (N) or nullptr
};

// y = silu(gate·x) ⊙ up·x, for two weights of one shape that round their input.
struct GatedProduct {
  const Weight* gate = nullptr;
  const Weight* up = nullptr;
  int64_t matrix = 0;  // index in both stacks
  const Columns* input = nullptr;
  float* y = nullptr;  // (T, N), row t at y + t·y_stride
  int64_t y_stride = 0;
};

// Whether a product with this weight rounds its input to 8 bits.
bool uses_int8(const Context& context, const Weight& weight);

// Packs the columns of all inputs (K = cols) in the forms that products with these weights read,
// into the context's arena.
class PackForms {
 public:
  void add(const Context& context, const Weight& weight);
  bool int8() const { return int8_; }
  bool floats(int64_t columns) const;

 private:
  bool int8_ = false, floats_ = false;
  bool few_floats_ = false;  // f32 weights read many columns where they are
};
void pack_columns(const Context& context, std::span<Columns> inputs, int64_t cols, PackForms forms);

// All products, their rows shared out to the threads.
void multiply(const Context& context, std::span<const Product> products);

// The same bits as multiply() and swiglu(); what lies between them stays in the caches.
void multiply_gated(const Context& context, std::span<const GatedProduct> products);

}  // namespace ponder
