// HumanEval, HumanEval+, MBPP, MBPP+ and LiveCodeBench, as their authors publish them.
#include <algorithm>
#include <cctype>

#include "eval/records.hpp"
#include "eval/suite_readers.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kLargestTests = size_t{256} << 20;  // of one problem of LiveCodeBench, inflated

constexpr std::string_view kCompleteForm =
    "Complete this Python function. Give the whole function with the imports that it needs, as one "
    "```python block.\n\n```python\n{prompt}\n```";
constexpr std::string_view kWriteForm =
    "{prompt}\n\nGive the whole program with the imports that it needs, as one ```python block.";

// Python: calls the candidate and a solution that is right with the same arguments. Numbers may
// differ by `atol`, lists and tuples are told apart only where the solution's are.
constexpr std::string_view kCompareHelpers = R"(
import copy as _copy, json as _json, math as _math

def _same(got, want, atol):
    if isinstance(want, float) and isinstance(got, (int, float)) and not isinstance(got, bool):
        if _math.isnan(want):
            return _math.isnan(got)
        return got == want or abs(got - want) <= max(atol, 1e-6 * abs(want))
    if isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)):
        return len(got) == len(want) and all(_same(g, w, atol) for g, w in zip(got, want))
    if isinstance(want, dict) and isinstance(got, dict):
        return got.keys() == want.keys() and all(_same(got[k], want[k], atol) for k in want)
    return type(got) == type(want) and got == want
)";

// A JSON text is a Python literal too, once it is quoted as JSON.
std::string python_literal(const Json& json) {
  const std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  return "_json.loads(" + Json(text).dump(-1, ' ', true) + ")";
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 200 &&
         !std::isdigit(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
         });
}

Result<std::string> name_field(const Json& record, std::string_view key, const std::string& where) {
  const std::string name = PONDER_TRY(text_field(record, key, where));
  if (!is_name(name))
    return Failure{{.what = printable(name) + " is no name of a function", .where = where}};
  return name;
}

// Arguments of HumanEval+ and MBPP+, which come without expected results.
Result<std::string> plus_tests(const Json& record, const std::string& solution,
                               const std::string& entry, const std::string& where) {
  Json inputs = Json::array();
  for (const char* key : {"base_input", "plus_input"}) {
    const Json* list = find_field(record, key);
    if (list == nullptr || !list->is_array()) continue;
    for (const Json& arguments : *list) {
      if (!arguments.is_array())
        return Failure{{.what = "must be a list of arguments", .where = where + ": " + key}};
      inputs.push_back(arguments);
    }
  }
  if (inputs.empty()) return Failure{{.what = "has no inputs", .where = where}};
  const double atol = PONDER_TRY(number_field_or(record, "atol", where, 0.0, {.least = 0.0}));
  return differential_loop(solution, entry, inputs, atol) +
         "\ndef check(candidate):\n    _compare(candidate)\n";
}

Result<Problem> read_humaneval(const Json& record, int64_t, const std::string& where) {
  Problem problem;
  problem.task = "code";
  problem.id = PONDER_TRY(any_text(record, {"task_id"}, where));
  problem.prompt = PONDER_TRY(text_field(record, "prompt", where));
  const std::string entry = PONDER_TRY(name_field(record, "entry_point", where));
  const std::string solution = problem.prompt + any_text_or(record, {"canonical_solution"}, "");
  const std::string tests = has_any(record, {"test"})
                                ? PONDER_TRY(text_field(record, "test", where))
                                : PONDER_TRY(plus_tests(record, solution, entry, where));
  problem.extra = {{"language", "python"}, {"tests", tests},           {"check", true},
                   {"entry_point", entry}, {"prefix", problem.prompt}, {"solution", solution}};
  return problem;
}

// The function that the first assertion calls.
std::string called_function(const std::string& assertion) {
  for (size_t at = 0; at < assertion.size(); ++at) {
    if (assertion[at] != '(') continue;
    size_t start = at;
    while (start > 0 && (std::isalnum(static_cast<unsigned char>(assertion[start - 1])) ||
                         assertion[start - 1] == '_'))
      --start;
    const std::string name = assertion.substr(start, at - start);
    constexpr std::string_view kWrappers[] = {"assert",  "set", "sorted", "len",
                                              "isclose", "abs", "round",  "list"};
    if (is_name(name) &&
        std::find(std::begin(kWrappers), std::end(kWrappers), name) == std::end(kWrappers))
      return name;
  }
  return "";
}

Result<Problem> read_mbpp(const Json& record, int64_t, const std::string& where) {
  Problem problem;
  problem.task = "code";
  problem.id = "MBPP/" + PONDER_TRY(any_text(record, {"task_id"}, where));
  const std::string text = PONDER_TRY(any_text(record, {"text", "prompt"}, where));
  std::string shown, tests;
  for (const char* key : {"test_imports", "test_list", "challenge_test_list"}) {
    const Json* list = find_field(record, key);
    if (list == nullptr) continue;
    for (const Json& line : list->is_array() ? *list : Json::array()) {
      if (!line.is_string())
        return Failure{{.what = "must be a list of texts", .where = where + ": " + key}};
      tests += line.get<std::string>() + "\n";
      if (std::string_view(key) == "test_list") shown += line.get<std::string>() + "\n";
    }
  }
  const std::string entry = called_function(shown);
  if (entry.empty()) return Failure{{.what = "test_list calls no function", .where = where}};
  const std::string solution = any_text_or(record, {"code"}, "");
  problem.prompt = text + "\n\nIt must pass these tests:\n\n" + shown;
  bool check = false;
  if (has_any(record, {"test"})) {  // MBPP+: a program of its own, which calls the function
    tests = PONDER_TRY(text_field(record, "test", where));
  } else if (has_any(record, {"base_input"})) {
    tests = PONDER_TRY(plus_tests(record, solution, entry, where));
    check = true;
  } else {
    tests = any_text_or(record, {"test_setup_code"}, "") + "\n" + tests;
  }
  problem.extra = {{"language", "python"},
                   {"tests", tests},
                   {"entry_point", entry},
                   {"check", check},
                   {"solution", solution}};
  return problem;
}

// Tests of LiveCodeBench: JSON, or JSON that was pickled, deflated and written in base64.
Result<Json> hidden_cases(const std::string& text, const std::string& where) {
  if (text.empty()) return Json(Json::array());
  if (text.starts_with('[')) return parse_json(text, where);
  const std::string deflated = PONDER_TRY(decode_base64(text, where));
  const std::string pickled = PONDER_TRY(inflate(deflated, kLargestTests, where));
  return parse_json(PONDER_TRY(pickled_text(pickled, where)), where);
}

// A case whose input has one JSON argument a line.
Result<std::string> call_test(const Json& test, const std::string& function,
                              const std::string& where) {
  std::string_view lines;
  const std::string input = PONDER_TRY(text_field(test, "input", where));
  Json arguments = Json::array();
  for (lines = input; !lines.empty();) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    arguments.push_back(PONDER_TRY(parse_json(line, where)));
  }
  const std::string output = PONDER_TRY(text_field(test, "output", where));
  const Json expected = PONDER_TRY(parse_json(output, where + ": output"));
  return "assert _same(Solution()." + function + "(*" + python_literal(arguments) + "), " +
         python_literal(expected) + ", 0.0)\n";
}

int level_of(const std::string& difficulty) {
  return difficulty == "hard" ? 2 : difficulty == "medium" ? 1 : 0;
}

Result<Problem> read_livecodebench(const Json& record, int64_t, const std::string& where) {
  Problem problem;
  problem.task = "code";
  problem.id = PONDER_TRY(any_text(record, {"question_id"}, where));
  problem.level = level_of(any_text_or(record, {"difficulty"}, ""));
  problem.prompt = PONDER_TRY(text_field(record, "question_content", where));
  const std::string starter = any_text_or(record, {"starter_code"}, "");
  Json io = Json::array();
  std::string tests = std::string(kCompareHelpers), function;
  if (!starter.empty()) {
    const std::string metadata = PONDER_TRY(text_field(record, "metadata", where));
    const Json meta = PONDER_TRY(parse_json(metadata, where));
    function = PONDER_TRY(name_field(meta, "func_name", where));
    problem.prompt += "\n\nStart from this:\n\n```python\n" + starter + "\n```";
  } else {
    problem.prompt += "\n\nRead standard input and write standard output.";
  }
  for (const char* key : {"public_test_cases", "private_test_cases"}) {
    const std::string here = where + ": " + key;
    const Json cases = PONDER_TRY(hidden_cases(any_text_or(record, {key}, ""), here));
    for (const Json& test : cases.is_array() ? cases : Json::array()) {
      if (!starter.empty()) {
        tests += PONDER_TRY(call_test(test, function, here));
      } else {
        io.push_back({{"stdin", PONDER_TRY(text_field(test, "input", here))},
                      {"stdout", PONDER_TRY(text_field(test, "output", here))}});
      }
    }
  }
  problem.extra = {{"language", "python"}, {"date", any_text_or(record, {"contest_date"}, "")}};
  if (starter.empty()) {
    problem.extra["io"] = std::move(io);
  } else {
    problem.extra["tests"] = std::move(tests);
    problem.extra["entry_point"] = "Solution";
  }
  return problem;
}

// Our own form: language, prompt, and either cases or tests.
Result<Problem> read_program(const Json& record, int64_t, const std::string& where) {
  Problem problem;
  problem.task = "code";
  problem.id = PONDER_TRY(any_text(record, {"id"}, where));
  problem.prompt = PONDER_TRY(text_field(record, "prompt", where));
  problem.level =
      static_cast<int>(PONDER_TRY(integer_field_or(record, "level", where, 0, {0, 100})));
  const std::string language = PONDER_TRY(text_field(record, "language", where));
  if (language != "python" && language != "cpp")
    return Failure{{.what = "language must be python or cpp", .where = where}};
  problem.extra = {{"language", language}};
  for (const char* key : {"tests", "io", "entry_point", "prefix", "solution", "check", "time",
                          "memory_mb", "tolerance", "wrong"})
    if (const Json* field = find_field(record, key)) problem.extra[key] = *field;
  if (!problem.extra.contains("tests") && !problem.extra.contains("io"))
    return Failure{{.what = "has neither tests nor io", .where = where}};
  return problem;
}

constexpr SuiteReader kReaders[] = {
    {"humaneval", kCompleteForm,
     [](const Json& r) {
       return has_any(r, {"entry_point"}) && has_any(r, {"prompt"}) &&
              has_any(r, {"test", "plus_input"}) && !has_any(r, {"test_list"});
     },
     read_humaneval},
    {"mbpp", kWriteForm, [](const Json& r) { return has_any(r, {"test_list"}); }, read_mbpp},
    {"livecodebench", kWriteForm,
     [](const Json& r) {
       return has_any(r, {"question_content"}) && has_any(r, {"public_test_cases"});
     },
     read_livecodebench},
    {"programs", "{prompt}\n\nGive the whole program as one block of code.",
     [](const Json& r) {
       return has_any(r, {"language"}) && has_any(r, {"tests", "io"});
     },
     read_program},
};

}  // namespace

std::string differential_loop(const std::string& solution, const std::string& entry,
                              const Json& inputs, double atol) {
  return std::string(kCompareHelpers) + "\n_right = {}\nexec(" +
         Json(solution).dump(-1, ' ', true) +
         ", _right)\n\ndef _compare(candidate):\n    for given in " + python_literal(inputs) +
         ":\n        want = _right[" + Json(entry).dump() +
         "](*_copy.deepcopy(given))\n        got = candidate(*_copy.deepcopy(given))\n"
         "        assert _same(got, want, " +
         Json(atol).dump() + "), (given, got, want)\n";
}

std::span<const SuiteReader> code_readers() { return kReaders; }

}  // namespace ponder
