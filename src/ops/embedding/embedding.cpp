#include "ops/embedding/embedding.hpp"

#include "base/macros.hpp"
#include "ops/cost.hpp"
#include "ops/matmul/packed.hpp"
#include "ops/split.hpp"
#include "quant/codec.hpp"

namespace ponder {

void embedding(const Context& context, const EmbeddingArgs& args) {
  const ProfileScope profile(context, "embedding", [&] { return cost_of(args); });
  PONDER_CHECK(args.table.shape.rank == 2 && args.count >= 0);
  const int64_t vocabulary = args.table.shape[0], width = args.table.shape[1];
  const auto bytes = row_bytes(args.table.dtype, static_cast<uint64_t>(width));
  PONDER_CHECK(bytes.has_value());
  PONDER_CHECK(args.table.bytes.size() == static_cast<uint64_t>(vocabulary) * *bytes);
  for_row_ranges(context, args.count, width, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int32_t token = args.tokens[t];
      PONDER_CHECK(token >= 0 && token < vocabulary);
      const std::byte* row = args.table.bytes.data() + static_cast<uint64_t>(token) * *bytes;
      decode_row(args.table.dtype, row, width, args.out + t * width);
    }
  });
}

void embedding_backward(const Context& context, const EmbeddingBackwardArgs& args) {
  const ProfileScope profile(context, "embedding_backward", [&] { return cost_of(args); });
  PONDER_CHECK(args.count >= 0 && args.width > 0);
  for (int64_t t = 0; t < args.count; ++t)
    PONDER_CHECK(args.tokens[t] >= 0 && args.tokens[t] < args.vocabulary);
  const int64_t step = args.grouped ? kGroupRows : 1;  // between the elements of a row
  // Threads share the columns: a row may come up in any of them.
  for_row_ranges(context, args.width, args.count * step, [&](int64_t begin, int64_t end) {
    for (int64_t t = 0; t < args.count; ++t) {
      const int64_t token = args.tokens[t];
      float* row = args.grouped ? args.dtable + token / kGroupRows * args.width * kGroupRows +
                                      token % kGroupRows
                                : args.dtable + token * args.width;
      for (int64_t h = begin; h < end; ++h) row[h * step] += args.dout[t * args.width + h];
    }
  });
}

}  // namespace ponder
