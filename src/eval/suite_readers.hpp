// One reader for each format of suites. Private to this module.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "eval/records.hpp"
#include "eval/suite.hpp"
#include "io/json.hpp"

namespace ponder {

struct SuiteReader {
  std::string_view name;
  std::string_view form;
  // Whether a record looks like one of this format.
  bool (*knows)(const Json& record);
  // `number`: of the record, from 1.
  Result<Problem> (*read)(const Json& record, int64_t number, const std::string& where);
};

// Where the records of a suite are from.
struct SuiteSource {
  std::string name, format, origin;
  std::string where;  // for errors
};
Result<Suite> suite_of(const Records& records, const SuiteSource& source);

// In the order in which they are tried.
std::span<const SuiteReader> code_readers();
std::span<const SuiteReader> text_readers();

// Of records to which `ponder eval plus` added tests: how.
inline constexpr std::string_view kPlusField = "plus";

// Python that defines _compare(candidate): it must do as `solution` does for all `inputs`, lists of
// arguments. Numbers may differ by `atol`.
std::string differential_loop(const std::string& solution, const std::string& entry,
                              const Json& inputs, double atol);

// The first of these fields that is there as a text; numbers are written as one. An error names
// them.
Result<std::string> any_text(const Json& record, std::initializer_list<std::string_view> names,
                             const std::string& where);
std::string any_text_or(const Json& record, std::initializer_list<std::string_view> names,
                        std::string_view absent);
bool has_any(const Json& record, std::initializer_list<std::string_view> names);

}  // namespace ponder
