// The checker of maths: any two texts, cut at the first line feed. It ends soon, a text equals
// itself, and which of the two comes first does not matter.
#include <string>

#include "judge/extract.hpp"
#include "judge/maths/maths.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ponder;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(text.find('\n'), text.size());
  const std::string_view a = text.substr(0, cut);
  const std::string_view b = text.substr(std::min(cut + 1, text.size()));
  const Equality forth = compare_maths(a, b), back = compare_maths(b, a);
  const bool opposed = (forth == Equality::kEqual && back == Equality::kUnequal) ||
                       (forth == Equality::kUnequal && back == Equality::kEqual);
  if (opposed) __builtin_trap();
  if (compare_maths(a, a) == Equality::kUnequal) __builtin_trap();
  extract_answer(text);
  extract_choice(text, 4);
  extract_code(text, "python", "def f");
  return 0;
}
