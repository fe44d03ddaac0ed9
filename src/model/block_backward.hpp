// The gradient of one decoder layer, part by part as in block.hpp. Private to this module. Letters
// as there.
#pragma once

#include "model/block.hpp"
#include "model/trainable.hpp"

namespace ponder {

struct BlockBackwardArgs {
  const BlockArgs* forward = nullptr;  // as it ran; all of `saved` that it fills is there
  const LayerGradients* gradients = nullptr;
  float balance_weight = 0.0f;  // of each segment's balance loss
};

// Room in the arena for what block_forward() saves of such a layer; `input` is the caller's.
LayerSaved make_saved(const Context& context, const BlockArgs& args, const float* input);

// d (T, H): the gradient of the layer's output, replaced by that of its input.
void block_backward(const Context& context, const BlockBackwardArgs& args, float* d);

// The parts. d: (T, H), gradient of the part's output; dx: (T, H) out, of its normalised input.
void attention_gqa_backward(const Context& context, const BlockBackwardArgs& args, const float* d,
                            float* dx);
void attention_mla_backward(const Context& context, const BlockBackwardArgs& args, const float* d,
                            float* dx);
void feed_forward_backward(const Context& context, const BlockBackwardArgs& args, const float* d,
                           float* dx);

// Gradient of linear() with one target; x, dy, dx contiguous.
struct LinearBackwardArgs {
  const Linear* weight = nullptr;  // (N, K)
  const float* x = nullptr;        // (T, K)
  const float* dy = nullptr;       // (T, N)
  float* dx = nullptr;             // (T, K)
  bool accumulate = false;         // dx is added to
  GradientTypes::Matrix gradient;
  float* dbias = nullptr;  // (N), added to; or nullptr
};
void linear_backward(const Context& context, int64_t rows, const LinearBackwardArgs& args);

// Gradient of normalise(). y's gradient may be the same memory as dx.
struct NormaliseBackwardArgs {
  const Buffer<float>* g = nullptr;  // (width)
  const float* x = nullptr;          // (R, width), what was normalised
  const float* dy = nullptr;         // (R, width)
  float* dx = nullptr;               // (R, width)
  float* dg = nullptr;               // (width), added to; or nullptr
  int64_t rows = 0;                  // R
  bool accumulate = false;           // dx is added to
  float epsilon = 1e-6f;
  int64_t stride = 0;  // elements from row to row, of all three; 0: width
};
void normalise_backward(const Context& context, const NormaliseBackwardArgs& args);

}  // namespace ponder
