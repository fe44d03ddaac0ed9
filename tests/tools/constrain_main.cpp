// Writes texts that a constraint allows, without a model: constrain TOKENIZER < SOURCES. Each line
// of SOURCES is {"kind": "json_schema", "text": …} (or json_object, regex, choice, grammar; choice
// has "choices"), and may have "count" and "seed". Each line of the output is {"texts": […]} or
// {"error": …}.
#include <algorithm>
#include <bit>
#include <iostream>

#include "base/rng.hpp"
#include "io/json.hpp"
#include "text/grammar/constraint.hpp"

namespace {

using namespace ponder;

constexpr int kMostTokens = 4000;

Result<ConstraintSource> read_source(const Json& line) {
  const std::string kind = PONDER_TRY(text_field(line, "kind", "source"));
  const std::string text = PONDER_TRY(text_field_or(line, "text", "source", ""));
  if (kind == "json_object") return ConstraintSource::json_object();
  if (kind == "json_schema") return ConstraintSource::json_schema(text);
  if (kind == "regex") return ConstraintSource::regex(text);
  if (kind == "grammar") return ConstraintSource::grammar(text);
  return ConstraintSource::choice(line.value("choices", std::vector<std::string>()));
}

// One of the allowed tokens by chance: an end, where it is allowed, as often as not after a while.
// A text that is long goes on with what closes strings, arrays, objects and names, if that is
// allowed.
class Writer {
 public:
  Writer(const Tokenizer& tokenizer, uint64_t seed) : tokenizer_(tokenizer), random_(seed) {}

  std::string write(TokenGuide& guide) {
    std::vector<int32_t> tokens;
    while (!guide.finished()) {
      const int32_t token = choose(guide.allowed(), tokens.size());
      if (tokenizer_.is_end(token)) return tokenizer_.decode(tokens);
      guide.accept(token);
      tokens.push_back(token);
      if (tokens.size() > kMostTokens) return "too long: " + tokenizer_.decode(tokens);
    }
    return tokenizer_.decode(tokens);
  }

 private:
  int32_t choose(std::span<const uint64_t> allowed, size_t length) {
    std::vector<int32_t> tokens, ends;
    for (size_t word = 0; word < allowed.size(); ++word)
      for (uint64_t bits = allowed[word]; bits != 0; bits &= bits - 1) {
        const auto token = static_cast<int32_t>(64 * word) + std::countr_zero(bits);
        (tokenizer_.is_end(token) ? ends : tokens).push_back(token);
      }
    if (!ends.empty() && (tokens.empty() || random_.next_below(length > 40 ? 1 : 3) == 0))
      return ends[0];
    if (length > 40 || random_.next_below(4) == 0) {
      std::vector<int32_t> closing;
      for (const std::string_view close : {"\"", "}", "]", ",", ":", "0", ".", "/", "@"}) {
        const auto token = tokenizer_.find(close);
        if (!token || !std::ranges::binary_search(tokens, *token)) continue;
        if (close == "\"") return *token;
        closing.push_back(*token);
      }
      if (!closing.empty()) return closing[random_.next_below(closing.size())];
    }
    return tokens.at(random_.next_below(tokens.size()));
  }

  const Tokenizer& tokenizer_;
  Rng random_;
};

Json answer(ConstraintCache& cache, const std::string& text) {
  const auto line = parse_json(text, "source");
  if (!line.ok()) return {{"error", line.error().message()}};
  const auto source = read_source(line.value());
  if (!source.ok()) return {{"error", source.error().message()}};
  const auto constraint = cache.get(source.value());
  if (!constraint.ok()) return {{"error", constraint.error().message()}};
  Json texts = Json::array();
  const uint64_t seed = line.value().value("seed", uint64_t{1});
  for (uint64_t i = 0; i < line.value().value("count", uint64_t{1}); ++i) {
    const auto guide = constraint.value()->make_guide();
    texts.push_back(Writer(cache.vocabulary()->tokenizer(), seed + i).write(*guide));
  }
  return {{"texts", texts}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const auto tokenizer = Tokenizer::load(arguments[1]);
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.error().message() << '\n';
    return 1;
  }
  ConstraintCache cache(tokenizer.value());
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(cache, line).dump() << std::endl;
  return 0;
}
