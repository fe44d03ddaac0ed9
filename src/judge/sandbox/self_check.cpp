#include <poll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "base/thread_pool.hpp"
#include "judge/sandbox/box_files.hpp"
#include "judge/sandbox/embedded.hpp"
#include "judge/sandbox/listener.hpp"
#include "judge/sandbox/self_test.hpp"

namespace ponder {
namespace {

struct Program {
  std::string name, how, source;
  Language language = Language::kPython;
  bool hostile = false, slow = false;
};

struct Corpus {
  std::vector<Program> programs;
  std::map<std::string, std::string, std::less<>> tasks;
};

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    if (end > at) words.emplace_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// The file is ours, so what it says is right.
Corpus parse_corpus(std::string_view text) {
  constexpr std::string_view kMark = "\n#### ";
  Corpus corpus;
  for (size_t at = text.find(kMark); at != std::string_view::npos;) {
    at += kMark.size();
    const size_t line_end = text.find('\n', at);
    const size_t next = text.find(kMark, line_end);
    const auto words = words_of(text.substr(at, line_end - at));
    const std::string content(text.substr(line_end + 1, next - line_end - 1));
    if (words[0] == "task") {
      corpus.tasks[words[1]] = content;
    } else {
      corpus.programs.push_back({.name = words[3],
                                 .how = words[2],
                                 .source = content,
                                 .language = *language_by_name(words[1]),
                                 .hostile = words[0] == "hostile",
                                 .slow = words.size() > 4});
    }
    at = next;
  }
  return corpus;
}

void replace_all(std::string& text, std::string_view what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// What hostile programs would like to reach, and whether one did.
class Bait {
 public:
  static Result<Bait> lay();
  void fill_in(std::string& source) const;
  bool reveals(const RunResult& result) const;
  std::vector<std::string> traces() const;

 private:
  BoxFolder folder_;
  Listener listener_;
  std::string secret_;
  std::string secret_path() const { return folder_.path() + "/secret"; }
  std::string drop_path() const { return folder_.path() + "/drop"; }
};

Result<Bait> Bait::lay() {
  Bait bait;
  bait.folder_ = PONDER_TRY(BoxFolder::create());
  bait.listener_ = listen_on_loopback();
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes || !bait.listener_.fd)
    return Failure{{.what = "cannot prepare the self-test of the sandbox"}};
  bait.secret_ = "secret-";
  for (const unsigned char byte : bytes) bait.secret_ += std::to_string(byte);
  std::ofstream(bait.secret_path()) << bait.secret_ << "\n";
  if (mkdir(bait.drop_path().c_str(), 0777) != 0 || chmod(bait.drop_path().c_str(), 0777) != 0)
    return Failure{{.what = "cannot make a folder", .where = bait.drop_path()}};
  return bait;
}

void Bait::fill_in(std::string& source) const {
  replace_all(source, "@SECRET@", secret_path());
  replace_all(source, "@DROP@", drop_path());
  replace_all(source, "@PORT@", std::to_string(listener_.port));
  replace_all(source, "@PID@", std::to_string(getpid()));
}

bool Bait::reveals(const RunResult& result) const {
  for (const std::string* text : {&result.out, &result.err, &result.why}) {
    if (text->find(secret_) != std::string::npos) return true;
  }
  return false;
}

std::vector<std::string> Bait::traces() const {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(drop_path(), error))
    found.push_back("a program wrote " + entry.path().string());
  std::ifstream file(secret_path());
  std::string line;
  if (!std::getline(file, line) || line != secret_) found.push_back("a program changed a file");
  struct stat status;
  if (stat(secret_path().c_str(), &status) == 0 && (status.st_mode & 0002) != 0)
    found.push_back("a program changed the rights of a file");
  pollfd wait = {listener_.fd.get(), POLLIN, 0};
  if (poll(&wait, 1, 0) > 0) found.push_back("a program connected to this machine");
  return found;
}

RunRequest request_for(const Program& program, const Corpus& corpus, const Bait& bait) {
  RunRequest request;
  request.language = program.language;
  request.source = program.source;
  bait.fill_in(request.source);
  const bool python = program.language == Language::kPython;
  if (program.how == "tests") {
    request.tests = AssertTests{.source = corpus.tasks.at(python ? "tests.py" : "tests.cpp")};
    request.tests->entry_point = python ? "squares" : "";
  } else {
    request.cases.push_back({corpus.tasks.at("input"), corpus.tasks.at("output")});
  }
  if (program.hostile) {
    request.limits.cpu_seconds = 0.5;
    request.limits.wall_seconds = 3;
    request.limits.memory_bytes = int64_t{128} << 20;
    request.confirm_timeout = false;
  }
  return request;
}

SelfTestItem run_item(const Sandbox& sandbox, const Program& program, const RunRequest& request,
                      const Bait& bait) {
  const RunResult result = sandbox.run(request);
  SelfTestItem item{.name = program.name,
                    .language = program.language,
                    .hostile = program.hostile,
                    .verdict = result.verdict,
                    .ok = false,
                    .why = result.why};
  const bool passed = result.verdict == Verdict::kPass;
  if (bait.reveals(result))
    item.why = "it read a secret";
  else if (result.verdict != Verdict::kInfra)
    item.ok = passed != program.hostile;
  return item;
}

}  // namespace

bool SelfTestReport::passed() const {
  return complete && !items.empty() && leaks.empty() &&
         std::all_of(items.begin(), items.end(), [](const SelfTestItem& item) { return item.ok; });
}

std::string SelfTestReport::summary() const {
  int right = 0, right_ok = 0, hostile = 0, hostile_ok = 0;
  for (const SelfTestItem& item : items) {
    (item.hostile ? hostile : right) += 1;
    (item.hostile ? hostile_ok : right_ok) += item.ok ? 1 : 0;
  }
  return std::string(passed()   ? "passed: "
                     : complete ? "FAILED: "
                                : "stopped: ") +
         std::to_string(right_ok) + " of " + std::to_string(right) + " right programs passed, " +
         std::to_string(hostile_ok) + " of " + std::to_string(hostile) +
         " hostile ones were held, " + std::to_string(leaks.size()) + " leaks";
}

SelfTestReport self_test(const Sandbox& sandbox, const SelfTestOptions& options) {
  SelfTestReport report;
  const auto bait = Bait::lay();
  if (!bait.ok()) {
    report.leaks.push_back(bait.error().message());
    return report;
  }
  Corpus corpus = parse_corpus(embedded::self_test_programs());
  if (sandbox.level() == SandboxLevel::kNone) {
    // They would do what they try to.
    std::erase_if(corpus.programs, [](const Program& program) { return program.hostile; });
    report.leaks.emplace_back("there is no sandbox: hostile programs were not run");
  }
  if (options.quick) {
    // C++ is slow because of its compiler; one right program shows that it is there.
    std::erase_if(corpus.programs, [](const Program& program) {
      return program.slow && (program.hostile || program.how == "tests" || program.name != "plain");
    });
  }
  report.items.resize(corpus.programs.size());
  std::atomic<size_t> next{0}, done{0};
  std::atomic<bool> stop{false};
  std::mutex reporting;
  const auto work = [&] {
    for (size_t i; !stop && (i = next++) < corpus.programs.size();) {
      const Program& program = corpus.programs[i];
      report.items[i] =
          run_item(sandbox, program, request_for(program, corpus, bait.value()), bait.value());
      const std::lock_guard lock(reporting);
      const ProgressReport progress{"self-test", ++done, corpus.programs.size(), "programs"};
      if (options.progress && !options.progress(progress)) stop = true;
    }
  };
  // More callers than the sandbox lets through: right programs must pass beside hostile ones.
  std::vector<std::thread> threads;
  for (int i = 0; i < 2 * available_cpus(); ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  report.complete = done == corpus.programs.size();
  for (std::string& trace : bait.value().traces()) report.leaks.push_back(std::move(trace));
  for (const int process : sandbox.processes_left())
    report.leaks.push_back("process " + std::to_string(process) + " is still there");
  return report;
}

}  // namespace ponder
