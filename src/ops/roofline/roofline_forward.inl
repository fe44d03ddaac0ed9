// Loops that do nothing but read or multiply, over a vector type V.
#include "ops/roofline/roofline.hpp"

namespace ponder {

// Modulo 2^32.
template <typename V>
PONDER_INLINE uint32_t sum_of_lanes(typename V::Ints x) {
  float lanes[V::kLanes];
  V::store(lanes, V::as_floats(x));
  uint32_t sum = 0;
  for (int i = 0; i < V::kLanes; ++i) sum += __builtin_bit_cast(uint32_t, lanes[i]);
  return sum;
}

template <typename V>
PONDER_INLINE uint32_t read_all(const void* data, int64_t bytes) {
  constexpr int kSums = 8;
  constexpr int64_t kVector = 4 * V::kLanes;
  const auto* from = static_cast<const char*>(data);
  typename V::Ints sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = V::zero_ints();
  for (int64_t at = 0; at < bytes; at += kSums * kVector) {
#pragma GCC unroll 8
    for (int i = 0; i < kSums; ++i)
      sums[i] = V::add_ints(sums[i], V::load_ints(from + at + i * kVector));
  }
  for (int i = 1; i < kSums; ++i) sums[0] = V::add_ints(sums[0], sums[i]);
  return sum_of_lanes<V>(sums[0]);
}

// 32 inputs and kLanes outputs for each of the columns that fit in the registers; 4-bit weights.
template <typename V>
constexpr int64_t kInt8Products = int64_t{32} * V::kLanes* V::kColumns;

template <typename V>
PONDER_INLINE float multiply_int8_all(const int8_t* weights, const int8_t* activations,
                                      int64_t rounds) {
  constexpr int kQuads = 8;
  constexpr int64_t kVector = 4 * V::kLanes;
  constexpr int64_t kTile = 32 * V::kColumns, kTiles = kRooflineActivations / kTile;
  constexpr int64_t kBlocks = kRooflineWeights / (kQuads * kVector);
  typename V::Ints sums[V::kColumns];
  for (int c = 0; c < V::kColumns; ++c) sums[c] = V::zero_ints();
  for (int64_t r = 0; r < rounds; ++r) {
    const int8_t* block = weights + r % kBlocks * kQuads * kVector;
    const int8_t* tile = activations + r % kTiles * kTile;
    typename V::Ints w[kQuads];
#pragma GCC unroll 8
    for (int j = 0; j < kQuads; ++j) w[j] = V::load_ints(block + j * kVector);
#pragma GCC unroll 16
    for (int c = 0; c < V::kColumns; ++c)
      sums[c] = V::template dot_quads<kQuads>(sums[c], w, tile + 32 * c);
  }
  for (int c = 1; c < V::kColumns; ++c) sums[0] = V::add_ints(sums[0], sums[c]);
  return static_cast<float>(static_cast<int32_t>(sum_of_lanes<V>(sums[0])));
}

template <typename V>
constexpr int64_t kFloatProducts = int64_t{V::kLanes} * V::kColumns;

template <typename V>
PONDER_INLINE float multiply_floats_all(const float* weights, const float* activations,
                                        int64_t rounds) {
  constexpr int64_t kColumnLength = kRooflineActivations / V::kColumns;
  constexpr int64_t kVectors = kRooflineWeights / 4 / V::kLanes;
  typename V::Floats sums[V::kColumns];
  for (int c = 0; c < V::kColumns; ++c) sums[c] = V::zero();
  for (int64_t r = 0; r < rounds; ++r) {
    const typename V::Floats w = V::load(weights + r % kVectors * V::kLanes);
    const float* column = activations + r % kColumnLength;
#pragma GCC unroll 16
    for (int c = 0; c < V::kColumns; ++c)
      sums[c] = V::fma(w, V::set(column[kColumnLength * c]), sums[c]);
  }
  for (int c = 1; c < V::kColumns; ++c) sums[0] = V::add(sums[0], sums[c]);
  float lanes[V::kLanes];
  V::store(lanes, sums[0]);
  float sum = 0.0f;
  for (int i = 0; i < V::kLanes; ++i) sum += lanes[i];
  return sum;
}

}  // namespace ponder
