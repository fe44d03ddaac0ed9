#include "train/step_log.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

class StepLogTest : public ::testing::Test {
 protected:
  StepLog open(int64_t last = 1'000'000) { return StepLog::open(path(), last).take_value(); }
  std::filesystem::path path() const { return folder_.path() / "m.jsonl"; }
  std::string content() const { return testing::content_of(path()); }

  testing::TempFolder folder_;
};

TEST_F(StepLogTest, IsCutAtTheStepThatIsResumedFrom) {
  {
    StepLog log = open();
    for (int step = 1; step <= 4; ++step) log.append({{"step", step}, {"loss", 0.5}});
  }
  EXPECT_EQ(content(),
            "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":0.5}\n"
            "{\"step\":3,\"loss\":0.5}\n{\"step\":4,\"loss\":0.5}\n");
  open(2).append({{"step", 3}});
  EXPECT_EQ(content(), "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":0.5}\n{\"step\":3}\n");
  open(-1);
  EXPECT_EQ(content(), "");
}

TEST_F(StepLogTest, ABrokenEndGoes) {
  for (const char* end : {"{\"step\":2", "{\"step\":2}", "{\"step\":\n", "no\n", "\n"}) {
    std::ofstream(path(), std::ios::trunc) << "{\"step\":1}\n" << end;
    open();
    EXPECT_EQ(content(), "{\"step\":1}\n") << end;
  }
}

TEST_F(StepLogTest, LinesWaitWhileTheDiskIsFull) {
  ::signal(SIGXFSZ, SIG_IGN);
  StepLog log = open();
  log.append({{"step", 1}});
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{17, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  log.append({{"step", 2}});
  log.append({{"step", 3}});
  EXPECT_FALSE(log.flush().ok());
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(content(), "{\"step\":1}\n");
  log.append({{"step", 4}});
  EXPECT_TRUE(log.flush().ok());
  EXPECT_EQ(content(), "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4}\n");
}

TEST_F(StepLogTest, ReadingNamesBrokenLines) {
  std::ofstream(path()) << "{\"step\":1}\n{\"step\":2}\nno\n";
  int64_t lines = 0;
  const auto read = read_step_log(path(), [&](const OrderedJson&) { return ++lines > 0; });
  EXPECT_THAT(read.error().message(), HasSubstr("line 3"));
  EXPECT_EQ(lines, 2);
  EXPECT_TRUE(read_step_log(path(), [&](const OrderedJson&) { return false; }).ok());
}

}  // namespace
}  // namespace ponder
