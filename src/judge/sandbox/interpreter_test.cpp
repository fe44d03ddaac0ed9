#include "judge/sandbox/interpreter.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Programs outside of /tmp, which no sandbox shows.
class Interpreters : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::current_path() / ("interpreters-" + std::to_string(::getpid()));
    fs::create_directories(root_);
    if (*std::next(root_.begin()) == "tmp") GTEST_SKIP() << "the current folder is below /tmp";
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path program(const fs::path& path) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << "#!/bin/sh\n";
    fs::permissions(root_ / path, fs::perms::owner_all);
    return root_ / path;
  }

  fs::path root_;
};

TEST_F(Interpreters, BelowUsrNeedNothingMore) {
  const auto found = find_interpreter("/usr/bin/env");
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ(found.value().path, "/usr/bin/env");
  EXPECT_THAT(found.value().folders, IsEmpty());
}

TEST_F(Interpreters, AreFoundInAnInstallation) {
  const fs::path python = program("py/bin/python3");
  EXPECT_THAT(find_interpreter(python).error().message(), HasSubstr("no installation of Python"));
  fs::create_directories(root_ / "py/lib/python3.11");
  EXPECT_THAT(find_interpreter(python).value().folders, ElementsAre((root_ / "py").string()));
}

TEST_F(Interpreters, OfAVirtualEnvironmentNeedBothFolders) {
  program("py/bin/python3");
  fs::create_directories(root_ / "py/lib/python3.11");
  fs::create_directories(root_ / "env/bin");
  fs::create_symlink(root_ / "py/bin/python3", root_ / "env/bin/python");
  std::ofstream(root_ / "env/pyvenv.cfg") << "home = " << (root_ / "py/bin").string() << "\nx\n";
  const auto found = find_interpreter(root_ / "env/bin/../bin/python");
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ(found.value().path, root_ / "env/bin/python");
  EXPECT_THAT(found.value().folders,
              ElementsAre((root_ / "env").string(), (root_ / "py").string()));
}

TEST_F(Interpreters, MustBeSomethingThatASandboxCanShow) {
  EXPECT_THAT(find_interpreter(root_ / "none").error().message(), HasSubstr("no program is there"));
  const testing::TempFolder folder;
  fs::create_directories(folder.path() / "py/lib/python3.11");
  fs::create_directories(folder.path() / "py/bin");
  fs::copy(program("python3"), folder.path() / "py/bin/python3");
  const auto refused = find_interpreter(folder.path() / "py/bin/python3");
  if (!folder.path().string().starts_with("/tmp")) GTEST_SKIP() << "TMPDIR is elsewhere";
  EXPECT_THAT(refused.error().message(), HasSubstr("a /tmp of its own"));
}

}  // namespace
}  // namespace ponder
