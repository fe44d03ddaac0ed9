// Masks bit by bit: against the language of small random grammars, written out, and against taking
// each token byte by byte.
#include "text/grammar/token_masks.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/file.hpp"
#include "base/rng.hpp"
#include "text/grammar/gbnf.hpp"
#include "text/grammar/json_grammar.hpp"

namespace ponder {
namespace {

using Language = std::set<std::string>;
constexpr size_t kMostTexts = 2000;

const TokenVocabulary& vocabulary() {
  static const auto made = [] {
    const auto text = read_file("tests/golden/text/qwen2.tokenizer.json", 1 << 20).take_value();
    return TokenVocabulary::create(
        Tokenizer::from_json_text(text, "qwen2", R"({"eos_token": "<｜end▁of▁sentence｜>"})")
            .take_value());
  }();
  return *made;
}

bool has(const TokenMask& mask, int32_t token) {
  return (mask[static_cast<size_t>(token) / 64] >> (token % 64) & 1) != 0;
}

Language joined(const Language& first, const Language& second) {
  Language all;
  for (const std::string& a : first)
    for (const std::string& b : second) {
      if (all.size() <= kMostTexts) all.insert(a + b);
    }
  return all;
}

// A random node, and all texts that it matches. Nodes are also taken again, as rules or as they
// are.
class RandomGrammar {
 public:
  explicit RandomGrammar(uint64_t seed) : random_(seed) {}

  struct Part {
    NodeId node;
    Language texts;
  };

  Part part(int depth) {
    Part made = make(depth);
    if (random_.next_below(4) == 0) made.node = grammar_.as_rule({}, made.node);
    if (random_.next_below(3) == 0) known_.push_back(made);
    return made;
  }
  Grammar& grammar() { return grammar_; }

 private:
  Part make(int depth) {
    switch (depth <= 0 ? random_.next_below(3) : random_.next_below(8)) {
      case 0:
        return word();
      case 1:
        return characters();
      case 2:
        return known_.empty() ? word() : known_[random_.next_below(known_.size())];
      case 3:
      case 4: {
        const Part a = part(depth - 1), b = part(depth - 1);
        return {grammar_.sequence({a.node, b.node}), joined(a.texts, b.texts)};
      }
      case 5:
      case 6: {
        const Part a = part(depth - 1), b = part(depth - 1);
        Language both = a.texts;
        both.insert(b.texts.begin(), b.texts.end());
        return {grammar_.any_of({a.node, b.node}), both};
      }
      default:
        return repeated(part(depth - 1));
    }
  }

  Part word() {
    constexpr std::string_view kWords[] = {"t", "th", "the", "e", " a", "an",
                                           "é", "世", "\"",  "",  "in"};
    const std::string_view text = kWords[random_.next_below(std::size(kWords))];
    return {grammar_.text(text), {std::string(text)}};
  }
  Part characters() {
    const bool wide = random_.next_below(2) == 0;
    if (wide) return {grammar_.chars(CharSet::range(0xe8, 0xea)), {"è", "é", "ê"}};
    return {grammar_.chars(CharSet::of("aeth")), {"a", "e", "t", "h"}};
  }
  Part repeated(const Part& once) {
    const auto least = static_cast<int64_t>(random_.next_below(3));
    const auto most = least + static_cast<int64_t>(random_.next_below(2));
    Language texts, power = {""};
    for (int64_t i = 0; i <= most; ++i) {
      if (i >= least) texts.insert(power.begin(), power.end());
      power = joined(power, once.texts);
    }
    return {grammar_.repeat(once.node, least, most), texts};
  }

  Rng random_;
  Grammar grammar_;
  std::vector<Part> known_;
};

bool begins_one(const Language& language, const std::string& text) {
  const auto next = language.lower_bound(text);
  return next != language.end() && next->starts_with(text);
}

// Every bit at every place on the way of a random text.
void check_against(const Language& language, const Automaton& automaton, uint64_t seed) {
  Rng random(seed);
  TokenMasks masks(automaton, vocabulary());
  const Tokenizer& tokenizer = vocabulary().tokenizer();
  std::string text;
  for (int32_t state = masks.table().start();;) {
    const auto mask = masks.mask(state);
    std::vector<int32_t> allowed;
    for (int32_t token = 0; token < tokenizer.vocab_size(); ++token) {
      const bool ordinary = !tokenizer.is_added(token) && !tokenizer.token_bytes(token).empty();
      const bool expected =
          tokenizer.is_end(token)
              ? language.contains(text)
              : ordinary && begins_one(language, text + tokenizer.token_bytes(token));
      ASSERT_EQ(has(*mask, token), expected) << "'" << text << "' and then " << token;
      if (expected && ordinary) allowed.push_back(token);
    }
    ASSERT_EQ(masks.table().finished(state), language.contains(text) && allowed.empty());
    if (allowed.empty()) return;
    const int32_t token = allowed[random.next_below(allowed.size())];
    state = masks.step(state, token);
    text += tokenizer.token_bytes(token);
  }
}

TEST(TokenMasks, EveryBitOfRandomGrammars) {
  int checked = 0;
  for (uint64_t seed = 0; seed < 300 && !HasFatalFailure(); ++seed) {
    RandomGrammar random(seed);
    const auto made = random.part(4);
    if (made.texts.size() > kMostTexts / 2) continue;
    const RuleId root = random.grammar().rule("root");
    random.grammar().define(root, made.node);
    const auto automaton = build_automaton(random.grammar(), root);
    ASSERT_TRUE(automaton.ok()) << automaton.error().message();
    for (uint64_t walk = 0; walk < 3; ++walk) check_against(made.texts, automaton.value(), walk);
    ++checked;
  }
  EXPECT_GT(checked, 200);
}

Automaton automaton_of(std::string_view gbnf) {
  Grammar grammar;
  return build_automaton(grammar, add_gbnf(grammar, gbnf).take_value()).take_value();
}

// Masks come from walks through tries, with shortcuts for plain characters; steps do not.
TEST(TokenMasks, AreWhatStepsSay) {
  Grammar grammar;
  JsonGrammar json(grammar);
  const NodeId both = grammar.sequence({json.string(2, 5), json.value()});
  const RuleId root = grammar.rule("root");
  grammar.define(root, both);
  const Automaton automaton = build_automaton(grammar, root).take_value();
  TokenMasks masks(automaton, vocabulary());
  const Tokenizer& tokenizer = vocabulary().tokenizer();
  int32_t state = masks.table().start();
  for (const char byte :
       std::string_view("\"a\\n\xc3\xa9z\"{\"the\": [1, \"an\xc3\xa9\\u00e9\", {}]}")) {
    const auto mask = masks.mask(state);
    for (int32_t token = 0; token < tokenizer.vocab_size(); ++token) {
      if (tokenizer.is_end(token)) continue;
      ASSERT_EQ(has(*mask, token), masks.step(state, token) != StateTable::kDead) << token;
    }
    state = masks.step(state, *tokenizer.find(std::string(1, byte)));
    ASSERT_NE(state, StateTable::kDead);
  }
  EXPECT_TRUE(masks.table().finished(state));
}

TEST(TokenMasks, BracketsBalanceAsDeepAsIsAllowed) {
  const Automaton automaton = automaton_of("root ::= (\"(\" root \")\")*");
  StateTable table(automaton);
  Rng random(1);
  for (int round = 0; round < 50; ++round) {
    int32_t state = table.start();
    int open = 0;
    for (int i = 0; i < 200; ++i) {
      const int32_t deeper = table.step(state, automaton.class_of['(']);
      const int32_t back = table.step(state, automaton.class_of[')']);
      EXPECT_EQ(table.accepts(state), open == 0);
      EXPECT_EQ(back != StateTable::kDead, open > 0);
      if (open < Automaton::kMostDepth / 2) {
        ASSERT_NE(deeper, StateTable::kDead);
      }
      const bool down = deeper != StateTable::kDead && (open == 0 || random.next_below(3) > 0);
      state = down ? deeper : back;
      open += down ? 1 : -1;
      EXPECT_LE(open, Automaton::kMostDepth);
    }
  }
}

TEST(TokenMasks, ManyReadingsAreBounded) {
  const Automaton automaton =
      automaton_of("root ::= \"a\" root \"x\" | \"a\" root \"y\" | \"a\" root root | \"b\"");
  TokenMasks masks(automaton, vocabulary());
  int32_t state = masks.table().start();
  const Tokenizer& tokenizer = vocabulary().tokenizer();
  for (int i = 0; i < 300; ++i) {
    const int32_t a = *tokenizer.find("a"), b = *tokenizer.find("b");
    const auto mask = masks.mask(state);
    EXPECT_LE(masks.table().places(state), StateTable::kMostPlaces);
    ASSERT_TRUE(std::ranges::any_of(*mask, [](uint64_t word) { return word != 0; }));
    if (!has(*mask, a) && !has(*mask, b)) break;
    state = masks.step(state, has(*mask, a) ? a : b);
  }
}

TEST(TokenMasks, StatesMoveToAnotherTable) {
  const Automaton automaton = automaton_of("root ::= \"(\" root \")\" | \"a\"* | \"a\" root \"b\"");
  StateTable first(automaton), second(automaton);
  int32_t state = first.start();
  for (const char byte : std::string_view("((a(a"))
    state = first.step(state, automaton.class_of[static_cast<uint8_t>(byte)]);
  int32_t moved = second.adopt(first, state);
  EXPECT_EQ(first.places(state), second.places(moved));
  for (const char byte : std::string_view("ab)b))")) {
    state = first.step(state, automaton.class_of[static_cast<uint8_t>(byte)]);
    moved = second.step(moved, automaton.class_of[static_cast<uint8_t>(byte)]);
    EXPECT_NE(moved, StateTable::kDead);
    EXPECT_EQ(first.accepts(state), second.accepts(moved));
    EXPECT_EQ(first.places(state), second.places(moved));
  }
  EXPECT_TRUE(second.finished(moved));
}

TEST(TokenVocabulary, TriesHoldEachTokenOnceWithItsBytes) {
  const Tokenizer& tokenizer = vocabulary().tokenizer();
  std::string path;
  std::set<int32_t> seen;
  for (size_t i = 0; i < vocabulary().trie().size(); ++i) {
    const auto& node = vocabulary().trie()[i];
    path.resize(node.depth);
    path += static_cast<char>(node.byte);
    EXPECT_GT(static_cast<size_t>(node.end), i);
    if (node.token < 0) continue;
    EXPECT_EQ(tokenizer.token_bytes(node.token), path);
    EXPECT_TRUE(seen.insert(node.token).second);
    EXPECT_FALSE(tokenizer.is_special(node.token));
  }
  EXPECT_EQ(seen.size(), 512u);
}

TEST(CharSet, Utf8OfEveryCharacter) {
  for (const CharSet& set :
       {CharSet::all(), CharSet::range(0x7e, 0x801), CharSet::range(0xd7fe, 0xe001),
        CharSet::range(0xfffe, 0x10001).add('a', 'c').add('b', 'z').minus(CharSet::of("dx"))}) {
    size_t count = 0;
    for (const CharSet::Range& range : set.ranges()) count += range.last - range.first + 1;
    size_t spelled = 0;
    for (const Utf8Range& range : utf8_ranges(set)) {
      size_t texts = 1;
      for (int i = 0; i < range.length; ++i)
        texts *= static_cast<size_t>(range.bytes[i].last - range.bytes[i].first + 1);
      spelled += texts;
    }
    EXPECT_EQ(spelled, count);
  }
  EXPECT_EQ(CharSet::all().complement().ranges().size(), 0u);
  EXPECT_EQ(CharSet::range(5, 9).both(CharSet::range(8, 20)).ranges(),
            (std::vector<CharSet::Range>{{8, 9}}));
}

}  // namespace
}  // namespace ponder
