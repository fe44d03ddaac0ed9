#include "train/event_file.hpp"

#include <gmock/gmock.h>

#include <cstring>

#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

// Values of RFC 3720 §B.4.
TEST(Crc32c, MatchesTheStandard) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
}

// Records are framed by length, its check sum, data, its check sum. tests/e2e reads a file with
// TensorBoard's own reader's rules too.
TEST(EventFile, RecordsAreFramed) {
  testing::TempFolder folder;
  const auto path = folder.path() / "events";
  {
    auto file = EventFile::create(path).take_value();
    const std::pair<std::string, double> scalars[] = {{"loss", 1.5}, {"bad", NAN}};
    file.add(300, 12.5, scalars);
  }
  const std::string bytes = testing::content_of(path);
  const auto unmask = [](uint32_t masked) {
    const uint32_t rotated = masked - 0xA282EAD8u;
    return rotated >> 17 | rotated << 15;
  };
  std::vector<std::string> records;
  for (size_t at = 0; at < bytes.size();) {
    uint64_t length = 0;
    uint32_t head = 0, body = 0;
    std::memcpy(&length, bytes.data() + at, 8);
    std::memcpy(&head, bytes.data() + at + 8, 4);
    EXPECT_EQ(unmask(head), crc32c(bytes.substr(at, 8)));
    ASSERT_LE(at + 16 + length, bytes.size());
    records.push_back(bytes.substr(at + 12, length));
    std::memcpy(&body, bytes.data() + at + 12 + length, 4);
    EXPECT_EQ(unmask(body), crc32c(records.back()));
    at += 16 + length;
  }
  ASSERT_EQ(records.size(), 2u);
  EXPECT_THAT(records[0], ::testing::EndsWith("brain.Event:2"));
  const std::string expected = std::string("\x09\x00\x00\x00\x00\x00\x00\x29\x40", 9) +
                               "\x10\xac\x02" +
                               std::string("\x2a\x0d\x0a\x0b\x0a\x04loss\x15\x00\x00\xc0\x3f", 15);
  EXPECT_EQ(records[1], expected);
}

}  // namespace
}  // namespace ponder
