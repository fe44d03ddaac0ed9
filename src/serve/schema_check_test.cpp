#include "serve/schema_check.hpp"

#include <gtest/gtest.h>

#include "serve/requests.hpp"
#include "serve/schemas.hpp"

namespace ponder {
namespace {

// "" if the value fits, else "where: what".
std::string problem(const char* value, const char* schema, const char* definitions = "{}") {
  const auto checked = check_schema(OrderedJson::parse(value), OrderedJson::parse(schema),
                                    OrderedJson::parse(definitions), "x");
  return checked.ok() ? "" : checked.error().message();
}

TEST(SchemaCheck, Types) {
  EXPECT_EQ(problem("1", R"({"type":"integer"})"), "");
  EXPECT_EQ(problem("1.0", R"({"type":"integer"})"), "");
  EXPECT_EQ(problem("1e300", R"({"type":"integer"})"), "");
  EXPECT_EQ(problem("1.5", R"({"type":"integer"})"), "x: must be an integer, is 1.5");
  EXPECT_EQ(problem("true", R"({"type":"number"})"), "x: must be a number, is true");
  EXPECT_EQ(problem("[]", R"({"type":["string","null"]})"),
            "x: must be a string or null, is a list");
  EXPECT_EQ(problem("{}", R"({"type":"boolean"})"), "x: must be true or false, is an object");
  EXPECT_EQ(problem("null", R"({"type":"object"})"), "x: must be an object, is null");
}

TEST(SchemaCheck, Ranges) {
  EXPECT_EQ(problem("2", R"({"type":"number","minimum":0,"maximum":2})"), "");
  EXPECT_NE(problem("2.0001", R"({"type":"number","minimum":0,"maximum":2})"), "");
  EXPECT_NE(problem("-1", R"({"type":"integer","minimum":0})"), "");
  EXPECT_NE(problem("1e30", R"({"type":"integer","maximum":18446744073709551615})"), "");
  EXPECT_EQ(problem("18446744073709551615", R"({"type":"integer","maximum":18446744073709551615})"),
            "");
  EXPECT_NE(problem("18446744073709551615", R"({"type":"integer","maximum":1000})"), "");
  EXPECT_NE(problem("-9223372036854775808", R"({"type":"integer","minimum":-5})"), "");
}

TEST(SchemaCheck, CountsCharactersItemsAndKeys) {
  EXPECT_EQ(problem(R"("世界")", R"({"type":"string","maxLength":2})"), "");
  EXPECT_NE(problem(R"("世界!")", R"({"type":"string","maxLength":2})"), "");
  EXPECT_EQ(problem(R"("")", R"({"type":"string","minLength":1})"), "x: is empty");
  EXPECT_EQ(problem("[]", R"({"type":"array","minItems":1})"), "x: is empty");
  EXPECT_NE(problem("[1,2]", R"({"type":"array","maxItems":1})"), "");
  EXPECT_NE(problem(R"({"a":1,"b":2})", R"({"type":"object","maxProperties":1})"), "");
}

TEST(SchemaCheck, PlacesAreNamed) {
  const char* schema =
      R"({"type":"object","required":["a"],"properties":{"a":{"type":"array","items":{"type":
      "object","properties":{"b":{"enum":["p","q"]}}}}},"additionalProperties":{"type":"number"}})";
  EXPECT_EQ(problem(R"({"a":[{},{"b":"r"}]})", schema), "x.a[1].b: must be 'p' or 'q', is 'r'");
  EXPECT_EQ(problem("{}", schema), "x.a: is missing");
  EXPECT_EQ(problem(R"({"a":null})", schema), "x.a: is missing");
  EXPECT_EQ(problem(R"({"a":[{"b":null}]})", schema), "") << "null counts as absent";
  EXPECT_EQ(problem(R"({"a":[],"c":"d"})", schema), "x.c: must be a number, is 'd'");
}

TEST(SchemaCheck, Alternatives) {
  const char* text_or_list =
      R"({"anyOf":[{"type":"string"},{"type":"array","items":{"type":"integer"}},
          {"type":"array","items":{"type":"string"}}]})";
  EXPECT_EQ(problem("[1,2]", text_or_list), "");
  EXPECT_EQ(problem("5", text_or_list), "x: must be a string or a list, is 5");
  EXPECT_EQ(problem(R"(["a",1])", text_or_list), "x[1]: must be a string, is 1");
  const char* variants =
      R"({"anyOf":[{"type":"object","properties":{"type":{"const":"a"},"n":{"type":"integer"}}},
          {"type":"object","properties":{"type":{"const":"b"}}}]})";
  EXPECT_EQ(problem(R"({"type":"a","n":"x"})", variants), "x.n: must be an integer, is 'x'");
  EXPECT_EQ(problem(R"({"type":"c"})", variants), "x.type: must be 'a' or 'b', is 'c'");
}

TEST(SchemaCheck, ReferencesAndAdvice) {
  EXPECT_EQ(problem("5", R"j({"$ref":"#/components/schemas/Text"})j",
                    R"({"Text":{"type":"string","x-mend":"write it out"}})"),
            "x: must be a string, is 5; write it out");
}

TEST(SchemaCheck, AnotherKindIsToldBeforeWhatItLacks) {
  const char* schema =
      R"j({"type":"object","required":["type","text"],"properties":{"text":{"type":"string"},
          "type":{"type":"string","const":"text","x-mend":"no images"}}})j";
  EXPECT_EQ(problem(R"({"type":"image"})", schema),
            "x.type: must be 'text', is 'image'; no images");
  EXPECT_EQ(problem(R"({"type":"text"})", schema), "x.text: is missing");
  EXPECT_EQ(problem("{}", schema), "x.type: is missing");
}

TEST(SchemaCheck, WhatIsPublishedAllowsNullAndHasNoExtensions) {
  const OrderedJson published = published_schema(OrderedJson::parse(
      R"j({"type":"object","required":["a"],"properties":{"a":{"type":"string","x-mend":"m"},
          "b":{"enum":["p"],"type":"string"},"c":{"$ref":"#/components/schemas/T"},
          "type":{"const":"k"}}})j"));
  const OrderedJson& properties = published["properties"];
  EXPECT_EQ(properties["a"], OrderedJson::parse(R"({"type":"string"})"));
  EXPECT_EQ(properties["b"], OrderedJson::parse(R"({"enum":["p",null],"type":["string","null"]})"));
  EXPECT_EQ(properties["c"]["anyOf"][1]["type"], "null");
  EXPECT_EQ(properties["type"]["enum"], OrderedJson::parse(R"(["k",null])"));
}

TEST(Schemas, EveryReferenceLeadsSomewhere) {
  const OrderedJson& all = request_schemas();
  const std::function<void(const OrderedJson&)> visit = [&](const OrderedJson& value) {
    if (value.is_object() && value.contains("$ref")) {
      const auto name = value["$ref"].get<std::string>();
      EXPECT_TRUE(all.contains(name.substr(name.rfind('/') + 1))) << name;
    }
    if (!value.is_structured()) return;
    for (const auto& item : value) visit(item);
  };
  visit(all);
}

TEST(Schemas, HostileBodiesAreRefusedWithAPlace) {
  for (const char* body :
       {"", "  ", "{", "[]", "null", "5", "{\"messages\":[]}", "{\"a\":1,\"a\":2}",
        "{\"temperature\":1e999}", "{\"model\":\"\\ud800\"}", "{\"model\":\"\xff\"}"}) {
    const auto parsed = parse_body(body, "ChatCompletionRequest");
    ASSERT_FALSE(parsed.ok()) << body;
    EXPECT_FALSE(parsed.error().what.empty());
  }
  EXPECT_FALSE(parse_body(std::string(100'000, '['), "ChatCompletionRequest").ok());
}

}  // namespace
}  // namespace ponder
