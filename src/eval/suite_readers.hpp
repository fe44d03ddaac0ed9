// One reader for each format of suites. Private to this module.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
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

// In the order in which they are tried.
std::span<const SuiteReader> code_readers();
std::span<const SuiteReader> text_readers();

// The first of these fields that is there as a text; numbers are written as one. An error names
// them.
Result<std::string> any_text(const Json& record, std::initializer_list<std::string_view> names,
                             const std::string& where);
std::string any_text_or(const Json& record, std::initializer_list<std::string_view> names,
                        std::string_view absent);
bool has_any(const Json& record, std::initializer_list<std::string_view> names);

}  // namespace ponder
