// Programs. What `extra` holds:
//   language     "python" or "cpp"
//   tests        source with assertions: see AssertTests in judge/sandbox/sandbox.hpp; or …
//   io           … a list of {"stdin": …, "stdout": …}; a long stdin may say how it is made, see
//                made_input.hpp
//   entry_point  the function (or class) that is asked for; may be absent
//   prefix       Python that the answer goes on from, if it does not define entry_point itself
//   time, memory_mb, tolerance   limits other than usual
#include <algorithm>

#include "judge/extract.hpp"
#include "judge/sandbox/sandbox.hpp"
#include "judge/tasks/made_input.hpp"
#include "judge/tasks/tasks.hpp"

namespace ponder {
namespace {

constexpr size_t kShownError = 2000;  // bytes of what the program said last

std::string text_or(const Json& extra, std::string_view key) {
  const auto text = text_field_or(extra, key, "extra", "");
  return text.ok() ? text.value() : std::string();
}

bool defines(const std::string& code, const std::string& name) {
  return code.find("def " + name) != code.npos || code.find("class " + name) != code.npos;
}

// An answer that is whole still needs the imports and helpers that stand before the function. The
// prefix ends in its docstring, so it is a program too; the answer then defines it once more.
std::string with_prefix(const std::string& prefix, const std::string& code,
                        const std::string& entry) {
  if (prefix.empty()) return code;
  const size_t last = prefix.find_last_not_of(" \t\r\n");
  const std::string_view body = std::string_view(prefix).substr(0, last + 1);
  const bool whole = entry.empty() || defines(code, entry);
  if (whole && !body.ends_with("\"\"\"") && !body.ends_with("'''")) return code;
  return prefix + (whole ? "\n\n" : prefix.ends_with('\n') ? "" : "\n") + code;
}

Result<std::vector<StdioCase>> cases_of(const Json& io) {
  std::vector<StdioCase> cases;
  for (const Json& entry : io.is_array() ? io : Json::array()) {
    StdioCase& pair = cases.emplace_back();
    const Json* input = find_field(entry, "stdin");
    if (input == nullptr) return Failure{{.what = "a case has no stdin", .where = "io"}};
    pair.input = PONDER_TRY(made_input(*input, "io: stdin"));
    pair.expected = PONDER_TRY(text_field(entry, "stdout", "io"));
  }
  return cases;
}

Result<RunRequest> request_of(const Problem& problem, const std::string& code) {
  const Json& extra = problem.extra;
  RunRequest request;
  const auto language = language_by_name(text_or(extra, "language"));
  if (!language) return Failure{{.what = "the problem names no language", .where = problem.id}};
  request.language = *language;
  const std::string entry = text_or(extra, "entry_point"), prefix = text_or(extra, "prefix");
  request.source = *language == Language::kPython ? with_prefix(prefix, code, entry) : code;
  request.tolerance = PONDER_TRY(number_field_or(extra, "tolerance", problem.id, 0.0, {0.0, 1.0}));
  RunLimits& limits = request.limits;
  limits.cpu_seconds =
      PONDER_TRY(number_field_or(extra, "time", problem.id, limits.cpu_seconds, {0.01, 600.0}));
  limits.memory_bytes = PONDER_TRY(integer_field_or(extra, "memory_mb", problem.id,
                                                    limits.memory_bytes >> 20, {16, 1 << 16}))
                        << 20;
  if (const Json* io = find_field(extra, "io")) {
    request.cases = PONDER_TRY(cases_of(*io));
    return request;
  }
  request.tests = AssertTests{.source = PONDER_TRY(text_field(extra, "tests", problem.id)),
                              .entry_point = entry,
                              .prelude = prefix};
  return request;
}

std::string last_words(const std::string& error) {
  return error.size() <= kShownError ? error : "…" + error.substr(error.size() - kShownError);
}

// What the block that counts must have: of Python the definition, since examples of use name the
// function too.
std::string definition(const Json& extra, std::string_view text) {
  const std::string entry = text_or(extra, "entry_point");
  if (entry.empty() || text_or(extra, "language") != "python") return entry;
  const std::string type = "class " + entry;
  return text.find(type) != text.npos ? type : "def " + entry;
}

class CodeTask : public Task {
 public:
  std::string_view name() const override { return "code"; }

  Judgement judge(const Problem& problem, std::string_view text,
                  const Sandbox* sandbox) const override {
    const std::string language = text_or(problem.extra, "language");
    const ExtractedCode found = extract_code(text, language, definition(problem.extra, text));
    if (!found.found) return no_answer(found.unfinished);
    Judgement judgement{.verdict = Verdict::kInfra, .extracted = found.code, .why = "no sandbox"};
    if (sandbox == nullptr) return judgement;
    const auto request = request_of(problem, found.code);
    if (!request.ok()) {
      judgement.why = request.error().message();
      return judgement;
    }
    const RunResult result = sandbox->run(request.value());
    judgement.verdict = result.verdict;
    judgement.why = result.why;
    if (result.failed_case >= 0)
      judgement.why = "case " + std::to_string(result.failed_case + 1) + ": " + judgement.why;
    if (result.verdict != Verdict::kPass && !result.err.empty())
      judgement.why += (judgement.why.empty() ? "" : "\n\n") + last_words(result.err);
    return judgement;
  }
};

}  // namespace

std::unique_ptr<const Task> make_code_task() { return std::make_unique<CodeTask>(); }

}  // namespace ponder
