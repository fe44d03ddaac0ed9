#include "ops/attention/kv_view.hpp"

#include <algorithm>
#include <bit>

#include "base/macros.hpp"
#include "quant/half.hpp"

namespace ponder {
namespace {

int64_t bytes_of(const KvView& view, int64_t width) {
  const int64_t rows = view.heads * view.page_positions;
  if (view.dtype != DType::kQ8_0) return rows * width * dtype_info(view.dtype).block_bytes;
  return rows * (width + kv_groups(width) * static_cast<int64_t>(sizeof(uint16_t)));
}

// To the nearest integer, ties to even, for |x| < 2^22; in a form that compilers vectorise.
float round_to_even(float x) { return (x + 0x1.8p23f) - 0x1.8p23f; }

// x: (count ≤ kKvGroup); q: (count) at steps of `step`. The scale, as f16.
uint16_t encode_group(const float* x, int64_t count, int8_t* q, int64_t step) {
  uint32_t largest = 0;  // magnitude, as bits: those of infinity and NaN are above all others
  for (int64_t i = 0; i < count; ++i)
    largest = std::max(largest, std::bit_cast<uint32_t>(x[i]) & 0x7fffffffu);
  const uint16_t half = f32_to_f16(std::bit_cast<float>(largest) / 127.0f);
  const float scale = f16_to_f32(half);
  const bool usable = half > 0 && half < 0x7c00u;
  const float inverse = usable ? 1.0f / scale : 0.0f;
  for (int64_t i = 0; i < count; ++i) {
    const float y = usable ? x[i] * inverse : 0.0f;
    q[i * step] = static_cast<int8_t>(round_to_even(std::min(std::max(y, -127.0f), 127.0f)));
  }
  return half;
}

}  // namespace

bool is_kv_type(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 ||
         dtype == DType::kQ8_0;
}

int64_t kv_key_bytes(const KvView& view) { return bytes_of(view, view.key_dim); }

int64_t kv_value_bytes(const KvView& view) {
  return view.layout == KvLayout::kLatent ? 0 : bytes_of(view, view.value_dim);
}

void kv_read(const KvView& view, KvPart part, int64_t head, int64_t position, float* x) {
  const int64_t count = part == KvPart::kKeys ? view.key_dim : view.value_dim;
  const int64_t step = kv_step(view, part), index = kv_index(view, part, head, position);
  const auto decode = [&]<typename Element>(const Element* array, auto to_float) {
    for (int64_t i = 0; i < count; ++i) x[i] = to_float(array[index + i * step]);
  };
  const void* array = kv_array(view, part, position);
  if (view.dtype == DType::kF32) {
    decode(static_cast<const float*>(array), [](float y) { return y; });
  } else if (view.dtype == DType::kF16) {
    decode(static_cast<const uint16_t*>(array), f16_to_f32);
  } else if (view.dtype == DType::kBF16) {
    decode(static_cast<const uint16_t*>(array), bf16_to_f32);
  } else {
    decode(static_cast<const int8_t*>(array), [](int8_t y) { return static_cast<float>(y); });
    const uint16_t* scales = kv_scales(view, part, head, position);
    for (int64_t i = 0; i < count; ++i) x[i] *= f16_to_f32(scales[i / kKvGroup * kKeyBlock]);
  }
}

void kv_store(const KvView& view, KvPart part, int64_t head, int64_t position, const float* x) {
  const int64_t width = kv_width(view, part);
  const int64_t step = kv_step(view, part), index = kv_index(view, part, head, position);
  const auto encode = [&]<typename Element>(Element* array, auto from_float) {
    for (int64_t i = 0; i < width; ++i) array[index + i * step] = from_float(x[i]);
  };
  void* array = kv_array(view, part, position);
  if (view.dtype == DType::kF32) {
    encode(static_cast<float*>(array), [](float y) { return y; });
  } else if (view.dtype == DType::kF16) {
    encode(static_cast<uint16_t*>(array), f32_to_f16);
  } else if (view.dtype == DType::kBF16) {
    encode(static_cast<uint16_t*>(array), f32_to_bf16);
  } else {
    int8_t* q = static_cast<int8_t*>(array) + index;
    uint16_t* scales = kv_scales(view, part, head, position);
    for (int64_t i = 0; i < width; i += kKvGroup)
      scales[i / kKvGroup * kKeyBlock] =
          encode_group(x + i, std::min(kKvGroup, width - i), q + i * step, step);
  }
}

void kv_copy(const KvView& from, const KvView& to, int64_t positions) {
  PONDER_CHECK(from.dtype == DType::kF32 && to.dtype == DType::kF32 && from.layout == to.layout &&
               from.heads == to.heads && from.key_dim == to.key_dim &&
               from.value_dim == to.value_dim && from.page_positions == to.page_positions);
  const auto copy = [&](KvPart part, int64_t head, int64_t begin, int64_t count) {
    const int64_t index = kv_index(from, part, head, begin);
    const auto* source = static_cast<const float*>(kv_array(from, part, begin)) + index;
    auto* target = static_cast<float*>(kv_array(to, part, begin)) + index;
    std::copy_n(source, count * kv_width(from, part), target);
  };
  const bool blocked = from.layout == KvLayout::kBlocked;
  for (int64_t begin = 0; begin < positions; begin += from.page_positions) {
    const int64_t count = std::min(positions - begin, from.page_positions);
    const int64_t blocks = (count + kKeyBlock - 1) / kKeyBlock * kKeyBlock;
    for (int64_t head = 0; head < from.heads; ++head) {
      copy(KvPart::kKeys, head, begin, blocked ? blocks : count);
      if (blocked) copy(KvPart::kValues, head, begin, count);
    }
  }
}

}  // namespace ponder
