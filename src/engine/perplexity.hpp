// How well a model predicts a text: exp of the mean negative log-likelihood of its tokens.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "device/context.hpp"
#include "model/model.hpp"

namespace ponder {

struct PerplexityOptions {
  int64_t context = 512;    // tokens of one piece; each starts from an empty cache
  int64_t max_pieces = -1;  // −1: all whole pieces
  DType kv_dtype = DType::kF16;
  ProgressSink progress = {};  // unit "tokens"
};

struct PerplexityResult {
  double mean_nll = 0.0;    // nats per token
  double perplexity = 0.0;  // exp(mean_nll)
  int64_t count = 0;        // predicted tokens: context − 1 of each piece
};

// `tokens` are cut into consecutive pieces of `context`; in each, every token after the first is
// predicted from those before it. A last piece that is shorter is left out, unless it is the only
// one. Errors: fewer than two tokens, and those of forward().
Result<PerplexityResult> perplexity(const Context& context, const Model& model,
                                    std::span<const int32_t> tokens,
                                    const PerplexityOptions& options = {});

}  // namespace ponder
