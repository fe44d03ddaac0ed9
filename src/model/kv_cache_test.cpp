#include "model/kv_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "model/model_testing.hpp"

namespace ponder {
namespace {

Config small_config() {
  Config config;
  config.layers = 3;
  config.context = 1 << 20;
  config.attention.heads = 4;
  config.attention.kv_heads = 2;
  config.attention.head_dim = 8;
  return config;
}

std::shared_ptr<KvPool> make_pool(int64_t pages) {
  auto pool = KvPool::create(small_config(), {.pages = pages, .dtype = DType::kF32});
  PONDER_CHECK(pool.ok());
  return std::move(pool).take_value();
}

// Fills `count` positions with `value`, in all layers.
void fill(KvCache& cache, int64_t count, float value) {
  ASSERT_TRUE(cache.reserve(count));
  const std::vector<float> row(8, value);
  for (int64_t l = 0; l < cache.layers(); ++l) {
    for (int64_t i = cache.length(); i < cache.length() + count; ++i) {
      for (const int64_t head : {0, 1}) {
        kv_store(cache.layer(l), KvPart::kKeys, head, i, row.data());
        kv_store(cache.layer(l), KvPart::kValues, head, i, row.data());
      }
    }
  }
  cache.advance(count);
}

// All values of a position, if they are the same in all layers and parts; else NaN.
float value_at(const KvCache& cache, int64_t position) {
  std::vector<float> all;
  for (int64_t l = 0; l < cache.layers(); ++l) {
    for (const KvPart part : {KvPart::kKeys, KvPart::kValues}) {
      std::vector<float> row(8);
      kv_read(cache.layer(l), part, 1, position, row.data());
      all.insert(all.end(), row.begin(), row.end());
    }
  }
  const bool same = std::all_of(all.begin(), all.end(), [&](float x) { return x == all[0]; });
  return same ? all[0] : NAN;
}

TEST(KvPool, PagesAreCountedAndUsedAgain) {
  const auto pool = make_pool(3);
  EXPECT_EQ(pool->page_bytes(), 3u * 2 * 2 * 64 * 8 * 4);
  EXPECT_EQ(kv_bytes_per_token(small_config(), DType::kF32), 3u * 2 * 2 * 8 * 4);
  const int32_t a = pool->take(), b = pool->take(), c = pool->take();
  EXPECT_EQ(pool->take(), -1);
  EXPECT_EQ(std::abs(pool->data(b) - pool->data(a)), static_cast<int64_t>(pool->page_bytes()));
  pool->share(b);
  pool->give_back(b);
  EXPECT_EQ(pool->free_pages(), 0);
  pool->give_back(b);
  EXPECT_EQ(pool->free_pages(), 1);
  EXPECT_EQ(pool->take(), b);
  pool->give_back(a);
  pool->give_back(c);
  EXPECT_EQ(pool->free_pages(), 2);
}

TEST(KvPool, RefusesWhatNoMachineHas) {
  const auto pool = KvPool::create(small_config(), {.pages = int64_t{1} << 40});
  ASSERT_FALSE(pool.ok());
  EXPECT_NE(pool.error().message().find("more memory than there is"), std::string::npos);
}

TEST(KvCache, TakesPagesAsItGrowsAndGivesThemBack) {
  const auto pool = make_pool(4);
  {
    KvCache cache(pool, 1000);
    EXPECT_TRUE(cache.reserve(0));
    EXPECT_EQ(pool->free_pages(), 4);
    fill(cache, 65, 1.0f);
    EXPECT_EQ(pool->free_pages(), 2);
    EXPECT_FALSE(cache.reserve(3 * 64));  // 257 positions
    EXPECT_EQ(value_at(cache, 64), 1.0f);
    cache.truncate(3);
    cache.trim();
    EXPECT_EQ(pool->free_pages(), 3);
    EXPECT_EQ(value_at(cache, 2), 1.0f);
    KvCache moved = std::move(cache);
    EXPECT_EQ(moved.length(), 3);
  }
  EXPECT_EQ(pool->free_pages(), 4);
  KvCache cache(pool, 100);
  EXPECT_FALSE(cache.reserve(101)) << "capacity";
}

TEST(KvCache, SharedPagesAreCopiedWhenWritten) {
  const auto pool = make_pool(5);
  KvCache first(pool, 1000);
  fill(first, 100, 1.0f);
  KvCache second(pool, 1000);
  second.adopt(first.pages(), 100);
  EXPECT_EQ(pool->free_pages(), 3);
  EXPECT_FALSE(second.reserved(1));
  fill(second, 1, 2.0f);
  EXPECT_EQ(pool->free_pages(), 2) << "the full page stays shared";
  EXPECT_EQ(second.pages()[0], first.pages()[0]);
  EXPECT_NE(second.pages()[1], first.pages()[1]);
  EXPECT_TRUE(first.reserved(1)) << "the other one has it alone now";
  fill(first, 1, 3.0f);
  EXPECT_EQ(value_at(second, 99), 1.0f);
  EXPECT_EQ(value_at(second, 100), 2.0f);
  EXPECT_EQ(value_at(first, 100), 3.0f);
}

TEST(KvCache, TruncatedSharedPagesAreNotWritten) {
  const auto pool = make_pool(5);
  KvCache first(pool, 1000);
  fill(first, 128, 1.0f);
  KvCache second(pool, 1000);
  second.adopt(first.pages(), 128);
  second.truncate(64);
  fill(second, 64, 2.0f);
  EXPECT_EQ(value_at(first, 64), 1.0f);
  EXPECT_EQ(value_at(second, 64), 2.0f);
}

}  // namespace
}  // namespace ponder
