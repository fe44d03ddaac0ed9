// safetensors: reading what the Python package wrote, and refusing every lie in a header.
#include "io/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "io/safetensors_writer.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using testing::content_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::UnorderedElementsAre;

constexpr const char* kGolden = "tests/golden/io/types.safetensors";
constexpr const char* kSharded = "tests/golden/io/sharded";

template <typename T>
std::vector<T> values(const SafetensorsFile& file, std::string_view name) {
  const TensorView& view = *file.tensors().find(name);
  std::vector<T> result(view.bytes.size() / sizeof(T));
  std::memcpy(result.data(), view.bytes.data(), view.bytes.size());
  return result;
}

std::string with_header(std::string_view header, size_t data) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof(length));
  bytes += header;
  return bytes + std::string(data, 'd');
}

std::string refusal_of_bytes(const std::string& bytes) {
  const std::vector<char> copy(bytes.begin(), bytes.end());
  const auto result = parse_safetensors(std::as_bytes(std::span(copy)), "x.safetensors");
  return result.ok() ? "accepted" : result.error().message();
}

std::string refusal(std::string_view header, size_t data) {
  return refusal_of_bytes(with_header(header, data));
}

// The header of one F32 tensor 't' with these fields.
std::string one(const std::string& shape, const std::string& offsets) {
  return R"({"t":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

TEST(Safetensors, ReadsEveryType) {
  const auto file = SafetensorsFile::open(kGolden).value();
  EXPECT_THAT(file.tensors().names(), UnorderedElementsAre("f32", "f16", "f64", "i64", "i32", "i16",
                                                           "i8", "u8", "bool", "scalar"));
  EXPECT_EQ(file.tensors().find("f32")->shape, Shape::of({2, 3}));
  EXPECT_THAT(values<float>(file, "f32"), ElementsAre(-3.75f, -2.0f, -0.25f, 1.5f, 3.25f, -2.75f));
  EXPECT_EQ(file.tensors().find("f16")->dtype, DType::kF16);
  EXPECT_THAT(values<double>(file, "f64"), ElementsAre(-3.25, -1.5));
  EXPECT_THAT(values<int64_t>(file, "i64"), ElementsAre(-5, int64_t{1} << 40));
  EXPECT_THAT(values<int32_t>(file, "i32"), ElementsAre(7, -8));
  EXPECT_THAT(values<int16_t>(file, "i16"), ElementsAre(300));
  EXPECT_THAT(values<int8_t>(file, "i8"), ElementsAre(-3));
  EXPECT_THAT(values<uint8_t>(file, "u8"), ElementsAre(255, 1));
  EXPECT_EQ(file.tensors().find("bool")->dtype, DType::kBool);
  EXPECT_EQ(file.tensors().find("scalar")->shape.rank, 0);
  EXPECT_THAT(values<float>(file, "scalar"), ElementsAre(2.5f));
  EXPECT_EQ(file.metadata().at("note"), "made for tests");
}

TEST(Safetensors, RefusesABadHeaderLength) {
  EXPECT_THAT(refusal_of_bytes(""), HasSubstr("shorter than 8 bytes"));
  EXPECT_THAT(refusal_of_bytes("1234567"), HasSubstr("shorter than 8 bytes"));
  const auto announced = [](uint64_t length) {
    std::string bytes = with_header("{}", 0);
    std::memcpy(bytes.data(), &length, sizeof(length));
    return refusal_of_bytes(bytes);
  };
  EXPECT_EQ(announced(2), "accepted");
  for (const uint64_t length : {uint64_t{0}, uint64_t{1}, uint64_t{3}, uint64_t{100'000'001},
                                uint64_t{1} << 63, UINT64_MAX}) {
    EXPECT_THAT(announced(length), HasSubstr("bytes is announced"));
  }
}

TEST(Safetensors, RefusesWhatIsNoHeader) {
  EXPECT_THAT(refusal("[]", 0), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(refusal(" {}", 0), HasSubstr("does not begin with '{'"));
  EXPECT_EQ(refusal("{}   ", 0), "accepted");
  EXPECT_THAT(refusal("{} {}", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{\"\xff\":{}}", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{\"t\":1}", 0), HasSubstr("a number is not expected"));
  EXPECT_THAT(refusal("{\"t\":null}", 0), HasSubstr("null"));
  EXPECT_THAT(refusal("{\"t\":[]}", 0), HasSubstr("an array is not expected"));
  EXPECT_THAT(refusal("{\"t\":\"x\"}", 0), HasSubstr("a string is not expected"));
  EXPECT_THAT(refusal("{\"\":{}}", 0), HasSubstr("without a name"));
  EXPECT_THAT(refusal("{\"t\":" + std::string(50000, '['), 0), HasSubstr("not expected"));
  EXPECT_THAT(refusal("{\"__metadata__\":{\"a\":{}}}", 0), HasSubstr("an object is not expected"));
  EXPECT_THAT(refusal("{\"__metadata__\":{\"a\":1}}", 0), HasSubstr("a number is not expected"));
}

TEST(Safetensors, RefusesIncompleteTensors) {
  EXPECT_THAT(refusal("{\"t\":{}}", 0), HasSubstr("tensor 't': no dtype"));
  EXPECT_THAT(refusal(R"({"t":{"dtype":"F32"}})", 0), HasSubstr("no shape"));
  EXPECT_THAT(refusal(R"({"t":{"dtype":"F32","shape":[1]}})", 0), HasSubstr("no data_offsets"));
  EXPECT_THAT(refusal(one("[1]", "[0]"), 4), HasSubstr("no data_offsets, or not two"));
  EXPECT_THAT(refusal(one("[1]", "[0,4,8]"), 4), HasSubstr("more than two"));
  EXPECT_THAT(refusal(R"({"t":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4),
              HasSubstr("unknown dtype 'F31', known: F64, F32, F16, BF16, F8_E4M3"));
  EXPECT_THAT(refusal(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4),
              HasSubstr("unknown field 'x'"));
}

TEST(Safetensors, RefusesDuplicateKeys) {
  const std::string tensor = R"("t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  EXPECT_EQ(refusal("{" + tensor + "}", 4), "accepted");
  EXPECT_THAT(refusal("{" + tensor + "," + tensor + "}", 4), HasSubstr("key 't' appears twice"));
  EXPECT_THAT(refusal(R"({"t":{"dtype":"F32","dtype":"F32"}})", 4), HasSubstr("'dtype' appears"));
  EXPECT_THAT(refusal(R"({"t":{"shape":[1],"shape":[1]}})", 4), HasSubstr("'shape' appears"));
  EXPECT_THAT(refusal(R"({"t":{"data_offsets":[0,4],"data_offsets":[0,4]}})", 4),
              HasSubstr("'data_offsets' appears"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"a":"","a":""}})", 0), HasSubstr("'a' appears twice"));
  EXPECT_THAT(refusal(R"({"__metadata__":{},"__metadata__":{}})", 0), HasSubstr("appears twice"));
}

TEST(Safetensors, RefusesBadShapes) {
  EXPECT_EQ(refusal(one("[2,1,2]", "[0,16]"), 16), "accepted");
  EXPECT_EQ(refusal(one("[]", "[0,4]"), 4), "accepted");
  EXPECT_THAT(refusal(one("[1,1,1,1,1]", "[0,4]"), 4), HasSubstr("more than 4 dimensions"));
  EXPECT_THAT(refusal(one("[0]", "[0,0]"), 0), HasSubstr("zero or too large"));
  EXPECT_THAT(refusal(one("[-1]", "[0,4]"), 4), HasSubstr("negative"));
  EXPECT_THAT(refusal(one("[1.0]", "[0,4]"), 4), HasSubstr("not a whole number"));
  EXPECT_THAT(refusal(one("[18446744073709551615]", "[0,4]"), 4), HasSubstr("too large"));
  EXPECT_THAT(refusal(one("[3]", "[0,16]"), 16), HasSubstr("do not fit F32 (3)"));
  // 2^62 · 4 bytes wraps to 0; (2^32+1)² wraps to 2^33+1.
  EXPECT_THAT(refusal(one("[4611686018427387904]", "[0,0]"), 0), HasSubstr("do not fit"));
  EXPECT_THAT(refusal(one("[4294967297,4294967297]", "[0,4]"), 4), HasSubstr("do not fit"));
}

TEST(Safetensors, RefusesBadPlaces) {
  EXPECT_THAT(refusal(one("[1]", "[4,0]"), 4), HasSubstr("run backwards"));
  EXPECT_THAT(refusal(one("[1]", "[-4,0]"), 4), HasSubstr("negative"));
  EXPECT_THAT(refusal(one("[1]", "[0,4]"), 3), HasSubstr("holds 3 bytes"));
  EXPECT_THAT(refusal(one("[1]", "[18446744073709551612,18446744073709551615]"), 4),
              HasSubstr("holds 4 bytes"));
  EXPECT_THAT(refusal(one("[1]", "[4,8]"), 8), HasSubstr("leave a hole after 0"));
  EXPECT_THAT(refusal(one("[1]", "[0,4]"), 5), HasSubstr("1 bytes behind the last tensor"));
  EXPECT_THAT(refusal("{}", 1), HasSubstr("1 bytes behind"));
  const auto two = [](const std::string& first, const std::string& second) {
    return R"({"s":{"dtype":"F32","shape":[1],"data_offsets":)" + first +
           R"(},"t":{"dtype":"F32","shape":[1],"data_offsets":)" + second + "}}";
  };
  EXPECT_EQ(refusal(two("[0,4]", "[4,8]"), 8), "accepted");
  EXPECT_EQ(refusal(two("[4,8]", "[0,4]"), 8), "accepted");
  EXPECT_THAT(refusal(two("[0,4]", "[0,4]"), 4), HasSubstr("overlap the tensor before"));
  EXPECT_THAT(refusal(two("[0,4]", "[2,6]"), 6), HasSubstr("overlap the tensor before"));
  EXPECT_THAT(refusal(two("[0,4]", "[8,12]"), 12), HasSubstr("leave a hole after 4"));
}

// --- folders and shards

TEST(SafetensorsFolder, OpensShards) {
  const auto file = SafetensorsFile::open(kSharded).value();
  EXPECT_THAT(file.tensors().names(), UnorderedElementsAre("a", "b", "c"));
  EXPECT_EQ(values<float>(file, "c")[0], -3.25f);
  EXPECT_THAT(file.tensors().where("c"), HasSubstr("model-00002-of-00002.safetensors"));
}

TEST(SafetensorsFolder, OpensASingleFile) {
  const TempFolder folder;
  EXPECT_THAT(SafetensorsFile::open(folder.path()).error().message(),
              HasSubstr("no model.safetensors and no model.safetensors.index.json"));
  folder.write("model.safetensors", content_of(kGolden));
  EXPECT_EQ(SafetensorsFile::open(folder.path()).value().tensors().names().size(), 10u);
}

class SafetensorsShards : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}) {
      folder_.write(name, content_of(std::filesystem::path(kSharded) / name));
    }
  }
  std::string refusal(const std::string& index) {
    folder_.write("model.safetensors.index.json", index);
    const auto file = SafetensorsFile::open(folder_.path());
    return file.ok() ? "accepted" : file.error().message();
  }
  std::string refusal_of_shard(const std::string& shard) {
    return refusal(R"({"weight_map":{"a":")" + shard + "\"}}");
  }
  TempFolder folder_;
};

TEST_F(SafetensorsShards, BadIndex) {
  EXPECT_EQ(refusal_of_shard("model-00001-of-00002.safetensors"), "accepted");
  EXPECT_THAT(refusal("{}"), HasSubstr("no weight_map"));
  EXPECT_THAT(refusal("[]"), HasSubstr("no weight_map"));
  EXPECT_THAT(refusal(R"({"weight_map":{}})"), HasSubstr("an empty one"));
  EXPECT_THAT(refusal(R"({"weight_map":{"a":1}})"), HasSubstr("tensor 'a': its shard must be"));
  EXPECT_THAT(refusal(R"({"weight_map":{"a":"x.safetensors","a":"x.safetensors"}})"),
              HasSubstr("key 'a' appears twice"));
  EXPECT_THAT(refusal_of_shard("absent.safetensors"), HasSubstr("absent.safetensors"));
}

TEST_F(SafetensorsShards, ShardNamesStayInTheFolder) {
  for (const char* name :
       {"", "../model-00001-of-00002.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..",
        ".hidden.safetensors", "config.json", "a\\\\b.safetensors", "a\\u0000.safetensors"}) {
    EXPECT_THAT(refusal_of_shard(name), HasSubstr("in the same folder")) << name;
  }
}

TEST_F(SafetensorsShards, ContentDiffersFromTheIndex) {
  EXPECT_THAT(
      refusal(R"({"weight_map":{"c":"model-00001-of-00002.safetensors"}})"),
      HasSubstr("tensor 'c': listed in 'model-00001-of-00002.safetensors', which does not"));
  EXPECT_THAT(refusal(R"({"weight_map":{"a":"model-00002-of-00002.safetensors",
                                        "b":"model-00001-of-00002.safetensors"}})"),
              HasSubstr("the index says that it is in 'model-00002-of-00002.safetensors'"));
}

// --- writing

TEST(SafetensorsWriter, WritesWhatIsRead) {
  const TempFolder folder;
  const auto path = folder.path() / "x.safetensors";
  auto writer = SafetensorsWriter::create(path).value();
  writer.set_metadata("note", "hello");
  writer.declare("z", DType::kF32, Shape::of({2, 1}));
  writer.declare("a", DType::kU8, Shape::of({3}));
  writer.declare("s", DType::kF64, Shape::of({}));
  ASSERT_TRUE(writer.begin().ok());
  const float z[] = {1, 2};
  const uint8_t a[] = {3, 4, 5};
  const double s = 0.5;
  ASSERT_TRUE(writer.write(std::as_bytes(std::span(z)).first(3)).ok());
  ASSERT_TRUE(writer.write(std::as_bytes(std::span(z)).subspan(3)).ok());
  ASSERT_TRUE(writer.write(std::as_bytes(std::span(a))).ok());
  ASSERT_TRUE(writer.write(std::as_bytes(std::span(&s, 1))).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(writer.commit().ok());

  const auto file = SafetensorsFile::open(path).value();
  EXPECT_THAT(file.tensors().names(), ElementsAre("z", "a", "s"));
  EXPECT_EQ(file.tensors().find("z")->shape, Shape::of({2, 1}));
  EXPECT_THAT(values<float>(file, "z"), ElementsAre(1, 2));
  EXPECT_THAT(values<uint8_t>(file, "a"), ElementsAre(3, 4, 5));
  EXPECT_THAT(values<double>(file, "s"), ElementsAre(0.5));
  EXPECT_EQ(file.metadata().at("note"), "hello");
  const auto offset = file.tensors().find("z")->bytes.data();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(offset) % 8, 0u);
}

TEST(SafetensorsWriter, WithoutCommitNothingIsLeft) {
  const TempFolder folder;
  {
    auto writer = SafetensorsWriter::create(folder.path() / "x.safetensors").value();
    writer.declare("a", DType::kU8, Shape::of({3}));
    ASSERT_TRUE(writer.begin().ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace ponder
