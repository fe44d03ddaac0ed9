#include <cstring>

#include "ops/roofline/roofline.hpp"

namespace ponder::ref {
namespace {

uint32_t read(const void* data, int64_t bytes) noexcept {
  const auto* from = static_cast<const char*>(data);
  uint32_t sum = 0;
  for (int64_t at = 0; at < bytes; at += 4) {
    uint32_t word;
    std::memcpy(&word, from + at, 4);
    sum += word;
  }
  return sum;
}

float multiply_int8(const int8_t* weights, const int8_t* activations, int64_t rounds) noexcept {
  uint32_t sum = 0;
  for (int64_t r = 0; r < rounds; ++r)
    sum += static_cast<uint32_t>(weights[r % kRooflineWeights] *
                                 activations[r % kRooflineActivations]);
  return static_cast<float>(static_cast<int32_t>(sum));
}

float multiply_floats(const float* weights, const float* activations, int64_t rounds) noexcept {
  float sums[4] = {};
  for (int64_t r = 0; r < rounds; ++r)
    sums[r % 4] += weights[r % (kRooflineWeights / 4)] * activations[r % kRooflineActivations];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

}  // namespace

RooflineKernels roofline_kernels() {
  return {.read = read,
          .multiply_int8 = multiply_int8,
          .int8_products = 1,
          .multiply_floats = multiply_floats,
          .float_products = 1};
}

}  // namespace ponder::ref
