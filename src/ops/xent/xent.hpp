// Log-probability of a target under softmax(logits / τ), and its gradient (model-spec §9, §10).
// R rows, V vocabulary. Rows are independent, so the rows of a batch may come in pieces.
#pragma once

#include <cstdint>
#include <span>

#include "device/context.hpp"

namespace ponder {

// One row's softmax(logits / τ): log p_i = (logit_i − best)/τ − log_total. This is the only place
// that computes it, so the sampler, scores and training agree bit for bit. NaN counts as −∞.
struct LogSoftmax {
  float best = 0.0f;  // greatest logit
  float temperature = 1.0f;
  double log_total = 0.0;  // log Σ exp((logit − best)/τ), summed in f64 by ascending token
  double entropy = 0.0;    // −Σ p log p, nats

  static LogSoftmax of(std::span<const float> logits, float temperature);
  double log_probability(float logit) const;
};

// The greatest of them; −∞ if none is above.
float greatest_logit(std::span<const float> logits);

struct XentArgs {
  const float* logits = nullptr;     // (R, V) contiguous
  const int32_t* targets = nullptr;  // (R), each in [0, V): checked by the caller
  int64_t rows = 0, vocabulary = 0;
  float temperature = 1.0f;          // τ > 0
  float* log_probability = nullptr;  // (R) out
  float* entropy = nullptr;          // (R) out, or nullptr
};

void xent(const Context& context, const XentArgs& args);

// dlogits[r, i] = d[r]/τ · ((i = target) − p_i).
struct XentBackwardArgs {
  const float* logits = nullptr;     // (R, V) contiguous
  const int32_t* targets = nullptr;  // (R)
  int64_t rows = 0, vocabulary = 0;
  float temperature = 1.0f;
  const float* log_probability = nullptr;   // (R): what xent gave
  const float* dlog_probability = nullptr;  // (R): d loss / d log-probability; −w for a
                                            // cross-entropy of weight w
  float* dlogits = nullptr;                 // (R, V) contiguous, overwritten; may be logits
};

void xent_backward(const Context& context, const XentBackwardArgs& args);

// Elements of one row: out = factor·exp((logits − best)·inverse_temperature − log_total).
struct SoftmaxTask {
  const float* logits;  // (V)
  float* out;           // (V); may be logits
  int64_t count;        // V
  float best, inverse_temperature, log_total, factor;
};
using SoftmaxKernel = void (*)(const SoftmaxTask&) noexcept;

// The kernels of each instruction set, for ops/kernel_table.cpp.
namespace ref {
void scaled_softmax(const SoftmaxTask& task) noexcept;
}
namespace avx2 {
void scaled_softmax(const SoftmaxTask& task) noexcept;
}
namespace avx512 {
void scaled_softmax(const SoftmaxTask& task) noexcept;
}

}  // namespace ponder
