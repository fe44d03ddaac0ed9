// Against what Python 3.11 prints for json.dumps(json.loads(text), ensure_ascii=False).
#include "text/python_json.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

std::string again(std::string_view text, int indent = -1) {
  return python_json(parse_ordered_json(text, "").take_value(), indent);
}

TEST(PythonJson, NumbersAndWords) {
  EXPECT_EQ(again("[1,-2,0,12345678901234567890,true,false,null]"),
            "[1, -2, 0, 12345678901234567890, true, false, null]");
  EXPECT_EQ(again("[1.0,0.1,-0.0,1e22,1e16,1e15,123456.789,0.0001,0.00001,5e-324]"),
            "[1.0, 0.1, -0.0, 1e+22, 1e+16, 1000000000000000.0, 123456.789, 0.0001, 1e-05, "
            "5e-324]");
  EXPECT_EQ(again("1.7976931348623157e308"), "1.7976931348623157e+308");
}

TEST(PythonJson, Texts) {
  EXPECT_EQ(again(R"("\u0000\u0007\b\f\n\r\t\"\\\/\u001f\u007f<é你😀")"),
            "\"\\u0000\\u0007\\b\\f\\n\\r\\t\\\"\\\\/\\u001f\x7f<é你😀\"");
  EXPECT_EQ(python_json("a\xff"), "\"a\uFFFD\"");
}

TEST(PythonJson, Structures) {
  const std::string_view text = R"({"z":[1,{"b":[],"a":{}}],"":"x"})";
  EXPECT_EQ(again(text), R"({"z": [1, {"b": [], "a": {}}], "": "x"})");
  EXPECT_EQ(again(text, 2),
            "{\n  \"z\": [\n    1,\n    {\n      \"b\": [],\n      \"a\": {}\n    }\n  ],\n  "
            "\"\": \"x\"\n}");
  EXPECT_EQ(again("[]"), "[]");
  EXPECT_EQ(again("{}", 4), "{}");
}

}  // namespace
}  // namespace ponder
