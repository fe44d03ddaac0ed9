// Constraints: any text as a schema, a regex and a grammar, chosen by its first byte. What compiles
// always lets something follow, and what is written by always taking the first, the last or the
// middle of what is allowed is UTF-8, and JSON where JSON was asked for.
#include <bit>

#include "base/file.hpp"
#include "io/json.hpp"
#include "text/grammar/constraint.hpp"
#include "text/unicode.hpp"

namespace {

using namespace ponder;

const std::shared_ptr<const TokenVocabulary>& vocabulary() {
  static const auto made = [] {
    const auto text = read_file("tests/golden/text/qwen2.tokenizer.json", 1 << 20).take_value();
    return TokenVocabulary::create(
        Tokenizer::from_json_text(text, "qwen2", R"({"eos_token": "<｜end▁of▁sentence｜>"})")
            .take_value());
  }();
  return made;
}

int32_t choose(std::span<const uint64_t> allowed, size_t way) {
  std::vector<int32_t> tokens;
  for (size_t word = 0; word < allowed.size(); ++word)
    for (uint64_t bits = allowed[word]; bits != 0; bits &= bits - 1)
      tokens.push_back(static_cast<int32_t>(64 * word) + std::countr_zero(bits));
  if (tokens.empty()) __builtin_trap();
  return tokens[way % 3 == 0 ? 0 : way % 3 == 1 ? tokens.size() - 1 : tokens.size() / 2];
}

void write(const Constraint& constraint, bool is_json, size_t way) {
  constexpr int kMostTokens = 40;
  const Tokenizer& tokenizer = vocabulary()->tokenizer();
  const auto guide = constraint.make_guide();
  std::string text;
  for (int i = 0; i < kMostTokens && !guide->finished(); ++i, way = way * 7 + 1) {
    const int32_t token = choose(guide->allowed(), way);
    if (tokenizer.is_special(token) != tokenizer.is_end(token)) __builtin_trap();
    guide->accept(token);
    if (!tokenizer.is_end(token)) text += tokenizer.token_bytes(token);
  }
  if (!guide->finished()) return;
  if (repaired_utf8(text)) __builtin_trap();
  if (is_json && !Json::accept(text)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool is_json = data[0] % 3 == 0;
  const ConstraintSource source = is_json            ? ConstraintSource::json_schema(text)
                                  : data[0] % 3 == 1 ? ConstraintSource::regex(text)
                                                     : ConstraintSource::grammar(text);
  const auto constraint = compile_constraint(vocabulary(), source);
  if (!constraint.ok()) {
    if (constraint.error().what.empty()) __builtin_trap();
    return 0;
  }
  for (size_t way = 0; way < 3; ++way) write(*constraint.value(), is_json, way + size);
  return 0;
}
