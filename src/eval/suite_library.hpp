// The suites that a user has added by name, and how a name becomes a suite.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "eval/suite.hpp"

namespace ponder {

class SuiteLibrary {
 public:
  // `folder`: one folder for each suite.
  explicit SuiteLibrary(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Copies the file, so that the suite stays what it is. Errors: the name is taken or has other
  // characters than a-z, 0-9, '.', '_', '-'; the file is no suite.
  Result<Suite> add(const std::string& name, const std::filesystem::path& file,
                    const std::string& format) const;
  std::vector<std::string> names() const;

  // The file of a suite that was added, or `what` itself if it is a file.
  struct Source {
    std::filesystem::path file;
    std::string format;
  };
  Result<Source> source(const std::string& what, const std::string& format) const;

  // What `--suite` means: a name that was added, a generated suite, or a file (its format found out
  // unless given). `count` > 0: so many problems, the first ones.
  Result<Suite> find(const std::string& what, const std::string& format, int64_t count) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace ponder
