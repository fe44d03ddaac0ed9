#include "data/packed_shard.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

std::vector<std::byte> file_bytes(const std::filesystem::path& path) {
  const MappedFile file = MappedFile::open(path).value();
  return {file.bytes().begin(), file.bytes().end()};
}

void write_sample(const std::filesystem::path& path) {
  auto writer = PackedShardWriter::create(path, 5, 100);
  ASSERT_TRUE(writer.ok());
  const std::vector<int32_t> a = {1, 2, 3}, b = {4, 5}, c = {6};
  const std::vector<std::span<const int32_t>> first = {a, b}, second = {c};
  ASSERT_TRUE(writer.value().add(first).ok());
  ASSERT_TRUE(writer.value().add(second).ok());
  ASSERT_TRUE(writer.value().commit().ok());
}

TEST(PackedShard, GivesBackWhatWasWritten) {
  const testing::TempFolder folder;
  write_sample(folder.path() / "s");
  const auto opened = PackedShard::open(folder.path() / "s");
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  const PackedShard& shard = opened.value();
  EXPECT_EQ(shard.sequences(), 2u);
  EXPECT_EQ(shard.length(), 5u);
  EXPECT_EQ(shard.vocabulary(), 100u);
  EXPECT_EQ(shard.tokens(), 6u);
  ASSERT_EQ(shard.pieces(0).size(), 2u);
  EXPECT_EQ(shard.pieces(0)[1].begin, 3u);
  EXPECT_EQ(shard.sequence(0)[4], 5);
  ASSERT_EQ(shard.sequence(1).size(), 1u);
  EXPECT_EQ(shard.sequence(1)[0], 6);
}

// Every truncation and every flipped bit is refused, or leaves something that can be read.
TEST(PackedShard, DamagedFilesAreSafe) {
  const testing::TempFolder folder;
  write_sample(folder.path() / "s");
  const auto bytes = file_bytes(folder.path() / "s");
  const auto open_all = [&](const std::vector<std::byte>& damaged) {
    ASSERT_TRUE(write_file(folder.path() / "d",
                           {reinterpret_cast<const char*>(damaged.data()), damaged.size()})
                    .ok());
    const auto shard = PackedShard::open(folder.path() / "d");
    if (!shard.ok()) return;
    for (uint64_t i = 0; i < shard.value().sequences(); ++i) {
      for (const int32_t id : shard.value().sequence(i))
        EXPECT_LT(static_cast<uint32_t>(id), shard.value().vocabulary());
    }
  };
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_TRUE(
        write_file(folder.path() / "d", {reinterpret_cast<const char*>(bytes.data()), size}).ok());
    EXPECT_FALSE(PackedShard::open(folder.path() / "d").ok()) << size;
  }
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= std::byte(1 << bit % 8);
    open_all(damaged);
  }
}

TEST(BestFit, PlacesEveryPieceOnceAndFillsWell) {
  Rng rng(5);
  std::vector<uint32_t> lengths;
  uint64_t total = 0;
  for (int i = 0; i < 3000; ++i) {
    lengths.push_back(1 +
                      static_cast<uint32_t>(rng.next_below(rng.next_below(4) == 0 ? 512 : 100)));
    total += lengths.back();
  }
  const auto sequences = best_fit(lengths, 512);
  std::vector<int> seen(lengths.size(), 0);
  for (const auto& pieces : sequences) {
    uint32_t used = 0;
    for (const uint32_t piece : pieces) {
      ++seen[piece];
      used += lengths[piece];
    }
    EXPECT_LE(used, 512u);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<long>(seen.size()));
  EXPECT_LE(sequences.size(), total / 512 + 2);
}

}  // namespace
}  // namespace ponder
