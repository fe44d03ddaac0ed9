#include "train/checkpoint.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

CheckpointFolder::Accept anything() {
  return [](const CheckpointState&) { return Result<void>(); };
}

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointFolder open(int64_t keep = 2) {
    return CheckpointFolder::open(folder_.path() / "c", keep).take_value();
  }
  std::vector<NamedFloats> tensors() { return {{"weights.a", a_}, {"moment1", b_}}; }
  void fill(float value) {
    std::fill(a_.begin(), a_.end(), value);
    std::fill(b_.begin(), b_.end(), -value);
  }
  static CheckpointState state(int64_t step) {
    return {.step = step,
            .updates = 2 * step,
            .run = "rate = 1\n",
            .isa = "avx2",
            .stage_state = std::string("opaque\0bytes", 12)};
  }
  // Reads the newest and tells its step; −1 if there is none.
  int64_t newest() {
    fill(0);
    auto loaded = open().load_newest(tensors(), anything());
    EXPECT_TRUE(loaded.ok()) << loaded.error().message();
    return loaded.value() ? loaded.value()->step : -1;
  }

  testing::TempFolder folder_;
  std::vector<float> a_ = std::vector<float>(1000), b_ = std::vector<float>(7);
};

TEST_F(CheckpointTest, GivesBackWhatWasSaved) {
  EXPECT_EQ(newest(), -1);
  auto checkpoints = open();
  fill(3);
  ASSERT_TRUE(checkpoints.save(state(5), tensors()).ok());
  fill(0);
  const auto loaded = checkpoints.load_newest(tensors(), anything());
  ASSERT_TRUE(loaded.ok() && loaded.value());
  EXPECT_EQ(loaded.value()->step, 5);
  EXPECT_EQ(loaded.value()->updates, 10);
  EXPECT_EQ(loaded.value()->run, "rate = 1\n");
  EXPECT_EQ(loaded.value()->isa, "avx2");
  EXPECT_EQ(loaded.value()->stage_state, std::string("opaque\0bytes", 12));
  EXPECT_EQ(a_, std::vector<float>(1000, 3.0f));
  EXPECT_EQ(b_, std::vector<float>(7, -3.0f));
}

TEST_F(CheckpointTest, KeepsTheNewestAlsoWithinAStep) {
  auto checkpoints = open(2);
  for (const int64_t step : {1, 2, 2, 10}) {
    fill(static_cast<float>(step));
    ASSERT_TRUE(checkpoints.save(state(step), tensors()).ok());
  }
  EXPECT_EQ(checkpoints.list().size(), 2u);
  EXPECT_EQ(newest(), 10);
  EXPECT_EQ(a_[0], 10.0f);
  std::filesystem::remove_all(checkpoints.list().back());
  EXPECT_EQ(newest(), 2);
}

TEST_F(CheckpointTest, WhatAKilledProcessLeftIsRemoved) {
  auto checkpoints = open();
  ASSERT_TRUE(checkpoints.save(state(1), tensors()).ok());
  folder_.write("c/step-000000002.0000.aside/tensors.safetensors", "half");
  EXPECT_EQ(newest(), 1);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "c/step-000000002.0000.aside"));
}

TEST_F(CheckpointTest, ADamagedOneIsPassedOver) {
  auto checkpoints = open();
  for (const int64_t step : {1, 2}) {
    fill(static_cast<float>(step));
    ASSERT_TRUE(checkpoints.save(state(step), tensors()).ok());
  }
  for (const char* name : {"tensors.safetensors", "stage.bin", "checkpoint.json"}) {
    const auto path = checkpoints.list().back() / name;
    const std::string whole = testing::content_of(path);
    std::string damaged = whole;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    for (const std::string& text : {damaged, whole.substr(0, whole.size() / 2)}) {
      std::ofstream(path, std::ios::binary) << text;
      // A digit of the JSON may change to another digit; everything else must be noticed.
      if (std::string(name) != "checkpoint.json" || text.size() < whole.size()) {
        EXPECT_EQ(newest(), 1) << name;
        EXPECT_EQ(a_[0], 1.0f);
      }
    }
    std::ofstream(path, std::ios::binary) << whole;
    EXPECT_EQ(newest(), 2);
  }
}

TEST_F(CheckpointTest, OtherTensorsOrRunsAreRefused) {
  auto checkpoints = open();
  ASSERT_TRUE(checkpoints.save(state(1), tensors()).ok());
  std::vector<float> other(999);
  const std::vector<NamedFloats> wrong = {{"weights.a", other}, {"moment1", b_}};
  EXPECT_THAT(checkpoints.load_newest(wrong, anything()).error().message(),
              HasSubstr("other tensors"));
  const auto refuse = [](const CheckpointState&) -> Result<void> {
    return Failure{{.what = "no"}};
  };
  EXPECT_EQ(checkpoints.load_newest(tensors(), refuse).error().what, "no");
}

// Files may not grow beyond a limit, as on a disk that is full.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallFiles() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(CheckpointTest, AFullDiskLeavesTheLastOne) {
  auto checkpoints = open(1);
  fill(1);
  ASSERT_TRUE(checkpoints.save(state(1), tensors()).ok());
  fill(2);
  for (const rlim_t bytes : {0, 100, 1000, 4000}) {
    const SmallFiles limit(bytes);
    EXPECT_FALSE(checkpoints.save(state(2), tensors()).ok()) << bytes;
  }
  EXPECT_EQ(newest(), 1);
  EXPECT_EQ(a_[0], 1.0f);
  fill(2);
  EXPECT_TRUE(checkpoints.save(state(2), tensors()).ok());
  EXPECT_EQ(newest(), 2);
}

}  // namespace
}  // namespace ponder
