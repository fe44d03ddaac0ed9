// Paths: escapes, dots, what is refused.
#include "serve/http/target.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

TEST(Target, Decodes) {
  const std::pair<const char*, const char*> cases[] = {
      {"/", "/"},
      {"/v1/models?x=%2F", "/v1/models"},
      {"/a%20b/%C3%A9", "/a b/\u00e9"},
      {"/a/./b/../c", "/a/c"},
      {"/a/%2e%2E/b", "/b"},
      {"/a%2Fb/..", "/a/"},
      {"/a/..", "/"},
      {"/a/.", "/a/"},
      {"/a/", "/a/"},
      {"/a//b", "/a//b"},
      {"/...", "/..."},
      {"/%252e%252e/", "/%2e%2e/"},
      {"http://host:1/x?y", "/x"},
      {"http://host?y", "/"},
      {"*", "*"},
  };
  for (const auto& [target, path] : cases) {
    const auto parsed = parse_target(target);
    ASSERT_TRUE(parsed.ok()) << target << " " << parsed.error().message();
    EXPECT_EQ(parsed.value().path, path) << target;
  }
  EXPECT_EQ(parse_target("/a?b=%2F&c?").value().query, "b=%2F&c?");
  EXPECT_EQ(parse_target("http://host:1/x").value().authority, "host:1");
}

TEST(Target, Refuses) {
  for (const char* target : {"",           "a",
                             "host:80",    "?",
                             "/..",        "/../etc/passwd",
                             "/a/../../b", "/%2e%2e/b",
                             "/..%2fb",    "/%",
                             "/%4",        "/%zz",
                             "/%00",       "/a%0d%0aX: y",
                             "/%7f",       "/\x01",
                             "/%ff",       "/%c0%ae",
                             "/%ed%a0%80", "/\xff",
                             "/a#b",       "http:///x",
                             "ftp://h/",   "*x"}) {
    EXPECT_FALSE(parse_target(target).ok()) << target;
  }
}

}  // namespace
}  // namespace ponder
