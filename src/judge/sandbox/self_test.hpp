// Whether the sandbox of this machine can be believed: programs that are right must pass, hostile
// ones must not, and nothing of theirs may be left behind. Scores are withheld where it fails.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "judge/sandbox/sandbox.hpp"

namespace ponder {

struct SelfTestItem {
  std::string name;
  Language language = Language::kPython;
  bool hostile = false;
  Verdict verdict = Verdict::kInfra;
  bool ok = false;
  std::string why;  // why it is not ok, or what the sandbox said
};

struct SelfTestReport {
  std::vector<SelfTestItem> items;
  std::vector<std::string> leaks;  // traces outside the sandbox: files, connections, processes
  bool complete = false;           // false if `progress` asked to stop
  bool passed() const;             // complete, every item ok, no leaks
  std::string summary() const;     // one line
};

struct SelfTestOptions {
  bool quick = false;  // leaves out what takes a moment: most of C++, programs that never end
  ProgressSink progress;
};

SelfTestReport self_test(const Sandbox& sandbox, const SelfTestOptions& options = {});

}  // namespace ponder
