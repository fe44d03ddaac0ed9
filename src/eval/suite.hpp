// Problems with the words around them that make a question. Read from files in their published
// formats, or generated.
//
// What `extra` of a problem of code holds, which judge/'s task "code" reads:
//   "language": "python" or "cpp"
//   "tests": source with assertions; with "check" true it defines check(candidate) (HumanEval)
//   "entry_point": the function that is asked for, if any
//   "prefix": source that the answer goes on from, if it does not repeat it
//   "io": [{"stdin": …, "stdout": …}], instead of tests
//   "time", "memory_mb", "tolerance": limits of a run
//   "solution": a program that is right, where the file has one
//   "wrong": programs that are not, for `ponder eval check`
// Of a problem of choice: "choices": […], and `answer` is the letter.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "judge/problem.hpp"

namespace ponder {

struct Suite {
  std::string name;
  std::string format;   // one of suite_formats(), or "generated"
  std::string origin;   // the file, or how it was generated
  std::string sha256;   // of the file
  std::string form;     // a question, with {prompt} where the problem's goes
  std::string warning;  // what to know before its scores are believed
  std::vector<Problem> problems;
};

std::string question_text(const Suite& suite, const Problem& problem);

// "humaneval", "mbpp", "livecodebench", "maths", "choice": how a file is read.
std::vector<std::string_view> suite_formats();

// A file of records: JSON lines, a JSON array, or CSV; plain or gzip. An empty format: found out by
// the fields of the first record. Bounded: 2 GiB, a million problems. Errors name file and record.
Result<Suite> read_suite(const std::filesystem::path& file, const std::string& format,
                         const std::string& name);

// Suites that need no file: names, and one of them with `count` problems (0: its usual number).
std::vector<std::string> generated_suites();
Result<Suite> generate_suite(const std::string& name, int64_t count);

// Suites that are part of the program: names, and one of them.
std::vector<std::string> builtin_suites();
Result<Suite> builtin_suite(const std::string& name);

// A number that depends on the text alone.
uint64_t stable_hash(std::string_view text);

}  // namespace ponder
