// JSON: strict parsing and typed fields.
#include "io/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/printable.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

std::string refusal(std::string_view text, int depth = 64) {
  const auto result = parse_json(text, "f.json", depth);
  return result.ok() ? "accepted" : result.error().message();
}

TEST(Json, Parses) {
  const Json json =
      parse_json(R"({"a": [1, -2, 2.5, true, null, "x"], "b": {"c": {}}})", "").value();
  EXPECT_EQ(json["a"].size(), 6u);
  EXPECT_EQ(json["a"][1], -2);
  EXPECT_EQ(json["a"][5], "x");
  EXPECT_TRUE(json["b"]["c"].is_object());
  EXPECT_EQ(json, Json::parse(R"({"a": [1, -2, 2.5, true, null, "x"], "b": {"c": {}}})"));
  EXPECT_EQ(parse_json("7", "").value(), 7);
}

TEST(Json, RefusesWhatIsNotJson) {
  EXPECT_THAT(refusal(""), HasSubstr("f.json"));
  EXPECT_THAT(refusal("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{} x"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("[1,]"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{\n\"a\": 1,\n\"b\": nope}"), HasSubstr("f.json: line 3, offset 1"));
  EXPECT_THAT(refusal("[1e999999]"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("[NaN]"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("\"\xff\""), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("\"\\ud800\""), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("\"\x1b[2J\""), testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(refusal(R"({"a": 1, "b": {"a": 1}, "a": 2})"), HasSubstr("key 'a' appears twice"));
}

TEST(Json, BoundsDepth) {
  EXPECT_EQ(refusal("[[[]]]", 3), "accepted");
  EXPECT_THAT(refusal("[[[[]]]]", 3), HasSubstr("nested deeper than 3"));
  EXPECT_THAT(refusal(std::string(100000, '[')), HasSubstr("nested deeper than 64"));
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_THAT(refusal(objects), HasSubstr("nested deeper than 64"));
}

TEST(Json, KeepsTheOrderIfAsked) {
  const std::string text = R"({"z":1,"a":{"y":[{"c":2,"b":3}],"x":"é"},"m":null})";
  EXPECT_EQ(parse_ordered_json(text, "").value().dump(), text);
  EXPECT_FALSE(parse_ordered_json(R"({"a": 1, "b": {"a": 1}, "a": 2})", "").ok());
  EXPECT_FALSE(parse_ordered_json("[[[[]]]]", "", 3).ok());
  std::string many = "{\"k\":0";
  for (int i = 0; i < 200000; ++i) many += ",\"" + std::to_string(i) + "\":0";
  EXPECT_EQ(parse_ordered_json(many + "}", "").value().size(), 200001u);
}

class JsonFields : public ::testing::Test {
 protected:
  const Json object_ =
      parse_json(R"({"i": -5, "big": 9223372036854775808, "whole": 1e6, "half": 0.5,
      "b": true, "t": "text", "null": null, "list": [1], "bad": "\u001b[2J"})",
                 "")
          .value();
};

TEST_F(JsonFields, OfTheRightKind) {
  EXPECT_EQ(integer_field(object_, "i", "f").value(), -5);
  EXPECT_EQ(integer_field(object_, "whole", "f").value(), 1000000);
  EXPECT_EQ(number_field(object_, "half", "f").value(), 0.5);
  EXPECT_EQ(number_field(object_, "i", "f").value(), -5);
  EXPECT_TRUE(bool_field(object_, "b", "f").value());
  EXPECT_EQ(text_field(object_, "t", "f").value(), "text");
}

TEST_F(JsonFields, Defaults) {
  for (const char* key : {"absent", "null"}) {
    EXPECT_EQ(integer_field_or(object_, key, "f", 3).value(), 3);
    EXPECT_EQ(number_field_or(object_, key, "f", 1.5).value(), 1.5);
    EXPECT_TRUE(bool_field_or(object_, key, "f", true).value());
    EXPECT_EQ(text_field_or(object_, key, "f", "d").value(), "d");
    EXPECT_THAT(integer_field(object_, key, "f").error().message(), HasSubstr("is missing"));
  }
  EXPECT_EQ(find_field(Json(3), "x"), nullptr);
}

TEST_F(JsonFields, OfTheWrongKind) {
  EXPECT_THAT(integer_field(object_, "half", "f.json").error().message(),
              HasSubstr("f.json: field 'half': must be an integer, is 0.5"));
  EXPECT_THAT(integer_field(object_, "big", "f").error().message(),
              HasSubstr("9223372036854775808"));
  EXPECT_THAT(integer_field_or(object_, "t", "f", 3).error().message(), HasSubstr("is 'text'"));
  EXPECT_THAT(number_field(object_, "list", "f").error().message(), HasSubstr("is array"));
  EXPECT_THAT(bool_field(object_, "i", "f").error().message(), HasSubstr("true or false, is -5"));
  EXPECT_THAT(text_field(object_, "b", "f").error().message(), HasSubstr("a string, is true"));
  EXPECT_THAT(number_field(object_, "bad", "f").error().message(), HasSubstr("is '\\x1b[2J'"));
}

TEST_F(JsonFields, OutOfRange) {
  EXPECT_EQ(integer_field(object_, "i", "f", {-5, -5}).value(), -5);
  EXPECT_THAT(integer_field(object_, "i", "f", {-4, 9}).error().message(),
              HasSubstr("-5 is not in -4 to 9"));
  EXPECT_FALSE(integer_field(object_, "i", "f", {-9, -6}).ok());
  EXPECT_FALSE(integer_field_or(object_, "i", "f", 0, {0, 9}).ok());
  EXPECT_EQ(number_field(object_, "half", "f", {0.5, 0.5}).value(), 0.5);
  EXPECT_THAT(number_field(object_, "half", "f", {1, 2}).error().message(),
              HasSubstr("0.5 is not in 1.0 to 2.0"));
  EXPECT_FALSE(number_field_or(object_, "half", "f", 1, {0, 0.25}).ok());
}

TEST(Printable, EscapesWhatATerminalObeys) {
  EXPECT_EQ(printable("plain ä 世"), "'plain ä 世'");
  EXPECT_EQ(printable("\x1b\n\x7f"), "'\\x1b\\x0a\\x7f'");
  EXPECT_EQ(printable("\xc2\x9b"), "'\\xc2\\x9b'");             // CSI as one character
  EXPECT_EQ(printable("\xff\xc0\xaf"), "'\\xff\\xc0\\xaf'");    // overlong '/'
  EXPECT_EQ(printable("\xed\xa0\x80"), "'\\xed\\xa0\\x80'");    // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80").size(), 2u + 4 * 4);  // beyond U+10FFFF
  EXPECT_LT(printable(std::string(100000, 'x')).size(), 120u);
}

}  // namespace
}  // namespace ponder
