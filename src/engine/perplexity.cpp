#include "engine/perplexity.hpp"

#include <algorithm>
#include <cmath>

#include "core/buffer.hpp"
#include "model/forward.hpp"
#include "ops/sample/sample.hpp"

namespace ponder {
namespace {

// Tokens whose logits are held at a time: 64 rows of a vocabulary of 150,000 are 38 MB.
constexpr int64_t kRows = 64;

// One run: what is fixed, what is reused and what has been added up.
struct Evaluation {
  const Context& context;
  const Model& model;
  const PerplexityOptions& options;
  KvCache cache;
  Buffer<float> logits;  // (rows, V)
  int64_t total = 0;     // predictions in all
  PerplexityResult result = {};
};

// Adds the negative log-likelihood of the tokens of one piece after its first.
Result<void> add_piece(Evaluation& run, std::span<const int32_t> piece) {
  const int64_t vocab = run.model.config().vocab;
  const auto predictions = static_cast<int64_t>(piece.size()) - 1;
  run.cache.truncate(0);
  for (int64_t begin = 0; begin < predictions; begin += kRows) {
    const int64_t rows = std::min(kRows, predictions - begin);
    PONDER_TRY(forward(run.context, run.model, run.cache,
                       piece.subspan(static_cast<size_t>(begin), static_cast<size_t>(rows)),
                       {.logit_rows = rows, .logits = run.logits.data()}));
    std::vector<double> nll(static_cast<size_t>(rows));
    run.context.pool->run(rows, [&](int64_t row, int) {
      const auto of_row =
          run.logits.span().subspan(static_cast<size_t>(row * vocab), static_cast<size_t>(vocab));
      nll[static_cast<size_t>(row)] =
          -log_probability(of_row, piece[static_cast<size_t>(begin + row + 1)]);
    });
    for (const double value : nll) run.result.mean_nll += value;
    run.result.count += rows;
    if (run.options.progress &&
        !run.options.progress({"perplexity", static_cast<uint64_t>(run.result.count),
                               static_cast<uint64_t>(run.total), "tokens"}))
      return Failure{{.what = "stopped"}};
  }
  return {};
}

}  // namespace

Result<PerplexityResult> perplexity(const Context& context, const Model& model,
                                    std::span<const int32_t> tokens,
                                    const PerplexityOptions& options) {
  const auto total = static_cast<int64_t>(tokens.size());
  if (total < 2 || options.context < 2) {
    return Failure{{.what = "at least two tokens are needed, and a context of two",
                    .where = "perplexity",
                    .mend = "give a longer text"}};
  }
  const int64_t length = std::min(options.context, total);
  int64_t pieces = total / length;
  if (options.max_pieces >= 0) pieces = std::min(pieces, std::max<int64_t>(options.max_pieces, 1));
  KvCache cache =
      PONDER_TRY(KvCache::create(model.config(), {.capacity = length, .dtype = options.kv_dtype}));
  Evaluation run{.context = context,
                 .model = model,
                 .options = options,
                 .cache = std::move(cache),
                 .logits = Buffer<float>(
                     static_cast<size_t>(std::min(kRows, length - 1) * model.config().vocab)),
                 .total = pieces * (length - 1)};
  for (int64_t p = 0; p < pieces; ++p)
    PONDER_TRY(add_piece(
        run, tokens.subspan(static_cast<size_t>(p * length), static_cast<size_t>(length))));
  run.result.mean_nll /= static_cast<double>(run.result.count);
  run.result.perplexity = std::exp(run.result.mean_nll);
  return run.result;
}

}  // namespace ponder
