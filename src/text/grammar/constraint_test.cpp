// Constraints from outside: what their guides allow, token by token, and what is refused.
#include "text/grammar/constraint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <tuple>

#include "base/file.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;
using Source = ConstraintSource;

Tokenizer small_tokenizer() {
  const auto text = read_file("tests/golden/text/qwen2.tokenizer.json", 1 << 20).take_value();
  return Tokenizer::from_json_text(text, "qwen2", R"({"eos_token": "<｜end▁of▁sentence｜>"})")
      .take_value();
}
const std::shared_ptr<const TokenVocabulary>& vocabulary() {
  static const auto made = TokenVocabulary::create(small_tokenizer());
  return made;
}
std::shared_ptr<const Constraint> compiled(const Source& source) {
  auto constraint = compile_constraint(vocabulary(), source);
  EXPECT_TRUE(constraint.ok()) << constraint.error().message();
  return std::move(constraint).take_value();
}
std::string error_of(const Source& source) {
  const auto constraint = compile_constraint(vocabulary(), source);
  return constraint.ok() ? "no error" : constraint.error().message();
}

bool allows(TokenGuide& guide, int32_t token) {
  const auto mask = guide.allowed();
  return mask.empty() || (mask[static_cast<size_t>(token) / 64] >> (token % 64) & 1) != 0;
}
bool allows_end(TokenGuide& guide) { return allows(guide, *vocabulary()->tokenizer().eos()); }

// How a text ends that is written byte by byte.
enum class Fate { kRefused, kUnfinished, kMayEnd, kMustEnd };
Fate fate(const Constraint& constraint, std::string_view text) {
  const auto guide = constraint.make_guide();
  for (const char byte : text) {
    const auto token = vocabulary()->tokenizer().find(std::string(1, byte));
    if (!token || !allows(*guide, *token)) return Fate::kRefused;
    guide->accept(*token);
  }
  if (guide->finished()) return Fate::kMustEnd;
  return allows_end(*guide) ? Fate::kMayEnd : Fate::kUnfinished;
}
bool matches(const Source& source, std::string_view text) {
  const Fate end = fate(*compiled(source), text);
  return end == Fate::kMayEnd || end == Fate::kMustEnd;
}
Source schema(std::string text) { return Source::json_schema(std::move(text)); }

// ---- what texts are allowed

TEST(Constraint, RegexMatchesTheWholeText) {
  const Source regex = Source::regex("^ab*(c|de){2,3}$");
  for (const char* text : {"acc", "abbccc", "acde", "adedede"})
    EXPECT_TRUE(matches(regex, text)) << text;
  for (const char* text : {"ac", "acccc", "bcc", "accx", ""})
    EXPECT_FALSE(matches(regex, text)) << text;
  EXPECT_EQ(fate(*compiled(regex), "acc"), Fate::kMayEnd);
  EXPECT_EQ(fate(*compiled(regex), "accc"), Fate::kMustEnd);
  EXPECT_EQ(fate(*compiled(regex), "ac"), Fate::kUnfinished);
}

TEST(Constraint, ClassesOfRegexesAreWhatAllDialectsAgreeOn) {
  EXPECT_TRUE(matches(Source::regex("\\w\\d\\s"), "a1 "));
  EXPECT_FALSE(matches(Source::regex("\\w"), "é"));
  EXPECT_FALSE(matches(Source::regex("\\W"), "é"));
  EXPECT_TRUE(matches(Source::regex("[^\\d]"), "é"));
  EXPECT_FALSE(matches(Source::regex("[^\\w]"), "é"));
  EXPECT_FALSE(matches(Source::regex("\\D"), "٣"));
  EXPECT_TRUE(matches(Source::regex("\\p{L}+"), "éя世"));
  EXPECT_FALSE(matches(Source::regex("\\P{L}"), "я"));
  EXPECT_TRUE(matches(Source::regex("[\\u4e00-\\u9fff]\\u{1F600}\\ud83d\\ude00"), "世😀😀"));
  EXPECT_FALSE(matches(Source::regex("."), "\n"));
}

TEST(Constraint, NeverHalfACharacter) {
  const auto constraint = compiled(Source::regex("[α-ω😀]"));
  EXPECT_EQ(fate(*constraint, "\xce"), Fate::kUnfinished);
  EXPECT_EQ(fate(*constraint, "\xce\xb1"), Fate::kMustEnd);
  EXPECT_EQ(fate(*constraint, "\xce\x90"), Fate::kRefused);
  EXPECT_EQ(fate(*constraint, "\xf0\x9f\x98"), Fate::kUnfinished);
  EXPECT_EQ(fate(*constraint, "\xf0\x9f\x99"), Fate::kRefused);
  EXPECT_EQ(fate(*compiled(Source::regex(".")), "\xed\xa0"), Fate::kRefused);  // a surrogate
}

TEST(Constraint, StringsOfJson) {
  const Source text = schema(R"({"type": "string"})");
  for (const char* good : {R"("")", R"("aé😀")", R"("\"\\\/\b\f\n\r\t")", R"("A\ud83d\uDE00")"})
    EXPECT_TRUE(matches(text, good)) << good;
  for (const char* bad : {"\"\n\"", "\"\x01\"", R"("\x")", R"("\u00g0")", R"("\ud83d")",
                          R"("\ude00")", R"("\ud83dA")", R"('a')", R"("a)"})
    EXPECT_FALSE(matches(text, bad)) << bad;
}

TEST(Constraint, LengthsCountCharacters) {
  const Source text = schema(R"({"type": "string", "minLength": 2, "maxLength": 3})");
  for (const char* good : {R"("é😀")", R"("\ud83d\ude00\n\u0041")"})
    EXPECT_TRUE(matches(text, good)) << good;
  for (const char* bad : {R"("a")", R"("abcd")"}) EXPECT_FALSE(matches(text, bad)) << bad;
}

TEST(Constraint, PatternsAreSpelledAsStringsOfJson) {
  const Source text = schema(R"({"type": "string", "pattern": "^[\"\\n\\\\a]$"})");
  for (const char* good : {R"("\"")", R"("\n")", R"("\\")", R"("a")"})
    EXPECT_TRUE(matches(text, good)) << good;
  for (const char* bad : {"\"\n\"", R"(""")", R"("\")", R"("b")"})
    EXPECT_FALSE(matches(text, bad)) << bad;
  const Source part = schema(R"({"type": "string", "pattern": "b|^c$"})");
  EXPECT_TRUE(matches(part, R"("abc")"));
  EXPECT_TRUE(matches(part, R"("c")"));
  EXPECT_FALSE(matches(part, R"("ac")"));
}

TEST(Constraint, NumbersOfJson) {
  const Source number = schema(R"({"type": "number"})");
  for (const char* good : {"0", "-1.5", "12e3", "1.0E-09"})
    EXPECT_TRUE(matches(number, good)) << good;
  for (const char* bad : {"01", ".5", "1.", "+1", "1e", "1e999", "NaN", "0x1", "1 "})
    EXPECT_FALSE(matches(number, bad)) << bad;
}

TEST(Constraint, EveryIntegerOfARangeAndNoOther) {
  for (const auto& [low, high, multiple] : {std::tuple{-105, 12, 1},
                                            {7, 7, 1},
                                            {0, 1000, 10},
                                            {-99, 101, 7},
                                            {95, 1005, 12},
                                            {-30, -3, 20}}) {
    const auto constraint =
        compiled(schema("{\"type\": \"integer\", \"minimum\": " + std::to_string(low) +
                        ", \"maximum\": " + std::to_string(high) +
                        ", \"multipleOf\": " + std::to_string(multiple) + "}"));
    for (int value = low - 30; value <= high + 30; ++value) {
      const bool valid = value >= low && value <= high && value % multiple == 0;
      const Fate end = fate(*constraint, std::to_string(value));
      EXPECT_EQ(end == Fate::kMayEnd || end == Fate::kMustEnd, valid) << value << " of " << low;
    }
    EXPECT_NE(fate(*constraint, "-0"), Fate::kMustEnd);
  }
}

TEST(Constraint, NumbersBetweenBounds) {
  const Source range =
      schema(R"({"type": "number", "exclusiveMinimum": -0.25, "maximum": 10.5, "minimum": -3})");
  for (const char* good : {"0", "10.5", "10.50", "-0.249999", "9.999", "-0.1"})
    EXPECT_TRUE(matches(range, good)) << good;
  for (const char* bad : {"-0.25", "10.51", "11", "-0.250", "-1", "-0", "1e1", "10.500001"})
    EXPECT_FALSE(matches(range, bad)) << bad;
}

TEST(Constraint, PropertiesComeInTheirOrder) {
  const Source object = schema(R"({"type": "object", "properties": {
      "z": {"type": "integer"}, "a": {"type": "boolean"}, "m": {"type": "null"}}, "required": ["a"]})");
  for (const char* good :
       {R"({"a":true})", R"({"z": 1, "a": false, "m": null})", R"({"a":true,"m":null})"})
    EXPECT_TRUE(matches(object, good)) << good;
  for (const char* bad :
       {R"({})", R"({"z":1})", R"({"a":true,"z":1})", R"({"a":true,})", R"({,"a":true})",
        R"({"a":true,"b":1})", R"({"a":  true})", R"({"a":true }")", R"({ "a":true})"})
    EXPECT_FALSE(matches(object, bad)) << bad;
}

TEST(Constraint, MoreMembersNeverTakeADeclaredName) {
  const Source object = schema(R"({"type": "object", "properties": {"ab": {"type": "integer"}},
      "additionalProperties": {"type": "boolean"}})");
  for (const char* good : {R"({})", R"({"ab":1})", R"({"ab":1,"a":true,"abc":false})",
                           R"({"b":true})", R"({"":true})"})
    EXPECT_TRUE(matches(object, good)) << good;
  for (const char* bad :
       {R"({"ab":true})", R"({"ab":1,"ab":true})", R"({"a\u0062":true})", R"({"b":1})"})
    EXPECT_FALSE(matches(object, bad)) << bad;
}

TEST(Constraint, Arrays) {
  const Source tuple = schema(R"({"type": "array", "prefixItems": [{"const": 1}, {"const": 2}],
      "items": {"const": 3}, "minItems": 1, "maxItems": 4})");
  for (const char* good : {"[1]", "[1,2]", "[1, 2,3, 3]"})
    EXPECT_TRUE(matches(tuple, good)) << good;
  for (const char* bad : {"[]", "[2]", "[1,3]", "[1,2,3,3,3]", "[1,2,]"})
    EXPECT_FALSE(matches(tuple, bad)) << bad;
}

TEST(Constraint, RecursionByReference) {
  const Source tree = schema(
      R"({"$ref": "#/$defs/t", "$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}})");
  EXPECT_TRUE(matches(tree, "[[],[[]]]"));
  EXPECT_FALSE(matches(tree, "[[],[[]]"));
  const auto constraint = compiled(tree);
  EXPECT_EQ(fate(*constraint, std::string(40, '[')), Fate::kUnfinished);
  EXPECT_EQ(fate(*constraint, std::string(400, '[')), Fate::kRefused);  // bounded
}

TEST(Constraint, ChoiceAndItsBeginnings) {
  const auto constraint = compiled(Source::choice({"no", "not", "yes", "no"}));
  EXPECT_EQ(fate(*constraint, "no"), Fate::kMayEnd);
  EXPECT_EQ(fate(*constraint, "not"), Fate::kMustEnd);
  EXPECT_EQ(fate(*constraint, "ye"), Fate::kUnfinished);
  EXPECT_EQ(fate(*constraint, "nor"), Fate::kRefused);
}

TEST(Constraint, Gbnf) {
  const Source sums = Source::grammar(R"gbnf(# sums
root ::= term ("+" term)*
term ::= num | ("(" root
  ")")
  | "\x41" [^a-z\n]{2,}
num ::= [0-9]+ # digits
)gbnf");
  for (const char* good : {"1", "12+3", "(1+(2))+4", "Aé1"})
    EXPECT_TRUE(matches(sums, good)) << good;
  for (const char* bad : {"", "1+", "(1", "A1", "Aab"}) EXPECT_FALSE(matches(sums, bad)) << bad;
}

// ---- tokens

TEST(Constraint, MarkersComeAsTheirTokens) {
  const Tokenizer tokenizer = small_tokenizer();
  const int32_t think = *tokenizer.find("<think>");
  const auto guide =
      compiled(Source::sequence({Source::marker("<think>\n"), Source::regex("[ab<]+")}))
          ->make_guide();
  EXPECT_TRUE(allows(*guide, think));
  EXPECT_FALSE(allows(*guide, *tokenizer.find("<")));
  guide->accept(think);
  guide->accept(*tokenizer.find("\n"));
  EXPECT_FALSE(allows(*guide, think));
  EXPECT_TRUE(allows(*guide, *tokenizer.find("<")));
  EXPECT_EQ(fate(*compiled(Source::literal("<think>")), "<think>"), Fate::kMustEnd);
}

TEST(Constraint, FreeTextEndsAtItsTrigger) {
  const Source plain = Source::free_text("aab", Source::literal("!"), false);
  for (const char* good : {"aab!", "aaab!", "xaaxaab!", "aaaab!"})
    EXPECT_TRUE(matches(plain, good)) << good;
  for (const char* bad : {"aab", "aabx", "aa", "", "aaabaab!"})
    EXPECT_FALSE(matches(plain, bad)) << bad;
  const Source maybe = Source::free_text("<think>", Source::regex("[0-9]+"), true);
  for (const char* good : {"", "hello", "<thin", "a<think>12"})
    EXPECT_TRUE(matches(maybe, good)) << good;
  for (const char* bad : {"<think>", "a<think>b"}) EXPECT_FALSE(matches(maybe, bad)) << bad;
  const auto guide = compiled(maybe)->make_guide();
  guide->accept(*vocabulary()->tokenizer().find("<"));
  guide->accept(*vocabulary()->tokenizer().find("<think>"));
  EXPECT_FALSE(allows_end(*guide));
  guide->accept(*vocabulary()->tokenizer().find("7"));
  EXPECT_TRUE(allows_end(*guide));
}

TEST(Constraint, ForcedToolCallOfHermes) {
  const Source call = Source::sequence(
      {Source::literal("{\"name\": \"add\", \"arguments\": "),
       schema(R"({"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]})"),
       Source::literal("}")});
  const Source calls = Source::sequence(
      {call, Source::repeat(Source::sequence({Source::literal("\n"), call}), 0, -1)});
  EXPECT_TRUE(matches(calls, R"({"name": "add", "arguments": {"x": 1}})"));
  EXPECT_TRUE(matches(calls,
                      "{\"name\": \"add\", \"arguments\": {\"x\":1}}\n{\"name\": \"add\", "
                      "\"arguments\": {\"x\":2}}"));
  EXPECT_FALSE(matches(calls, R"({"name": "add", "arguments": {}})"));
}

TEST(Constraint, EndsAreAllowedOnlyWhereTheTextMayEnd) {
  const Tokenizer tokenizer = small_tokenizer();
  const auto guide = compiled(Source::regex("ab?"))->make_guide();
  EXPECT_FALSE(allows_end(*guide));
  guide->accept(*tokenizer.find("a"));
  EXPECT_TRUE(allows_end(*guide));
  EXPECT_FALSE(guide->finished());
  guide->accept(*tokenizer.eos());
  EXPECT_TRUE(guide->finished());
  for (int32_t token = 0; token < tokenizer.vocab_size(); ++token)
    EXPECT_EQ(allows(*guide, token), tokenizer.is_end(token)) << token;
}

TEST(Constraint, GuidesOfAllThreadsAgree) {
  const auto constraint = compiled(Source::json_object());
  const std::string text = R"({"a": [1, {"b": "c\n"}, null], "d": {"e": {}}})";
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { right += fate(*constraint, text) == Fate::kMustEnd; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 4);
}

TEST(Constraint, CacheKeepsWhatWasUsedLast) {
  ConstraintCache cache(small_tokenizer(), 2);
  const auto first = cache.get(Source::regex("a")).take_value();
  const auto second = cache.get(Source::regex("b")).take_value();
  EXPECT_EQ(cache.get(Source::regex("a")).take_value(), first);
  cache.get(Source::regex("c")).take_value();  // in place of b
  EXPECT_EQ(cache.get(Source::regex("a")).take_value(), first);
  EXPECT_NE(cache.get(Source::regex("b")).take_value(), second);
  EXPECT_NE(Source::choice({"a", "b"}).key(), Source::choice({"a1:b"}).key());
  EXPECT_NE(Source::literal("a").key(), Source::marker("a").key());
}

// ---- what is refused

TEST(Constraint, RefusesWhatRegexesCannotSay) {
  for (const auto& [pattern, word] : std::initializer_list<std::pair<const char*, const char*>>{
           {"(a)\\1", "offset 5"},
           {"a(?=b)", "lookaround"},
           {"(?<!a)b", "lookaround"},
           {"\\bword", "boundaries"},
           {"a{1,1000000}", "16384"},
           {"a{3,2}", "wrong way"},
           {"(a", "without its )"},
           {"a)", "without its ("},
           {"[a", "without its ]"},
           {"[]", "empty class"},
           {"[b-a]", "backwards"},
           {"*a", "nothing to repeat"},
           {"a**", "repetition of a repetition"},
           {"a++", "possessive"},
           {"a^b", "middle"},
           {"a\\", "at the end"},
           {"(?i)a", "kind of group"},
           {"\\p{Greek}", "property"},
           {"\\uZZZZ", "number of a character"},
           {"[^\\s\\S]", "no text"},
           {"\xff", "UTF-8"}})
    EXPECT_THAT(error_of(Source::regex(pattern)), HasSubstr(word)) << pattern;
}

TEST(Constraint, RefusesBrokenGrammars) {
  for (const auto& [text, word] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "no rule root"},
           {"a ::= \"b\"", "no rule root"},
           {"root ::= b", "line 1, column 10"},
           {"root ::= root \"a\" | \"b\"", "'root'"},
           {"root ::= a root\na ::= \"\" | \"x\"", "begins with itself"},
           {"root ::= \"a\" root", "no text"},
           {"root ::= (\"a\"", "without its )"},
           {"root ::= \"a", "close it"},
           {"root ::= [", "without its ]"},
           {"root ::= \"a\"\nroot ::= \"b\"", "line 2"},
           {"root ::= <x>", "tokens"},
           {"root ::= \"a\"{1,9999999}", "16384"},
           {"root ::= \"\\q\"", "escape"},
           {"root = \"a\"", "not a rule"}})
    EXPECT_THAT(error_of(Source::grammar(text)), HasSubstr(word)) << text;
}

TEST(Constraint, RefusesAbsurdDepthAndSize) {
  const auto nested = [](int depth, std::string open, std::string inside, std::string close) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += inside;
    for (int i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_THAT(error_of(Source::regex(nested(30'000, "(", "a", ")"))),
              HasSubstr("groups in each other"));
  EXPECT_THAT(error_of(Source::regex(nested(100'000, "(", "a", ")"))), HasSubstr("longer than"));
  EXPECT_THAT(error_of(Source::grammar("root ::= " + nested(60'000, "(", "\"a\"", ")"))),
              HasSubstr("groups"));
  EXPECT_THAT(error_of(Source::grammar("root ::= \"a\"" + std::string(60'000, '*'))),
              HasSubstr("repetitions"));
  EXPECT_THAT(error_of(schema(nested(20'000, R"({"items":)", "{}", "}"))), HasSubstr("deeper"));
  EXPECT_THAT(error_of(schema(nested(70, R"({"items":)", "{}", "}"))), HasSubstr("deeper"));
  EXPECT_THAT(error_of(schema(R"({"type": "string", "minLength": 100000000})")),
              HasSubstr("minLength"));
  EXPECT_THAT(error_of(Source::regex(nested(6, "(", "\\w\\W", "){16000}"))),
              ::testing::Not(HasSubstr("states")));
  std::string classes;
  for (int i = 0; i < 20'000; ++i) classes += "\\W";
  EXPECT_THAT(error_of(Source::regex(classes)), HasSubstr("states"));
  std::string chain = "{\"$defs\":{";
  for (int i = 0; i < 64; ++i)
    chain += "\"d" + std::to_string(i) + R"(":{"allOf":[{"$ref":"#/$defs/d)" +
             std::to_string(i + 1) + R"("},{"properties":{"a":{"$ref":"#/$defs/d)" +
             std::to_string(i + 1) + "\"}}}]},";
  chain += R"("d64":{"type":"object"}},"$ref":"#/$defs/d0"})";
  EXPECT_NE(error_of(schema(chain)), "");  // an answer at all, soon
  EXPECT_THAT(error_of(schema(R"({"allOf":[{"$ref":"#"}]})")), HasSubstr("schema"));
  EXPECT_THAT(error_of(schema("{\"a\": 1e999}")), HasSubstr("JSON"));
  EXPECT_THAT(error_of(schema("{\"type\": \"object\", \"type\": \"null\"}")), HasSubstr("twice"));
}

}  // namespace
}  // namespace ponder
