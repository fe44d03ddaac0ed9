// Embedding rows: out[t] = table[tokens[t]], decoded from the table's format to f32.
#pragma once

#include <cstdint>

#include "core/tensor_view.hpp"
#include "device/context.hpp"

namespace ponder {

struct EmbeddingArgs {
  TensorView table;                 // (V, H), any format
  const int32_t* tokens = nullptr;  // (T), each in [0, V): checked by the caller
  float* out = nullptr;             // (T, H)
  int64_t count = 0;                // T
};

void embedding(const Context& context, const EmbeddingArgs& args);

}  // namespace ponder
