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

// Gradient: row tokens[t] of dtable += dout[t], tokens in ascending t.
struct EmbeddingBackwardArgs {
  const int32_t* tokens = nullptr;    // (T), each in [0, V): checked by the caller
  const float* dout = nullptr;        // (T, H)
  int64_t count = 0;                  // T
  int64_t vocabulary = 0, width = 0;  // V, H
  float* dtable = nullptr;            // added to: (V, H) …
  bool grouped = false;  // … or, of a weight that is the head too, (⌈V/16⌉, H, 16): the layout of
                         // Weight::values() where that has groups
};

void embedding_backward(const Context& context, const EmbeddingBackwardArgs& args);

}  // namespace ponder
