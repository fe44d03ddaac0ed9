#include "model/synth_weights.hpp"

#include <cmath>
#include <cstring>
#include <vector>

#include "base/rng.hpp"
#include "quant/codec.hpp"
#include "quant/formats.hpp"

namespace ponder {
namespace {

constexpr size_t kPieceBytes = 64 << 10;
// Blocks that the deviation of a format with all its sub-scales is measured on.
constexpr uint32_t kMeasuredBytes = 16 << 10;

// Which numbers: counters of different pieces, tensors and seeds never meet.
struct Stream {
  uint64_t seed;
  uint32_t tensor, piece;

  void fill(std::span<std::byte> out) const {
    for (uint32_t n = 0; !out.empty(); ++n) {
      const auto words = philox4x32(
          {n, piece, tensor, 0}, {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
      const size_t count = std::min(out.size(), sizeof words);
      std::memcpy(out.data(), words.data(), count);
      out = out.subspan(count);
    }
  }
};

// A scale from its own random bits: ±unit·(0.75 … 1.25). Both signs make the mean of any format 0;
// with another mean all activations would grow into one direction, layer by layer.
float scale_of(uint16_t bits, float unit) {
  const float size = unit * (0.75f + static_cast<float>(bits & 0xff) / 512.0f);
  return bits >> 15 != 0 ? -size : size;
}

// All bits of the blocks are drawn; then their f16 scales get a value that makes sense.
template <typename Format>
void draw_blocks(const Stream& stream, float unit, std::span<std::byte> out) {
  stream.fill(out);
  constexpr float kMiddle = 0.5f * ((1 << (Format::kLowBits + Format::kHighBits)) - 1);
  for (size_t at = 0; at < out.size(); at += sizeof(typename Format::Block)) {
    typename Format::Block block;
    std::memcpy(&block, out.data() + at, sizeof block);
    const float d = scale_of(block.d, unit);
    block.d = f32_to_f16(d);
    // A minimum that moves the middle of the integers to 0.
    if constexpr (requires { block.dmin; }) block.dmin = f32_to_f16(kMiddle * d);
    if constexpr (requires { block.m; }) block.m = f32_to_f16(-kMiddle * d);
    std::memcpy(out.data() + at, &block, sizeof block);
  }
}

// Uniform numbers (i + ½)·unit with i of 16 bits.
template <typename Format>
void draw_numbers(const Stream& stream, float unit, std::span<std::byte> out) {
  std::vector<int16_t> integers(out.size() / sizeof(typename Format::Block));
  stream.fill(std::as_writable_bytes(std::span(integers)));
  for (size_t i = 0; i < integers.size(); ++i) {
    const float value = (static_cast<float>(integers[i]) + 0.5f) * unit;
    typename Format::Block block;
    Format::encode(&value, block);
    std::memcpy(out.data() + i * sizeof block, &block, sizeof block);
  }
}

void draw_piece(DType dtype, const Stream& stream, float unit, std::span<std::byte> out) {
  visit_format(dtype, [&](auto format) {
    using Format = decltype(format);
    if constexpr (Format::kIsBlock) {
      draw_blocks<Format>(stream, unit, out);
    } else {
      draw_numbers<Format>(stream, unit, out);
    }
  });
}

// The unit that gives kSynthDeviation: measured with a unit of 1.
float find_unit(DType dtype) {
  const DTypeInfo& info = dtype_info(dtype);
  if (!info.quantised) return static_cast<float>(kSynthDeviation * std::sqrt(12.0) / 65536.0);
  const auto block_bytes = static_cast<size_t>(info.block_bytes);
  const size_t blocks = kMeasuredBytes / block_bytes;
  std::vector<std::byte> bytes(blocks * block_bytes);
  draw_piece(dtype, {.seed = 0, .tensor = 0, .piece = 0}, 1.0f, bytes);
  std::vector<float> values(blocks * static_cast<size_t>(info.block_elements));
  decode_row(dtype, bytes.data(), std::ssize(values), values.data());
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * value;
  return static_cast<float>(kSynthDeviation /
                            std::sqrt(squares / static_cast<double>(values.size())));
}

}  // namespace

SynthWeights::SynthWeights(DType dtype, uint64_t seed, uint32_t tensor)
    : dtype_(dtype),
      seed_(seed),
      tensor_(tensor),
      piece_bytes_(kPieceBytes / static_cast<size_t>(dtype_info(dtype).block_bytes) *
                   static_cast<size_t>(dtype_info(dtype).block_bytes)),
      unit_(find_unit(dtype)) {}

void SynthWeights::draw(uint32_t piece, std::span<std::byte> out) const {
  draw_piece(dtype_, {.seed = seed_, .tensor = tensor_, .piece = piece}, unit_, out);
}

}  // namespace ponder
