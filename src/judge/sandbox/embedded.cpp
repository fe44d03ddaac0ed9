#include "judge/sandbox/embedded.hpp"

// The assembler reads each file; PONDER_SANDBOX_* are its paths, from cmake/Sandbox.cmake.
#define EMBED(symbol, path)                                                                  \
  asm(".pushsection .rodata\n.balign 16\n" #symbol "_begin:\n.incbin \"" path "\"\n" #symbol \
      "_end:\n.byte 0\n.popsection\n");                                                      \
  extern "C" __attribute__((visibility("hidden"))) const char symbol##_begin[];              \
  extern "C" __attribute__((visibility("hidden"))) const char symbol##_end[]

EMBED(ponder_helper, PONDER_SANDBOX_HELPER);
EMBED(ponder_wire_py, PONDER_SANDBOX_FOLDER "/guest/wire.py");
EMBED(ponder_tester_py, PONDER_SANDBOX_FOLDER "/guest/tester.py");
EMBED(ponder_candidate_py, PONDER_SANDBOX_FOLDER "/guest/candidate.py");
EMBED(ponder_cassert, PONDER_SANDBOX_FOLDER "/guest/cassert");
EMBED(ponder_harness_cc, PONDER_SANDBOX_FOLDER "/guest/harness.cc");
EMBED(ponder_self_test, PONDER_SANDBOX_FOLDER "/self_test_programs.txt");

namespace ponder::embedded {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

std::string_view helper() { return between(ponder_helper_begin, ponder_helper_end); }
std::string_view wire_py() { return between(ponder_wire_py_begin, ponder_wire_py_end); }
std::string_view tester_py() { return between(ponder_tester_py_begin, ponder_tester_py_end); }
std::string_view candidate_py() {
  return between(ponder_candidate_py_begin, ponder_candidate_py_end);
}
std::string_view cassert_header() { return between(ponder_cassert_begin, ponder_cassert_end); }
std::string_view harness_cc() { return between(ponder_harness_cc_begin, ponder_harness_cc_end); }
std::string_view self_test_programs() {
  return between(ponder_self_test_begin, ponder_self_test_end);
}

}  // namespace ponder::embedded
