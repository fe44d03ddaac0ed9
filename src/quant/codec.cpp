#include "quant/codec.hpp"

#include <cstring>

#include "quant/formats.hpp"

namespace ponder {

void decode_row(DType dtype, const std::byte* row, int64_t elements, float* out) {
  visit_format(dtype, [&](auto format) {
    using Format = decltype(format);
    PONDER_CHECK(elements % Format::kBlockElements == 0);
    for (int64_t e = 0; e < elements; e += Format::kBlockElements) {
      typename Format::Block block;
      std::memcpy(&block, row, sizeof block);
      Format::decode(block, out + e);
      row += sizeof block;
    }
  });
}

void encode_row(DType dtype, const float* in, int64_t elements, std::byte* row) {
  visit_format(dtype, [&](auto format) {
    using Format = decltype(format);
    PONDER_CHECK(elements % Format::kBlockElements == 0);
    for (int64_t e = 0; e < elements; e += Format::kBlockElements) {
      typename Format::Block block;
      Format::encode(in + e, block);
      std::memcpy(row, &block, sizeof block);
      row += sizeof block;
    }
  });
}

}  // namespace ponder
