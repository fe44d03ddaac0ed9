// Files that the library carries: the helper program and what runs beside a candidate.
#pragma once

#include <string_view>

namespace ponder::embedded {

std::string_view helper();  // an executable
std::string_view wire_py();
std::string_view tester_py();
std::string_view candidate_py();
std::string_view cassert_header();
std::string_view harness_cc();
std::string_view self_test_programs();

}  // namespace ponder::embedded
