#include <algorithm>

#include "model/block_backward.hpp"
#include "model/train_pass.hpp"
#include "ops/embedding/embedding.hpp"
#include "ops/xent/xent.hpp"

namespace ponder {
namespace {

constexpr int64_t kLogitFloats = int64_t{1} << 24;  // held at a time (64 MiB)
constexpr int64_t kLeastRows = 128;  // of a chunk: sums over rows run in chunks of so many

}  // namespace

OutputHead::OutputHead(const Context& context, const Model& model, std::span<const int32_t> targets,
                       float temperature, const float* normed)
    : context_(context),
      model_(model),
      targets_(targets),
      temperature_(temperature),
      normed_(normed) {
  const int64_t vocab = model.config().vocab;
  chunk_ = std::max(kLogitFloats / vocab / kLeastRows, int64_t{1}) * kLeastRows;
  logits_ = context.arena->take<float>(std::min(chunk_, std::ssize(targets)) * vocab);
}

int64_t OutputHead::chunk_rows(int64_t begin) const {
  return std::min(chunk_, std::ssize(targets_) - begin);
}

void OutputHead::compute_logits(int64_t begin) {
  if (held_ == begin) return;
  linear(context_, normed_ + begin * model_.config().hidden, chunk_rows(begin),
         {.weight = &model_.params().output, .y = logits_});
  held_ = begin;
}

void OutputHead::score(float* log_probability, float* entropy) {
  log_probability_ = log_probability;
  for (int64_t begin = 0; begin < std::ssize(targets_); begin += chunk_) {
    compute_logits(begin);
    xent(context_, {.logits = logits_,
                    .targets = targets_.data() + begin,
                    .rows = chunk_rows(begin),
                    .vocabulary = model_.config().vocab,
                    .temperature = temperature_,
                    .log_probability = log_probability + begin,
                    .entropy = entropy == nullptr ? nullptr : entropy + begin});
  }
}

void OutputHead::backward(const float* gradient, const GradientTypes::Matrix& matrix,
                          float* dnormed) {
  const int64_t width = model_.config().hidden;
  for (int64_t begin = 0; begin < std::ssize(targets_); begin += chunk_) {
    compute_logits(begin);
    xent_backward(context_, {.logits = logits_,
                             .targets = targets_.data() + begin,
                             .rows = chunk_rows(begin),
                             .vocabulary = model_.config().vocab,
                             .temperature = temperature_,
                             .log_probability = log_probability_ + begin,
                             .dlog_probability = gradient + begin,
                             .dlogits = logits_});
    held_ = -1;
    linear_backward(context_, chunk_rows(begin),
                    {.weight = &model_.params().output,
                     .x = normed_ + begin * width,
                     .dy = logits_,
                     .dx = dnormed + begin * width,
                     .gradient = matrix});
  }
}

void embed_backward(const Context& context, const Model& model, std::span<const int32_t> tokens,
                    const float* dout, const ParamGradients& gradients) {
  if (gradients.embedding == nullptr) return;
  const Config& config = model.config();
  embedding_backward(context, {.tokens = tokens.data(),
                               .dout = dout,
                               .count = std::ssize(tokens),
                               .vocabulary = config.vocab,
                               .width = config.hidden,
                               .dtable = gradients.embedding,
                               .grouped = config.tied && model.isa() != Isa::kRef});
}

}  // namespace ponder
