#include "eval/suite.hpp"

#include <set>

#include "eval/records.hpp"
#include "eval/suite_readers.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kLongestId = 200;

const SuiteReader* find_reader(const std::string& format, const Json& record) {
  for (const auto readers : {code_readers(), text_readers()})
    for (const SuiteReader& reader : readers)
      if (format.empty() ? reader.knows(record) : reader.name == format) return &reader;
  return nullptr;
}

std::string format_names() {
  std::string names;
  for (const std::string_view name : suite_formats())
    names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

std::string warning_of(const SuiteReader& reader, const Json& record) {
  if (has_any(record, {kPlusField}))
    return "Plus (ours): tests were added by `ponder eval plus`, from the suite's own solutions. "
           "They "
           "are not EvalPlus', and ask for what those solutions do where the text leaves it open.";
  if (reader.name == "humaneval")
    return "HumanEval is of 2021 and widely copied: models have seen it. It tells whether a set-up "
           "works, little about models.";
  if (reader.name == "mbpp") return "MBPP is of 2021 and widely copied: models have seen it.";
  return "";
}

}  // namespace

std::string question_text(const Suite& suite, const Problem& problem) {
  constexpr std::string_view kPlace = "{prompt}";
  std::string text = suite.form;
  if (const size_t at = text.find(kPlace); at != std::string::npos)
    text.replace(at, kPlace.size(), problem.prompt);
  return text;
}

std::vector<std::string_view> suite_formats() {
  std::vector<std::string_view> names;
  for (const auto readers : {code_readers(), text_readers()})
    for (const SuiteReader& reader : readers) names.push_back(reader.name);
  return names;
}

Result<Suite> suite_of(const Records& records, const SuiteSource& source) {
  const std::string& format = source.format;
  if (records.all.empty()) return Failure{{.what = "has no records", .where = source.where}};
  const SuiteReader* reader = find_reader(format, records.all.front());
  if (reader == nullptr)
    return Failure{{.what = format.empty() ? "its fields fit no format that is known"
                                           : printable(format) + " is no format of suites",
                    .where = source.where,
                    .mend = "give --format with one of: " + format_names()}};
  Suite suite{.name = source.name,
              .format = std::string(reader->name),
              .origin = source.origin,
              .sha256 = records.sha256,
              .form = std::string(reader->form),
              .warning = warning_of(*reader, records.all.front()),
              .problems = {}};
  std::set<std::string> ids;
  int64_t number = 0;
  for (const Json& record : records.all) {
    const std::string where = source.where + ": record " + std::to_string(++number);
    Problem problem = PONDER_TRY(reader->read(record, number, where));
    if (problem.id.empty()) problem.id = std::to_string(number);
    if (problem.id.size() > kLongestId)
      return Failure{{.what = "the name of a problem is too long", .where = where}};
    if (!ids.insert(problem.id).second)
      return Failure{
          {.what = "a second problem is named " + printable(problem.id), .where = where}};
    suite.problems.push_back(std::move(problem));
  }
  return suite;
}

Result<Suite> read_suite(const std::filesystem::path& file, const std::string& format,
                         const std::string& name) {
  const Records records = PONDER_TRY(read_records(file));
  return suite_of(
      records,
      {.name = name, .format = format, .origin = file.filename().string(), .where = file.string()});
}

uint64_t stable_hash(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  return hash;
}

Result<std::string> any_text(const Json& record, std::initializer_list<std::string_view> names,
                             const std::string& where) {
  std::string list;
  for (const std::string_view name : names) {
    list += (list.empty() ? "" : ", ") + std::string(name);
    const Json* field = find_field(record, name);
    if (field == nullptr) continue;
    if (field->is_string()) return field->get<std::string>();
    if (field->is_number()) return field->dump();
    return Failure{{.what = "must be a text", .where = where + ": " + std::string(name)}};
  }
  return Failure{{.what = "has no field " + list, .where = where}};
}

std::string any_text_or(const Json& record, std::initializer_list<std::string_view> names,
                        std::string_view absent) {
  auto found = any_text(record, names, "");
  return found.ok() ? std::move(found).take_value() : std::string(absent);
}

bool has_any(const Json& record, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (find_field(record, name) != nullptr) return true;
  return false;
}

}  // namespace ponder
