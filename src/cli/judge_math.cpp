// ponder judge math: are two answers the same mathematics?
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/json_output.hpp"
#include "cli/prompt_input.hpp"
#include "cli/terminal.hpp"
#include "judge/extract.hpp"
#include "judge/maths/maths.hpp"

namespace ponder {
namespace {

struct JudgeMathFlags {
  std::string expected, answer, pairs;
  bool extract = false, strict_units = false, json = false;
};

OutputJson judged(const JudgeMathFlags& flags, const std::string& expected, std::string answer) {
  OutputJson object = {{"verdict", "no_answer"}};
  if (flags.extract) {
    answer = extract_answer(answer).text;
    object["extracted"] = answer;
  }
  if (flags.extract && answer.empty()) return object;
  const MathsOptions options{.ignore_missing_units = !flags.strict_units};
  object["verdict"] = equality_name(compare_maths(expected, answer, options));
  return object;
}

Result<void> print_verdict(const JudgeMathFlags& flags, const OutputJson& object) {
  return print(flags.json ? json_text(object) : object["verdict"].get<std::string>() + "\n");
}

// Lines of {"expected": …, "answer": …}.
Result<int> judge_pairs(const JudgeMathFlags& flags) {
  const std::string text = PONDER_TRY(read_input(flags.pairs));
  int64_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::string where = flags.pairs + ":" + std::to_string(++number);
    if (line.empty()) continue;
    const Json pair = PONDER_TRY(parse_json(line, where));
    const std::string expected = PONDER_TRY(text_field(pair, "expected", where));
    const std::string answer = PONDER_TRY(text_field(pair, "answer", where));
    PONDER_TRY(print_verdict(flags, judged(flags, expected, answer)));
  }
  return 0;
}

Result<int> judge_math(const JudgeMathFlags& flags) {
  if (!flags.pairs.empty()) return judge_pairs(flags);
  if (flags.expected.empty())
    return Failure{
        {.what = "nothing to judge", .mend = "give --expected and --answer, or --pairs"}};
  const std::string answer = flags.answer == "-" ? PONDER_TRY(read_standard_input()) : flags.answer;
  PONDER_TRY(print_verdict(flags, judged(flags, flags.expected, answer)));
  return 0;
}

}  // namespace

void add_judge_math(CLI::App& judge, Selection& selection) {
  CLI::App& command = *judge.add_subcommand("math", "Are two answers the same mathematics?");
  auto flags = std::make_shared<JudgeMathFlags>();
  auto* expected =
      command.add_option("--expected", flags->expected, "The right answer, in LaTeX or plain text");
  auto* answer =
      command.add_option("--answer", flags->answer, "The answer to judge; -: from standard input");
  auto* pairs = command.add_option(
      "--pairs", flags->pairs,
      "Judge a file of lines {\"expected\": …, \"answer\": …}; -: standard input");
  expected->type_name("TEXT")->excludes(pairs);
  answer->type_name("TEXT")->excludes(pairs);
  pairs->type_name("FILE");
  expected->needs(answer);
  answer->needs(expected);
  command.add_flag(
      "--extract", flags->extract,
      "The answer is a model's whole text: leave thoughts out, take the last <answer>, "
      "\\boxed{} or \"the answer is\"");
  command.add_flag("--strict-units", flags->strict_units, "5 cm is not 5");
  command.add_flag("--json", flags->json, "Print a JSON object");
  command.footer(
      "Prints equal, unequal or undecided; with --extract also no_answer. Equal and unequal are\n"
      "said only of what was shown exactly: 0.333 is not 1/3. The exit status is 0 whatever it "
      "says.\n\n"
      "Examples:\n"
      "  ponder judge math --expected '\\frac{1}{2}' --answer 0.5 --json\n"
      "  ponder judge math --expected '(0,1)' --answer '0 < x < 1'\n"
      "  ponder judge math --expected 42 --extract --answer - < answer.txt");
  command.callback(
      [flags, &selection] { selection.command = [flags] { return judge_math(*flags); }; });
}

}  // namespace ponder
