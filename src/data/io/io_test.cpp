#include <gtest/gtest.h>

#include "base/file.hpp"
#include "data/io/document.hpp"
#include "data/io/record_reader.hpp"
#include "data/io/shard_file.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

Document parsed(const std::string& record, const FieldNames& fields = {}) {
  DocumentParser parser;
  Document document;
  document.record = record;
  document.number = 4;
  EXPECT_EQ(parser.parse(fields, "f", document), "") << record;
  return document;
}

std::string written(const std::string& record, const std::string& text,
                    const FieldNames& fields = {}) {
  Document document = parsed(record, fields);
  document.text = text;
  document.text_changed = true;
  return output_record(document, fields);
}

TEST(Document, ReadsFields) {
  EXPECT_EQ(parsed(R"({"text": "a\nb\u00e9"})").text, "a\nb\u00e9");
  EXPECT_EQ(parsed(R"({"text": ""})").id, "f:4");
  EXPECT_EQ(parsed(R"({"id": 17, "text": ""})").id, "17");
  EXPECT_EQ(parsed(R"({"id": "x", "text": "", "url": "u"})").url, "u");
  EXPECT_EQ(parsed(R"({"a": {"b": "t"}})", {.text = "a.b"}).text, "t");
  DocumentParser parser;
  Document document;
  for (const char* bad : {"", "{", "[]", "null", R"({"text": 1})", R"({"x": ""})",
                          "{\"text\": \"\xff\"}", R"({"text": "\ud800"})", R"({"text": ""} x)"}) {
    document.record = bad;
    EXPECT_NE(parser.parse({}, "f", document), "") << bad;
  }
}

TEST(Document, PutsTheTextWhereItWas) {
  EXPECT_EQ(written(R"({"text":"old","n":1})", "new \"q\"\n"), R"({"text":"new \"q\"\n","n":1})");
  EXPECT_EQ(written(R"( { "a": {"text": "}"}, "b": [1, "]"], "text" : "old" } )", "new"),
            R"( { "a": {"text": "}"}, "b": [1, "]"], "text" : "new" })");
  EXPECT_EQ(written(R"({"a":{"b":"old","c":2},"d":3})", "new", {.text = "a.b"}),
            R"({"a":{"b":"new","c":2},"d":3})");
  Document document = parsed(R"({"text": "t"})");
  document.added.emplace_back("score", "0.5");
  EXPECT_EQ(output_record(document, {}), R"({"text": "t", "score": 0.5})");
}

TEST(Document, IdsCompareByNumbersInThem) {
  EXPECT_TRUE(id_less("d9", "d10"));
  EXPECT_FALSE(id_less("d10", "d9"));
  EXPECT_TRUE(id_less("a", "b"));
  EXPECT_TRUE(id_less("7", "07"));
  EXPECT_TRUE(id_less("x", "x1"));
  EXPECT_FALSE(id_less("same", "same"));
  EXPECT_TRUE(id_less("99999999999999999999998", "99999999999999999999999"));
}

TEST(RecordReader, GoesOnFromEveryPosition) {
  const testing::TempFolder folder;
  const std::string text = "{\"a\":1}\n\n  \n{\"b\":2}\r\n{\"c\":3}";
  const auto path = folder.write("in.jsonl", text);
  std::vector<std::string> all;
  RecordReader reader = RecordReader::open(path, RecordFormat::kJsonLines, 100, {}).value();
  std::vector<RecordReader::Position> positions = {reader.position()};
  Record record;
  while (reader.next(record).value()) {
    EXPECT_EQ(text.substr(record.offset, record.bytes.size()), record.bytes);
    all.emplace_back(record.bytes);
    positions.push_back(reader.position());
  }
  EXPECT_EQ(all, (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"}));
  for (size_t i = 0; i < all.size(); ++i) {
    RecordReader again =
        RecordReader::open(path, RecordFormat::kJsonLines, 100, positions[i]).value();
    ASSERT_TRUE(again.next(record).value());
    EXPECT_EQ(record.bytes, all[i]);
    EXPECT_EQ(record.number, i);
  }
}

// What is packed in several checkpoints is one text, and cut back to a checkpoint it can go on.
TEST(ShardFile, GoesOnFromACheckpoint) {
  for (const Packing packing : {Packing::kNone, Packing::kGzip, Packing::kZstd}) {
    const testing::TempFolder folder;
    const auto path = folder.path() / "f";
    uint64_t size = 0;
    {
      ShardFile file = ShardFile::open(path, packing, 0).value();
      ASSERT_TRUE(file.write("first\n").ok());
      size = file.checkpoint().value();
      ASSERT_TRUE(file.write("lost\n").ok());
      ASSERT_TRUE(file.checkpoint().ok());
    }
    {
      ShardFile file = ShardFile::open(path, packing, size).value();
      ASSERT_TRUE(file.write("second\n").ok());
      ASSERT_TRUE(file.checkpoint().ok());
    }
    RecordReader reader = RecordReader::open(path, RecordFormat::kTextLines, 100, {}).value();
    Record record;
    std::string text;
    while (reader.next(record).value()) text += std::string(record.bytes) + record.bad + ";";
    EXPECT_EQ(text, "first;second;");
    EXPECT_FALSE(ShardFile::open(path, packing, 1000000).ok());
  }
}

TEST(RecordReader, EveryTruncationOfPackedFilesEndsWell) {
  for (const Packing packing : {Packing::kGzip, Packing::kZstd}) {
    const testing::TempFolder folder;
    {
      ShardFile file = ShardFile::open(folder.path() / "f", packing, 0).value();
      for (int i = 0; i < 50; ++i) ASSERT_TRUE(file.write("line " + std::to_string(i) + "\n").ok());
      ASSERT_TRUE(file.checkpoint().ok());
    }
    const std::string bytes = read_file(folder.path() / "f", 1 << 20).value();
    for (size_t size = 5; size < bytes.size(); ++size) {
      const auto path = folder.write("cut", bytes.substr(0, size));
      RecordReader reader = RecordReader::open(path, RecordFormat::kTextLines, 100, {}).value();
      Record record;
      int bad = 0;
      while (reader.next(record).value()) bad += !record.bad.empty();
      EXPECT_EQ(bad, 1) << size;
    }
  }
}

}  // namespace
}  // namespace ponder
