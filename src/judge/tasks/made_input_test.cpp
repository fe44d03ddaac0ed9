// Inputs that a file says how to make: the same bytes as the Python of tools/suites, and nothing
// boundless.
#include "judge/tasks/made_input.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ponder {
namespace {

using ::testing::HasSubstr;

std::string made(const char* json) { return made_input(Json::parse(json), "here").value(); }

std::string error_of(const char* json) {
  const auto result = made_input(Json::parse(json), "here");
  return result.ok() ? "" : result.error().message();
}

TEST(MadeInput, TextsAndRows) {
  EXPECT_EQ(made(R"("as it is\n")"), "as it is\n");
  EXPECT_EQ(made("[]"), "");
  EXPECT_EQ(made(R"(["3\n", {"rows": 3, "columns": [[5, 5, 2, 2], "x", [9, 9, -1, -1]]}, "end"])"),
            "3\n5 x 9\n7 x 8\n9 x 7\nend");
  EXPECT_EQ(made(R"([{"rows": 4, "columns": ["ab"], "end": ""}])"), "abababab");
  EXPECT_EQ(
      made(R"([{"rows": 0, "columns": ["ab"]}, {"rows": 50000000, "columns": [""], "end": ""}])"),
      "");
}

// From tools/suites/cpp_suite.py, written_out().
TEST(MadeInput, DrawsAreThoseOfSplitMix64) {
  EXPECT_EQ(made(R"([{"rows": 3, "columns": [[0, 99], ["a", "b", "c"], [-5, 5]], "seed": 7}])"),
            "87 a -5\n3 b 2\n98 a -3\n");
  EXPECT_EQ(made(R"([{"rows": 3, "columns": [[1, 1, 0, 3]], "end": " ", "seed": 1}])"), "1 4 2 ");
  const std::string wide =
      R"([{"rows": 1, "columns": [[-4611686018427387904, 4611686018427387904]], "seed": 3}])";
  EXPECT_EQ(made(wide.c_str()), "-2518896593424248851\n");
}

TEST(MadeInput, WhatIsNoInputIsRefused) {
  EXPECT_THAT(error_of("3"), HasSubstr("here"));
  EXPECT_THAT(error_of("[3]"), HasSubstr("text or an object"));
  EXPECT_THAT(error_of(R"([{"columns": ["x"]}])"), HasSubstr("rows"));
  EXPECT_THAT(error_of(R"([{"rows": 1}])"), HasSubstr("columns"));
  EXPECT_THAT(error_of(R"([{"rows": 1, "columns": []}])"), HasSubstr("columns"));
  EXPECT_THAT(error_of(R"([{"rows": -1, "columns": ["x"]}])"), HasSubstr("rows"));
  EXPECT_THAT(error_of(R"([{"rows": 1, "columns": [[1]]}])"), HasSubstr("columns"));
  EXPECT_THAT(error_of(R"([{"rows": 1, "columns": [["a", 1]]}])"), HasSubstr("columns"));
  EXPECT_THAT(error_of(R"([{"rows": 1, "columns": [[1, 9223372036854775807]]}])"),
              HasSubstr("columns"));
  EXPECT_THAT(error_of(R"([{"rows": 3, "columns": [[0, 1, 1, 0]]}])"), HasSubstr("in row 2"));
  EXPECT_THAT(error_of(R"([{"rows": 67108864, "columns": ["x"]}])"), HasSubstr("64 MiB"));
  EXPECT_THAT(
      error_of(R"([{"rows": 60000000, "columns": [""]}, {"rows": 60000000, "columns": [""]}])"),
      HasSubstr("64 MiB"));
}

}  // namespace
}  // namespace ponder
