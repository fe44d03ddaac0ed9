// GGUF: reading what Python's gguf package wrote, and refusing every lie in a header.
#include "io/gguf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "io/gguf_parse.hpp"
#include "io/gguf_writer.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using testing::content_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempFolder;

constexpr const char* kGolden = "tests/golden/io/types.gguf";

// A GGUF file put together byte by byte, so that it can lie.
struct Raw {
  std::string bytes;

  template <typename T>
  Raw& put(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }
  Raw& u32(uint64_t value) { return put(static_cast<uint32_t>(value)); }
  Raw& u64(uint64_t value) { return put(value); }
  Raw& text(std::string_view value) {
    u64(value.size());
    bytes += value;
    return *this;
  }
  Raw& head(uint64_t tensors, uint64_t keys) {
    bytes += "GGUF";
    return u32(3).u64(tensors).u64(keys);
  }
  Raw& tensor(std::string_view name, std::vector<uint64_t> ne, uint32_t type, uint64_t offset) {
    text(name).u32(ne.size());
    for (const uint64_t n : ne) u64(n);
    return u32(type).u64(offset);
  }
  // Pads the header to 32 and adds data.
  Raw& data(size_t count) {
    bytes.resize((bytes.size() + 31) / 32 * 32, '\0');
    bytes.append(count, 'd');
    return *this;
  }
};

Raw head(uint64_t tensors, uint64_t keys) { return Raw().head(tensors, keys); }

Result<GgufHeader> parse(const std::string& bytes, GgufPart part = GgufPart::kAll) {
  // A copy of exactly this size, so that a sanitizer sees a read past the end.
  const std::vector<char> copy(bytes.begin(), bytes.end());
  return parse_gguf(std::as_bytes(std::span(copy)), "x.gguf", part);
}

std::string refusal(const Raw& raw) {
  const auto result = parse(raw.bytes);
  return result.ok() ? "accepted" : result.error().message();
}

std::vector<float> floats(const TensorView& view) {
  std::vector<float> values(view.bytes.size() / sizeof(float));
  std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
  return values;
}

// ((7·i + shift) mod 31 − 15) / 4, as tools/golden/io_files.py makes them.
std::vector<float> expected_numbers(int count, int shift) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<float>((7 * i + shift) % 31 - 15) / 4);
  return values;
}

TEST(Gguf, ReadsEveryTypeOfValue) {
  const auto file = GgufFile::open(kGolden).value();
  EXPECT_EQ(file.text("general.architecture").value(), "qwen2");
  EXPECT_EQ(file.integer("test.u8").value(), 200);
  EXPECT_EQ(file.integer("test.i8").value(), -100);
  EXPECT_EQ(file.integer("test.u16").value(), 60000);
  EXPECT_EQ(file.integer("test.i16").value(), -30000);
  EXPECT_EQ(file.integer("test.u32").value(), 4000000000);
  EXPECT_EQ(file.integer("test.i32").value(), -2000000000);
  EXPECT_EQ(file.integer("test.i64").value(), -(int64_t{1} << 62));
  EXPECT_THAT(file.integer("test.u64").error().message(), HasSubstr("below 2^63, is u64"));
  EXPECT_EQ(file.number("test.f32").value(), 0.15625);
  EXPECT_EQ(file.number("test.f64").value(), -1e-200);
  EXPECT_EQ(file.number("test.i8").value(), -100);
  EXPECT_TRUE(file.boolean_or("test.bool", false).value());
  EXPECT_EQ(file.text("test.string").value(), "Grüße, 世界");
  EXPECT_THAT(file.texts("test.strings").value(), ElementsAre("a", "", "ccc"));
  EXPECT_THAT(file.integers("test.integers").value(), ElementsAre(1, -2, 3));
  EXPECT_THAT(file.numbers("test.numbers").value(), ElementsAre(0.5f, -0.25f));
  EXPECT_EQ(file.keys().front(), "general.architecture");
}

TEST(Gguf, ReadsTensors) {
  const auto file = GgufFile::open(kGolden).value();
  EXPECT_THAT(file.tensors().names(), ElementsAre("a.f32", "b.f16", "c.q8_0", "d.4d"));
  const TensorView& a = *file.tensors().find("a.f32");
  EXPECT_EQ(a.dtype, DType::kF32);
  EXPECT_EQ(a.shape, Shape::of({2, 3}));
  EXPECT_EQ(floats(a), expected_numbers(6, 0));
  const TensorView& b = *file.tensors().find("b.f16");
  EXPECT_EQ(b.dtype, DType::kF16);
  EXPECT_EQ(b.shape, Shape::of({5, 2}));
  EXPECT_EQ(b.bytes.size(), 20u);
  const TensorView& c = *file.tensors().find("c.q8_0");
  EXPECT_EQ(c.dtype, DType::kQ8_0);
  EXPECT_EQ(c.shape, Shape::of({2, 64}));
  EXPECT_EQ(c.bytes.size(), 4u * 34);
  const TensorView& d = *file.tensors().find("d.4d");
  EXPECT_EQ(d.shape, Shape::of({1, 2, 3, 4}));
  EXPECT_EQ(floats(d), expected_numbers(24, 9));
  EXPECT_EQ(file.tensors().find("e"), nullptr);
  EXPECT_EQ(file.tensors().total_bytes(), 24u + 20 + 136 + 96);
  EXPECT_EQ(file.tensors().where("a.f32"), std::string(kGolden) + ": tensor 'a.f32'");
  file.tensors().release("a.f32");
  EXPECT_EQ(floats(a), expected_numbers(6, 0));
}

TEST(Gguf, ReadsAModel) {
  const auto file = GgufFile::open("tests/golden/io/qwen2-s1.q8_0.gguf").value();
  EXPECT_EQ(file.tensors().names().size(), 51u);
  EXPECT_EQ(file.texts("tokenizer.ggml.tokens").value().size(), 256u);
  EXPECT_GT(file.integer("qwen2.block_count").value(), 0);
}

TEST(Gguf, GettersNameTheKey) {
  const auto file = GgufFile::open(kGolden).value();
  EXPECT_THAT(file.integer("absent").error().message(),
              HasSubstr("types.gguf: key 'absent': is missing"));
  EXPECT_THAT(file.integer("test.string").error().message(), HasSubstr("is string"));
  EXPECT_THAT(file.integer("test.integers").error().message(), HasSubstr("is array of 3 i32"));
  EXPECT_THAT(file.number("test.bool").error().message(), HasSubstr("is bool"));
  EXPECT_THAT(file.text("test.u8").error().message(), HasSubstr("must be a string, is u8"));
  EXPECT_THAT(file.texts("test.integers").error().message(), HasSubstr("array of strings"));
  EXPECT_THAT(file.integers("test.numbers").error().message(), HasSubstr("integers"));
  EXPECT_THAT(file.numbers("test.u8").error().message(), HasSubstr("must be an array"));
  EXPECT_EQ(file.integer_or("absent", 7).value(), 7);
  EXPECT_EQ(file.number_or("absent", 0.5).value(), 0.5);
  EXPECT_TRUE(file.boolean_or("absent", true).value());
  EXPECT_EQ(file.text_or("absent", "x").value(), "x");
  // A default does not hide a value of the wrong kind.
  EXPECT_FALSE(file.integer_or("test.string", 7).ok());
  EXPECT_FALSE(file.number_or("test.string", 7).ok());
  EXPECT_FALSE(file.boolean_or("test.u8", true).ok());
  EXPECT_FALSE(file.text_or("test.u8", "x").ok());
}

TEST(Gguf, NumbersMustBeFinite) {
  const TempFolder folder;
  auto writer = GgufWriter::create(folder.path() / "x.gguf").value();
  writer.set_f32("infinite", std::numeric_limits<float>::infinity());
  const float nan[] = {1, std::numeric_limits<float>::quiet_NaN()};
  writer.set_f32s("nan", nan);
  ASSERT_TRUE(writer.begin().ok());
  ASSERT_TRUE(writer.commit().ok());
  const auto file = GgufFile::open(folder.path() / "x.gguf").value();
  EXPECT_THAT(file.number("infinite").error().message(), HasSubstr("finite"));
  EXPECT_THAT(file.numbers("nan").error().message(), HasSubstr("finite"));
}

TEST(Gguf, RefusesABadPreamble) {
  EXPECT_THAT(refusal(Raw{""}), HasSubstr("ends inside the magic number"));
  EXPECT_THAT(refusal(Raw{"GGU"}), HasSubstr("ends inside the magic number"));
  EXPECT_THAT(refusal(Raw{"GGML0000"}), HasSubstr("does not begin with \"GGUF\""));
  for (const uint32_t version : {0u, 1u, 4u, 1000u}) {
    EXPECT_THAT(refusal(Raw{"GGUF"}.u32(version).u64(0).u64(0)), HasSubstr("is not supported"));
  }
  EXPECT_THAT(refusal(Raw{"GGUF"}.u32(0x03000000).u64(0).u64(0)), HasSubstr("big-endian"));
  EXPECT_EQ(refusal(Raw{"GGUF"}.u32(2).u64(0).u64(0)), "accepted");
  EXPECT_EQ(refusal(head(0, 0)), "accepted");
  EXPECT_THAT(refusal(head(UINT64_MAX, 0)), HasSubstr("absurd number of tensors"));
  EXPECT_THAT(refusal(head(0, UINT64_MAX)), HasSubstr("absurd number of keys"));
  EXPECT_THAT(refusal(head(0, 1)), HasSubstr("absurd number of keys"));
}

TEST(Gguf, RefusesBadMetadata) {
  EXPECT_THAT(refusal(head(0, 1).u64(UINT64_MAX)), HasSubstr("longer than"));
  EXPECT_THAT(refusal(head(0, 1).u64(100).u32(0)), HasSubstr("ends inside a key"));
  EXPECT_THAT(refusal(head(0, 1).text("").u32(0).put('x')), HasSubstr("empty key"));
  EXPECT_THAT(refusal(head(0, 2).text("k").u32(0).put('x').text("k").u32(0).put('x')),
              HasSubstr("key 'k' appears twice"));
  EXPECT_THAT(refusal(head(0, 1).text("k").u32(13)), HasSubstr("type of a value is 13"));
  EXPECT_THAT(refusal(head(0, 1).text("k").u32(0xFFFFFFFF)), HasSubstr("key 'k'"));
  EXPECT_THAT(refusal(head(0, 1).text("k").u32(10).u32(1)), HasSubstr("ends inside a value"));
  EXPECT_THAT(refusal(head(0, 1).text("k").u32(7).put('\2')), HasSubstr("neither 0 nor 1"));
  EXPECT_THAT(refusal(head(0, 1).text("k").u32(8).u64(UINT64_MAX)), HasSubstr("ends inside"));
}

TEST(Gguf, RefusesBadArrays) {
  const auto array = [](uint32_t type, uint64_t count) {
    return head(0, 1).text("k").u32(9).u32(type).u64(count).u64(0).u64(0);
  };
  EXPECT_EQ(refusal(array(4, 4)), "accepted");
  EXPECT_EQ(refusal(array(8, 2)), "accepted");
  EXPECT_THAT(refusal(array(9, 1)), HasSubstr("arrays of arrays"));
  EXPECT_THAT(refusal(array(99, 1)), HasSubstr("elements is 99"));
  EXPECT_THAT(refusal(array(4, 5)), HasSubstr("ends inside"));
  EXPECT_THAT(refusal(array(10, uint64_t{1} << 61)), HasSubstr("absurd array length"));
  EXPECT_THAT(refusal(array(8, 3)), HasSubstr("3 strings"));
  EXPECT_THAT(refusal(array(8, UINT64_MAX)), HasSubstr("strings"));
}

TEST(Gguf, RefusesBadAlignment) {
  const auto aligned = [](uint32_t alignment) {
    return head(0, 1).text("general.alignment").u32(4).u32(alignment);
  };
  EXPECT_EQ(refusal(aligned(8)), "accepted");
  EXPECT_EQ(refusal(aligned(4096)), "accepted");
  for (const uint32_t alignment : {0u, 3u, 33u, 1u << 31, 0xFFFFFFFFu}) {
    EXPECT_THAT(refusal(aligned(alignment)), HasSubstr("not a power of two"));
  }
  EXPECT_THAT(refusal(head(0, 1).text("general.alignment").u32(10).u64(32)),
              HasSubstr("must be u32, not u64"));
}

TEST(Gguf, RefusesBadShapes) {
  const auto shaped = [](std::vector<uint64_t> ne, uint32_t type = 0) {
    return head(1, 0).tensor("t", std::move(ne), type, 0).data(64);
  };
  EXPECT_EQ(refusal(shaped({4})), "accepted");
  EXPECT_EQ(refusal(shaped({2, 2, 2, 2})), "accepted");
  EXPECT_THAT(refusal(shaped({})), HasSubstr("0 dimensions"));
  EXPECT_THAT(refusal(shaped({1, 1, 1, 1, 1})), HasSubstr("5 dimensions"));
  EXPECT_THAT(refusal(shaped({4, 0})), HasSubstr("zero or too large"));
  EXPECT_THAT(refusal(shaped({UINT64_MAX})), HasSubstr("zero or too large"));
  EXPECT_THAT(refusal(shaped({uint64_t{1} << 63})), HasSubstr("zero or too large"));
  EXPECT_THAT(refusal(shaped({uint64_t{1} << 32, uint64_t{1} << 32})), HasSubstr("too large"));
  // Elements fit in 63 bits, their bytes do not fit in 64.
  EXPECT_THAT(refusal(shaped({uint64_t{1} << 62})), HasSubstr("not whole blocks"));
  EXPECT_THAT(refusal(shaped({uint64_t{1} << 31, uint64_t{1} << 31})), HasSubstr("too large"));
  EXPECT_THAT(refusal(shaped({31}, 8)), HasSubstr("a row of 31 is not whole blocks of q8_0"));
  EXPECT_THAT(refusal(shaped({128, 2}, 12)), HasSubstr("whole blocks of q4_k"));
}

TEST(Gguf, RefusesUnknownTypesAndSaysWhatItReads) {
  const auto typed = [](uint32_t type) {
    return refusal(head(1, 0).tensor("t", {4}, type, 0).data(64));
  };
  EXPECT_THAT(typed(0xFFFFFFFF), HasSubstr("type 4294967295 is not supported"));
  EXPECT_THAT(typed(4), HasSubstr("type 4 is not supported"));
  EXPECT_THAT(typed(18), HasSubstr("type 18 (iq3_xxs) is not supported"));
  EXPECT_THAT(typed(18),
              HasSubstr("supported types: f32, f16, q4_0, q4_1, q5_0, q5_1, q8_0, q2_k"));
  EXPECT_THAT(typed(18), HasSubstr("tensor 't'"));
}

TEST(Gguf, RefusesBadPlaces) {
  const auto placed = [](uint64_t first, uint64_t second, size_t data) {
    return refusal(head(2, 0).tensor("s", {8}, 0, first).tensor("t", {8}, 0, second).data(data));
  };
  EXPECT_EQ(placed(0, 32, 64), "accepted");
  EXPECT_EQ(placed(32, 0, 64), "accepted");
  EXPECT_THAT(placed(0, 32, 63), HasSubstr("tensor 't': 32 bytes at offset 32"));
  EXPECT_THAT(placed(0, 32, 0), HasSubstr("the file holds 0 bytes of data"));
  EXPECT_THAT(placed(0, 0, 64), HasSubstr("overlaps tensor"));
  EXPECT_THAT(placed(0, 16, 64), HasSubstr("not a multiple of 32"));
  EXPECT_THAT(placed(0, 64, 64), HasSubstr("the file holds 64 bytes"));
  EXPECT_THAT(placed(0, UINT64_MAX - 31, 64), HasSubstr("the file holds 64 bytes"));
  EXPECT_THAT(refusal(head(2, 0).tensor("s", {16}, 0, 0).tensor("t", {8}, 0, 32).data(96)),
              HasSubstr("tensor 't': overlaps tensor 's'"));
}

TEST(Gguf, RefusesBadNames) {
  EXPECT_THAT(refusal(head(2, 0).tensor("t", {8}, 0, 0).tensor("t", {8}, 0, 32).data(64)),
              HasSubstr("tensor 't' appears twice"));
  EXPECT_THAT(refusal(head(1, 0).tensor("", {8}, 0, 0).data(64)), HasSubstr("without a name"));
  EXPECT_THAT(refusal(head(1, 0).tensor(std::string(2000, 'n'), {8}, 0, 0).data(64)),
              HasSubstr("longer than 1024"));
  // What a message shows of a name cannot drive a terminal.
  EXPECT_THAT(refusal(head(1, 0).tensor("\x1b[2J\xff", {8}, 99, 0).data(64)),
              HasSubstr("tensor '\\x1b[2J\\xff'"));
}

TEST(Gguf, OpensTheMetadataOfACutFile) {
  const TempFolder folder;
  const std::string whole = content_of(kGolden);
  const auto path = folder.write("cut.gguf", whole.substr(0, whole.find("d.4d") + 52));
  EXPECT_THAT(GgufFile::open(path).error().message(), HasSubstr("holds 0 bytes of data"));
  const auto file = GgufFile::open_metadata(path).value();
  EXPECT_EQ(file.text("general.architecture").value(), "qwen2");
  EXPECT_TRUE(file.tensors().names().empty());
}

TEST(Gguf, MissingFile) {
  EXPECT_THAT(GgufFile::open("no/such.gguf").error().message(), HasSubstr("no/such.gguf"));
  EXPECT_FALSE(GgufFile::open("tests/golden").ok());
}

// --- splits

struct Split {
  uint32_t number, count, tensors;
  std::string tensor;
};

void write_split(const std::filesystem::path& path, const Split& split) {
  auto writer = GgufWriter::create(path).value();
  writer.set_u32("split.no", split.number);
  writer.set_u32("split.count", split.count);
  writer.set_u32("split.tensors.count", split.tensors);
  if (split.number == 0) writer.set_text("general.architecture", "split");
  writer.declare(split.tensor, DType::kF32, Shape::of({1}));
  ASSERT_TRUE(writer.begin().ok());
  const float value = static_cast<float>(split.number);
  ASSERT_TRUE(writer.write(std::as_bytes(std::span(&value, 1))).ok());
  ASSERT_TRUE(writer.commit().ok());
}

class GgufSplits : public ::testing::Test {
 protected:
  std::filesystem::path path(int number, int count = 3) const {
    return folder_.path() /
           ("m-0000" + std::to_string(number) + "-of-0000" + std::to_string(count) + ".gguf");
  }
  void SetUp() override {
    write_split(path(1), {0, 3, 3, "a"});
    write_split(path(2), {1, 3, 3, "b"});
    write_split(path(3), {2, 3, 3, "c"});
  }
  std::string refusal() const {
    const auto file = GgufFile::open(path(1));
    return file.ok() ? "accepted" : file.error().message();
  }
  TempFolder folder_;
};

TEST_F(GgufSplits, OpenThroughAny) {
  for (int number = 1; number <= 3; ++number) {
    const auto file = GgufFile::open(path(number)).value();
    EXPECT_THAT(file.tensors().names(), ElementsAre("a", "b", "c"));
    EXPECT_EQ(floats(*file.tensors().find("c"))[0], 2.0f);
    EXPECT_EQ(file.text("general.architecture").value(), "split");
    EXPECT_EQ(GgufFile::open_metadata(path(number)).value().text("general.architecture").value(),
              "split");
  }
}

TEST_F(GgufSplits, MissingSplit) {
  std::filesystem::remove(path(2));
  EXPECT_THAT(refusal(), HasSubstr("all 3 splits must lie in one folder"));
}

TEST_F(GgufSplits, LiesAboutNumbers) {
  write_split(path(2), {2, 3, 3, "b"});
  EXPECT_THAT(refusal(), HasSubstr("do not fit the file's name"));
  write_split(path(2), {1, 4, 3, "b"});
  EXPECT_THAT(refusal(), HasSubstr("split.count = 4"));
  write_split(path(2), {1, 3, 3, "a"});
  EXPECT_THAT(refusal(), HasSubstr("tensor 'a': this name is taken"));
  write_split(path(2), {1, 3, 3, "b"});
  EXPECT_EQ(refusal(), "accepted");
  write_split(path(1), {0, 3, 4, "a"});
  EXPECT_THAT(refusal(), HasSubstr("is 4, but the splits hold 3 tensors"));
}

TEST_F(GgufSplits, SplitUnderAnotherName) {
  std::filesystem::rename(path(1), folder_.path() / "alone.gguf");
  const auto file = GgufFile::open(folder_.path() / "alone.gguf");
  ASSERT_FALSE(file.ok());
  EXPECT_THAT(file.error().message(), HasSubstr("do not fit the file's name"));
}

// --- writing

TEST(GgufWriter, CopiesAFile) {
  const TempFolder folder;
  const auto from = GgufFile::open(kGolden).value();
  const auto path = folder.path() / "copy.gguf";
  auto writer = GgufWriter::create(path).value();
  for (const auto& key : from.keys()) writer.copy(key, *from.find(key));
  writer.set_text("general.architecture", "other");  // set again: keeps its place
  for (const auto& name : from.tensors().names()) {
    const auto& view = *from.tensors().find(name);
    writer.declare(name, view.dtype, view.shape);
  }
  ASSERT_TRUE(writer.begin().ok());
  for (const auto& name : from.tensors().names()) {
    const auto bytes = from.tensors().find(name)->bytes;
    ASSERT_TRUE(writer.write(bytes.first(5)).ok());
    ASSERT_TRUE(writer.write(bytes.subspan(5)).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(writer.commit().ok());

  const auto to = GgufFile::open(path).value();
  EXPECT_EQ(to.text("general.architecture").value(), "other");
  EXPECT_EQ(to.keys().front(), "general.architecture");
  EXPECT_EQ(to.find("general.alignment"), nullptr);  // of the old file, not of the model
  for (const auto& key : from.keys()) {
    if (key == "general.alignment" || key == "general.architecture") continue;
    const auto& a = *from.find(key);
    const auto& b = *to.find(key);
    EXPECT_EQ(a.type, b.type);
    EXPECT_EQ(a.count, b.count);
    EXPECT_TRUE(std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end())) << key;
  }
  ASSERT_EQ(to.tensors().names(), from.tensors().names());
  for (const auto& name : from.tensors().names()) {
    const auto& a = *from.tensors().find(name);
    const auto& b = *to.tensors().find(name);
    EXPECT_EQ(a.shape, b.shape);
    EXPECT_TRUE(std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end())) << name;
  }
}

TEST(GgufWriter, WritesEveryKindOfValue) {
  const TempFolder folder;
  auto writer = GgufWriter::create(folder.path() / "x.gguf").value();
  writer.set_u32("u32", 7);
  writer.set_u64("u64", uint64_t{1} << 40);
  writer.set_f32("f32", 0.5f);
  writer.set_bool("bool", true);
  writer.set_text("text", "t");
  const std::string texts[] = {"x", ""};
  writer.set_texts("texts", texts);
  const int32_t integers[] = {-1, 2};
  writer.set_i32s("i32s", integers);
  const float numbers[] = {0.25f};
  writer.set_f32s("f32s", numbers);
  ASSERT_TRUE(writer.begin().ok());
  ASSERT_TRUE(writer.commit().ok());
  const auto file = GgufFile::open(folder.path() / "x.gguf").value();
  EXPECT_EQ(file.integer("u32").value(), 7);
  EXPECT_EQ(file.integer("u64").value(), int64_t{1} << 40);
  EXPECT_EQ(file.number("f32").value(), 0.5);
  EXPECT_TRUE(file.boolean_or("bool", false).value());
  EXPECT_EQ(file.text("text").value(), "t");
  EXPECT_THAT(file.texts("texts").value(), ElementsAre("x", ""));
  EXPECT_THAT(file.integers("i32s").value(), ElementsAre(-1, 2));
  EXPECT_THAT(file.numbers("f32s").value(), ElementsAre(0.25f));
}

}  // namespace
}  // namespace ponder
