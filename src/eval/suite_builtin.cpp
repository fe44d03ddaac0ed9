#include "eval/suite.hpp"
#include "eval/suite_readers.hpp"

// The assembler reads the file; PONDER_SUITES_FOLDER is from cmake/BuiltinSuites.cmake.
asm(".pushsection .rodata\n.balign 16\nponder_suite_cpp_begin:\n.incbin \"" PONDER_SUITES_FOLDER
    "/cpp.jsonl\"\nponder_suite_cpp_end:\n.byte 0\n.popsection\n");
extern "C" __attribute__((visibility("hidden"))) const char ponder_suite_cpp_begin[];
extern "C" __attribute__((visibility("hidden"))) const char ponder_suite_cpp_end[];

namespace ponder {

std::vector<std::string> builtin_suites() { return {"cpp"}; }

Result<Suite> builtin_suite(const std::string& name) {
  if (name != "cpp") return Failure{{.what = "there is no suite of that name", .where = name}};
  const std::string_view bytes(ponder_suite_cpp_begin,
                               static_cast<size_t>(ponder_suite_cpp_end - ponder_suite_cpp_begin));
  const Records records = PONDER_TRY(parse_records(bytes, "the built-in suite cpp"));
  return suite_of(records, {.name = name,
                            .format = "programs",
                            .origin = "built in",
                            .where = "the built-in suite cpp"});
}

}  // namespace ponder
