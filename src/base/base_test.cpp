// Results, files, random numbers and threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/checked_math.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/thread_pool.hpp"

namespace ponder {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0)
    return Failure{{.what = "odd", .where = "here", .mend = "use an even number"}};
  return value / 2;
}

Result<int> quarter(int value) { return half(PONDER_TRY(half(value))); }

TEST(Result, CarriesValuesAndErrors) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message(), "here: odd; use an even number");
  EXPECT_EQ(quarter(7).error().what, "odd");
}

TEST(CheckedMath, FindsOverflow) {
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, uint64_t{1} << 32), std::nullopt);
  EXPECT_EQ(checked_mul(3, 4), 12u);
  EXPECT_EQ(checked_add(~uint64_t{0}, 1), std::nullopt);
  EXPECT_EQ(checked_round_up(33, 32), 64u);
  EXPECT_EQ(checked_round_up(~uint64_t{0} - 1, 32), std::nullopt);
}

// Known answers of the Random123 distribution, kat_vectors (Salmon et al. 2011).
TEST(Rng, PhiloxKnownAnswers) {
  EXPECT_THAT(philox4x32({0, 0, 0, 0}, {0, 0}),
              testing::ElementsAre(0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u));
  EXPECT_THAT(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
              testing::ElementsAre(0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu));
}

TEST(Rng, ResumesAtItsPosition) {
  Rng a(7, 3);
  for (int i = 0; i < 10; ++i) a.next_u64();
  Rng b(7, 3, a.position());
  EXPECT_EQ(a.next_u64(), b.next_u64());
  EXPECT_NE(Rng(7, 3).next_u64(), Rng(7, 4).next_u64());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.next_below(10), 10u);
}

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> runs(97);
      pool.run(97, [&](int64_t task, int thread) {
        EXPECT_LT(thread, threads);
        ++runs[static_cast<size_t>(task)];
      });
      for (const auto& count : runs) ASSERT_EQ(count.load(), 1);
    }
  }
}

TEST(ThreadPool, WakesAfterSleep) {
  ThreadPool pool(3);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    std::atomic<int> sum{0};
    pool.run(10, [&](int64_t task, int) { sum += static_cast<int>(task); });
    EXPECT_EQ(sum.load(), 45);
  }
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(testing::TempDir()) / ("ponder_base_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(Files, AtomicFileAppearsOnlyWhole) {
  const auto path = folder_ / "a.txt";
  {
    auto file = AtomicFile::create(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file.value().write("half").ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  ASSERT_TRUE(write_file(path, "whole").ok());
  EXPECT_EQ(read_file(path, 100).value(), "whole");
  EXPECT_FALSE(read_file(path, 4).ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(Files, ErrorsNameTheFile) {
  EXPECT_THAT(MappedFile::open(folder_ / "none").error().message(), testing::HasSubstr("none"));
  EXPECT_FALSE(MappedFile::open(folder_).ok());
  EXPECT_FALSE(AtomicFile::create(folder_ / "no" / "file").ok());
}

TEST_F(Files, ReleasedPagesReadAgain) {
  const auto path = folder_ / "big";
  ASSERT_TRUE(write_file(path, std::string(100000, 'x')).ok());
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  MappedFile::release(file.value().bytes());
  EXPECT_EQ(static_cast<char>(file.value().bytes()[50000]), 'x');
}

}  // namespace
}  // namespace ponder
