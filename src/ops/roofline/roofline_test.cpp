// The loops that limits are measured with do what they say.
#include "ops/roofline/roofline.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "ops/cost.hpp"
#include "ops/kernel_table.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

namespace ponder {
namespace {

using testing::for_each_isa;

TEST(Roofline, ReadsEveryByte) {
  for_each_isa(1, [](const Context& context) {
    std::vector<uint32_t> words(4096);
    uint32_t sum = 0;
    for (size_t i = 0; i < words.size(); ++i)
      sum += words[i] = static_cast<uint32_t>(i * i * 77777);
    const auto read = context.kernels->roofline.read;
    EXPECT_EQ(read(words.data(), 16384), sum);
    words[4095] ^= 1u << 31;
    EXPECT_EQ(read(words.data(), 16384), sum ^ 1u << 31);
  });
}

// With inputs of one each product adds one.
TEST(Roofline, MultipliesAsOftenAsItCounts) {
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE(std::string(isa_name(isa)));
    const RooflineKernels& kernels = kernel_table(isa).roofline;
    const std::vector<int8_t> bytes(kRooflineWeights, 1);
    const std::vector<float> floats(kRooflineWeights, 1.0f);
    for (const int64_t rounds : {1, 7, 100}) {
      EXPECT_EQ(kernels.multiply_int8(bytes.data(), bytes.data(), rounds),
                static_cast<float>(rounds * kernels.int8_products));
      EXPECT_EQ(kernels.multiply_floats(floats.data(), floats.data(), rounds),
                static_cast<float>(rounds * kernels.float_products));
    }
  }
}

TEST(Roofline, GivesRatesThatArePossible) {
  const Runtime runtime = testing::make_runtime(available_isas().back(), 2);
  const Roofline roofline = measure_roofline(runtime.context());
  for (const double rate : {roofline.bytes_per_second, roofline.int8_products_per_second,
                            roofline.float_products_per_second}) {
    EXPECT_GT(rate, 1e6);
    EXPECT_LT(rate, 1e16);
  }
}

TEST(Cost, OfProductsAndAttentionByHand) {
  for_each_isa(1, [](const Context& context) {
    const auto values = testing::random_floats(1, 3 * 64 * 32);
    const Weight weight = Weight::from_floats(context, values.data(), 3, 64, 32);
    const Cost stacked = cost_of(context, StackedMatmulArgs{.weight = &weight, .rows = 5});
    EXPECT_EQ(stacked.memory_bytes, 3 * 64 * 32 * 4);
    EXPECT_EQ(stacked.products(), 5 * 3 * 64 * 32);
    const std::vector<int32_t> experts = {0, 2, 2, 0};
    const Weight down = Weight::from_floats(context, values.data(), 3, 32, 64);
    const Cost moe = cost_of(context, MoeArgs{.experts = experts.data(),
                                              .gate = &weight,
                                              .up = &weight,
                                              .down = &down,
                                              .tokens = 2,
                                              .chosen = 2});
    EXPECT_EQ(moe.memory_bytes, 2 * 3 * 64 * 32 * 4);  // two of three experts
    EXPECT_EQ(moe.products(), 4 * 3 * 64 * 32);
    AttentionArgs args{
        .cache = {.heads = 2, .key_dim = 8, .value_dim = 4}, .tokens = 3, .heads = 6};
    args.position = 10;
    const Cost attention = cost_of(std::span(&args, 1));
    EXPECT_EQ(attention.memory_bytes, 13 * 2 * (8 + 4) * 2);
    EXPECT_EQ(attention.float_products, (11 + 12 + 13) * 6 * (8 + 4));
    args.cache.layout = KvLayout::kLatent;
    EXPECT_EQ(cost_of(std::span(&args, 1)).memory_bytes, 13 * 2 * 8 * 2);
  });
}

}  // namespace
}  // namespace ponder
