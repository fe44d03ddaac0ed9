#include "eval/suite_library.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "io/json.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kLongestName = 64;
constexpr uint64_t kLargestFile = uint64_t{2} << 30;

bool is_suite_name(const std::string& name) {
  return !name.empty() && name.size() <= kLongestName && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-' || c == '+';
         });
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<Suite> SuiteLibrary::add(const std::string& name, const std::filesystem::path& file,
                                const std::string& format) const {
  if (!is_suite_name(name))
    return Failure{{.what = printable(name) + " cannot name a suite",
                    .mend = "use a-z, 0-9, '.', '_', '-' and '+', at most 64 of them"}};
  const auto folder = folder_ / name;
  std::error_code code;
  if (std::filesystem::exists(folder / "suite.json", code) || has(generated_suites(), name) ||
      has(builtin_suites(), name))
    return Failure{{.what = "there is a suite of that name",
                    .where = name,
                    .mend = "choose another, or remove " + folder.string()}};
  Suite suite = PONDER_TRY(read_suite(file, format, name));
  std::filesystem::create_directories(folder, code);
  if (code) return Failure{{.what = code.message(), .where = folder.string()}};
  const std::string bytes = PONDER_TRY(read_file(file, kLargestFile));
  PONDER_TRY(write_file(folder / "data", bytes));
  const OrderedJson about = {{"format", suite.format},
                             {"file", file.filename().string()},
                             {"sha256", suite.sha256},
                             {"problems", suite.problems.size()}};
  PONDER_TRY(write_file(folder / "suite.json",
                        about.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n"));
  return suite;
}

std::vector<std::string> SuiteLibrary::names() const {
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, code))
    if (std::filesystem::exists(entry.path() / "suite.json", code))
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

Result<SuiteLibrary::Source> SuiteLibrary::source(const std::string& what,
                                                  const std::string& format) const {
  std::error_code code;
  if (is_suite_name(what) && std::filesystem::exists(folder_ / what / "suite.json", code)) {
    const Suite suite = PONDER_TRY(find(what, "", 0));
    return Source{folder_ / what / "data", suite.format};
  }
  if (std::filesystem::is_regular_file(what, code)) return Source{what, format};
  const bool own = has(generated_suites(), what) || has(builtin_suites(), what);
  return Failure{{.what = own ? "is part of the program, not a file"
                              : "is neither a suite that was added nor a file",
                  .where = what,
                  .mend = "give a suite that `ponder eval add` took, or its file"}};
}

Result<Suite> SuiteLibrary::find(const std::string& what, const std::string& format,
                                 int64_t count) const {
  const auto cut = [&](Suite suite) {
    const auto wanted = static_cast<size_t>(count);
    if (count > 0 && wanted < suite.problems.size()) {
      suite.origin +=
          ", the first " + std::to_string(count) + " of " + std::to_string(suite.problems.size());
      suite.problems.resize(wanted);
    }
    return suite;
  };
  const auto folder = folder_ / what;
  std::error_code code;
  if (is_suite_name(what) && std::filesystem::exists(folder / "suite.json", code)) {
    const std::string where = (folder / "suite.json").string();
    const std::string text = PONDER_TRY(read_file(where, 1 << 16));
    const Json about = PONDER_TRY(parse_json(text, where));
    const std::string known = PONDER_TRY(text_field(about, "format", where));
    Suite suite = PONDER_TRY(read_suite(folder / "data", known, what));
    if (suite.sha256 != PONDER_TRY(text_field(about, "sha256", where)))
      return Failure{{.what = "has changed since it was added",
                      .where = (folder / "data").string(),
                      .mend = "remove the folder and add it again"}};
    suite.origin = PONDER_TRY(text_field_or(about, "file", where, what));
    return cut(std::move(suite));
  }
  if (has(generated_suites(), what)) return generate_suite(what, count);
  if (has(builtin_suites(), what)) return cut(PONDER_TRY(builtin_suite(what)));
  if (std::filesystem::is_regular_file(what, code)) {
    std::string name = std::filesystem::path(what).filename().string();
    name = name.substr(0, name.find('.'));
    return cut(PONDER_TRY(read_suite(what, format, name.empty() ? "suite" : name)));
  }
  return Failure{{.what = "is neither a suite nor a file",
                  .where = what,
                  .mend = "`ponder eval list` names the suites, `ponder eval add` takes a file in "
                          "its published format"}};
}

}  // namespace ponder
