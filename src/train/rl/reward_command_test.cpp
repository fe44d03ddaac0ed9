#include "train/rl/reward_command.hpp"

#include <gmock/gmock.h>

#include <csignal>

#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

class RewardCommandTest : public ::testing::Test {
 protected:
  RewardCommandTest() { std::signal(SIGPIPE, SIG_IGN); }
  testing::TempFolder folder_;
};

// A loop of the shell that answers with the length of the line it has read.
constexpr const char* kLengths = R"(while read -r l; do echo "{\"reward\": ${#l}}"; done)";

TEST_F(RewardCommandTest, AnswersInOrderFromOneProcess) {
  const auto started = folder_.path() / "started";
  RewardCommand command({.command = "echo x >> " + started.string() + "; " + kLengths});
  for (size_t length = 0; length < 50; ++length) {
    const auto reward = command.ask({{"response", std::string(length, 'a')}});
    ASSERT_TRUE(reward.ok()) << reward.error().message();
    EXPECT_EQ(reward.value(), static_cast<double>(length + 15));  // {"response":""} has 15
  }
  EXPECT_EQ(testing::content_of(started), "x\n");
}

// More than a pipe holds.
TEST_F(RewardCommandTest, LongAnswersDoNotBlock) {
  RewardCommand command({.command = kLengths});
  const auto reward = command.ask({{"response", std::string(300'000, 'b')}});
  ASSERT_TRUE(reward.ok()) << reward.error().message();
  EXPECT_EQ(reward.value(), 300'015.0);
}

TEST_F(RewardCommandTest, SlowBrokenAndMissingCommandsAreErrors) {
  RewardCommand slow({.command = "sleep 1000", .seconds = 0.05});
  EXPECT_THAT(slow.ask(Json::object()).error().message(), HasSubstr("the time"));
  RewardCommand ended({.command = "true"});
  EXPECT_THAT(ended.ask(Json::object()).error().message(), HasSubstr("it has ended"));
  RewardCommand missing({.command = "exec /no/such/command 2>/dev/null"});
  EXPECT_THAT(missing.ask(Json::object()).error().message(), HasSubstr("it has ended"));
  for (const char* line :
       {"nothing", "{}", "{\\\"reward\\\": true}", "{\\\"reward\\\": 1e300}", "1"}) {
    RewardCommand wrong(
        {.command = std::string("while read -r l; do echo \"") + line + "\"; done"});
    EXPECT_FALSE(wrong.ask(Json::object()).ok()) << line;
  }
  RewardCommand endless({.command = "yes | tr -d '\\n'", .seconds = 20.0});
  EXPECT_THAT(endless.ask(Json::object()).error().message(), HasSubstr("too long"));
}

// Fails on the first line that it ever reads, then works.
TEST_F(RewardCommandTest, IsStartedAnewAfterAnError) {
  const std::string mark = (folder_.path() / "mark").string();
  RewardCommand command(
      {.command = "if [ -e " + mark + " ]; then " + kLengths + "; else touch " + mark + "; fi"});
  EXPECT_FALSE(command.ask(Json::object()).ok());
  const auto reward = command.ask(Json::object());
  ASSERT_TRUE(reward.ok()) << reward.error().message();
  EXPECT_EQ(reward.value(), 2.0);
}

}  // namespace
}  // namespace ponder
