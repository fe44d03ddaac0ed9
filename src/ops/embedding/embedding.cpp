#include "ops/embedding/embedding.hpp"

#include "base/macros.hpp"
#include "ops/cost.hpp"
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

}  // namespace ponder
