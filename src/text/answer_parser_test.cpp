// Answers of models of each format, cut into tokens in every way.
#include "text/answer_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "testing/test_tokens.hpp"

namespace ponder {
namespace {

using ::testing::ElementsAre;

const std::vector<std::string> kThinkTags = {"<think>", "</think>"};
const std::vector<std::string> kCallMarks = {
    "<tool_call>",    "</tool_call>",        "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>",
    "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"};

struct Call {
  std::string name, arguments;
  bool operator==(const Call&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Call& call) {
  return out << call.name << "(" << call.arguments << ")";
}

struct Seen {
  std::string reasoning, content;
  std::vector<Call> calls;
  bool thinking = false, stopped = false;
  std::string order;  // of channels, repeats left out
  int tokens = 0;
  bool operator==(const Seen&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  out << "reasoning '" << seen.reasoning << "' content '" << seen.content << "' calls";
  for (const Call& call : seen.calls) out << " " << call;
  return out << " order " << seen.order << " thinking " << seen.thinking << " stopped "
             << seen.stopped;
}

void see(const std::vector<AnswerDelta>& deltas, Seen& seen) {
  for (const AnswerDelta& delta : deltas) {
    seen.tokens += delta.tokens;
    EXPECT_FALSE(repaired_utf8(delta.text)) << "half a character";
    if (delta.channel == Channel::kMarker) {
      EXPECT_EQ(delta.text, "");
      continue;
    }
    const char letter = delta.channel == Channel::kReasoning ? 'r'
                        : delta.channel == Channel::kContent ? 'c'
                                                             : 't';
    if (!delta.name.empty() || seen.order.empty() || seen.order.back() != letter)
      seen.order += letter;
    if (letter == 'r') seen.reasoning += delta.text;
    if (letter == 'c') seen.content += delta.text;
    if (letter != 't') continue;
    if (!delta.name.empty()) {
      EXPECT_EQ(delta.call, static_cast<int>(seen.calls.size()));
      EXPECT_EQ(delta.id, tool_call_id("seed", delta.call));
      seen.calls.push_back({delta.name, ""});
    }
    ASSERT_EQ(delta.call + 1, static_cast<int>(seen.calls.size()));
    seen.calls.back().arguments += delta.text;
  }
}

Seen parse(const Tokenizer& tokenizer, const std::vector<int32_t>& tokens, AnswerOptions options) {
  options.call_seed = "seed";
  AnswerParser parser(tokenizer, options);
  Seen seen;
  int pushed = 0;
  for (const int32_t token : tokens) {
    if (parser.stopped()) break;
    see(parser.push(token), seen);
    ++pushed;
    EXPECT_LE(seen.tokens, pushed);
  }
  see(parser.finish(), seen);
  EXPECT_TRUE(parser.finish().empty());
  EXPECT_EQ(seen.tokens, pushed);
  EXPECT_EQ(parser.counts().reasoning_tokens + parser.counts().content_tokens, pushed);
  EXPECT_EQ(parser.counts().calls, static_cast<int>(seen.calls.size()));
  seen.thinking = parser.thinking();
  seen.stopped = parser.stopped();
  seen.tokens = 0;
  return seen;
}

// What the answer gives, which must be the same for each way to cut it: byte by byte, at each
// place into two, after every few characters. `marks` stay whole.
Seen parse_all(const std::string& answer, const AnswerOptions& options,
               const std::vector<std::string>& marks = kThinkTags) {
  const std::vector<std::string> parts = units(answer, marks);
  std::vector<std::vector<std::string>> ways = {parts};
  const auto is_mark = [&](const std::string& part) {
    return std::find(marks.begin(), marks.end(), part) != marks.end();
  };
  // Joins units, but none with a mark, up to where `ends` says.
  const auto join = [&](auto ends) {
    std::vector<std::string> pieces;
    bool open = false;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (open && !is_mark(parts[i]))
        pieces.back() += parts[i];
      else
        pieces.push_back(parts[i]);
      open = !is_mark(parts[i]) && !ends(i);
    }
    ways.push_back(std::move(pieces));
  };
  for (size_t at = 0; at < parts.size(); ++at) join([&](size_t i) { return i == at; });
  for (size_t every : {2, 3, 5, 7, 11}) join([&](size_t i) { return i % every == 0; });
  std::vector<std::string> pieces = marks;
  for (const auto& way : ways) pieces.insert(pieces.end(), way.begin(), way.end());
  // A piece that happens to be a tag is spelled out, unless tags are tokens.
  const auto is_tag = [](const std::string& piece) {
    return std::find(kThinkTags.begin(), kThinkTags.end(), piece) != kThinkTags.end();
  };
  if (marks.empty()) std::erase_if(pieces, is_tag);
  const Tokenizer whole = tokenizer_with(pieces), bytes = tokenizer_with(marks);
  const Seen first = parse(bytes, tokens_of(bytes, parts), options);
  for (const auto& way : ways) {
    const Seen seen = parse(whole, tokens_of(whole, way), options);
    EXPECT_EQ(seen, first) << testing::PrintToString(way);
    if (!(seen == first)) break;
  }
  return first;
}

AnswerOptions inside(bool starts_inside) {
  return {.thoughts = {.reasons = true, .starts_inside = starts_inside}};
}

AnswerOptions tools(ToolFormat format) {
  return {.tools = format, .tool_names = {"f", "get_weather"}};
}

// Tags as tokens, and spelled out where the vocabulary has no such tokens.
Seen split(const std::string& answer, bool starts_inside) {
  const Seen seen = parse_all(answer, inside(starts_inside));
  EXPECT_EQ(parse_all(answer, inside(starts_inside), {}), seen) << "spelled out";
  return seen;
}

TEST(AnswerParser, PlainContentIsKeptExactly) {
  for (const ToolFormat format :
       {ToolFormat::kNone, ToolFormat::kHermes, ToolFormat::kDeepseek, ToolFormat::kLlama3}) {
    const Seen seen = parse_all(" a \n\nb <tool `{\"name\": 1}` <｜tool\u00e9 \n ", tools(format));
    EXPECT_EQ(seen.content, " a \n\nb <tool `{\"name\": 1}` <｜tool\u00e9 \n ");
    EXPECT_EQ(seen.order, "c");
  }
}

TEST(AnswerParser, WhiteSpaceAroundTheTagsIsDropped) {
  for (const bool starts_inside : {false, true}) {
    const Seen seen =
        split(std::string(starts_inside ? "" : "<think>") + "\nI see. \n\nSo:\n</think>\n\n42\n",
              starts_inside);
    EXPECT_EQ(seen.reasoning, "I see. \n\nSo:");
    EXPECT_EQ(seen.content, "42\n");
    EXPECT_FALSE(seen.thinking);
  }
}

TEST(AnswerParser, EmptyThoughtsLeaveNoTrace) {
  EXPECT_EQ(split("<think>\n\n</think>\n\n42", false).order, "c");
  EXPECT_EQ(split("</think>\n\n42", true).content, "42");
}

TEST(AnswerParser, ThoughtsMayEndEarlyOrComeAgain) {
  const Seen cut = split("I see.\n", true);
  EXPECT_EQ(cut.reasoning, "I see.");
  EXPECT_TRUE(cut.thinking);
  const Seen again = split("a</think>b<think>c</think>d", true);
  EXPECT_EQ(again.reasoning, "ac");
  EXPECT_EQ(again.content, "bd");
  EXPECT_EQ(again.order, "rcrc");
}

TEST(AnswerParser, DoubledTagsAreDropped) {
  EXPECT_EQ(split("<think>\na <think> b</think>c", true).reasoning, "a  b");
  EXPECT_EQ(split("a</think>\n</think>c", true).content, "c");
  EXPECT_EQ(split("</think>c", false).content, "c");
  EXPECT_EQ(split("<think><think>a</think></think>c", false).reasoning, "a");
}

TEST(AnswerParser, AStrayEndInTheContentIsText) {
  EXPECT_EQ(split("a</think>Write `</think>` or </think> here.", true).content,
            "Write `</think>` or </think> here.");
  EXPECT_EQ(split("no thoughts</think>b", false).content, "no thoughts</think>b");
}

TEST(AnswerParser, TagsInCodeAreText) {
  const std::string content =
      "Use `<think>` so:\n```html\n<think>\nx\n</think>\n```\nand ``<think>``.";
  const Seen seen = split("a</think>" + content, true);
  EXPECT_EQ(seen.content, content);
  EXPECT_EQ(seen.reasoning, "a");
  EXPECT_EQ(split("x</think>a ` b\n<think>y</think>c", true).reasoning, "xy");
  EXPECT_EQ(split("x</think>```\na\n```\n<think>y</think>c", true).reasoning, "xy");
}

TEST(AnswerParser, ThinkingAgainCanBeRuledOut) {
  AnswerOptions options = inside(true);
  options.thoughts.think_again = false;
  const Seen seen = parse_all("a</think>{\"x\": \"<think>\"}", options);
  EXPECT_EQ(seen.content, "{\"x\": \"<think>\"}");
}

TEST(AnswerParser, SpelledTagsCountOnlyWithoutTokensAndForModelsThatReason) {
  const Tokenizer with = tokenizer_with(kThinkTags), without = tokenizer_with({});
  const std::string text = "a</think>b";
  const std::vector<int32_t> bytes(text.begin(), text.end());
  EXPECT_EQ(parse(with, bytes, inside(true)).reasoning, text);
  EXPECT_EQ(parse(without, bytes, inside(true)).reasoning, "a");
  EXPECT_EQ(parse(without, bytes, {}).content, text);
}

TEST(AnswerParser, PiecesAreWholeCharacters) {
  const Tokenizer t = tokenizer_with(kThinkTags);
  AnswerParser parser(t, inside(true));
  std::vector<std::string> pieces;
  for (const int32_t token : tokens_of(t, {"\u00e9\u4f60", "</think>", "\U0001F600"}))
    for (const AnswerDelta& delta : parser.push(token))
      if (!delta.text.empty()) pieces.push_back(delta.text);
  EXPECT_THAT(pieces, ElementsAre("\u00e9", "\u4f60", "\U0001F600"));
  EXPECT_EQ(parse(t, tokens_of(t, {"\u4f60", "</think>", "\xe4\xbd"}), inside(true)).content,
            "\uFFFD");
  EXPECT_EQ(parse(t, tokens_of(t, {"\xe4\xbd", "</think>", "x"}), inside(true)).reasoning,
            "\uFFFD");
}

TEST(AnswerParser, SpecialTokensAreNoText) {
  const Tokenizer t = tokenizer_with({}, {"<special>", "<|python_tag|>"});
  EXPECT_EQ(parse(t, tokens_of(t, {"a", "<special>", "b", "<special>"}), {}).content, "ab");
  const auto call = tokens_of(t, {"<|python_tag|>", R"({"name": "g", "parameters": {}})"});
  EXPECT_EQ(parse(t, call, tools(ToolFormat::kLlama3)).calls, std::vector<Call>({{"g", "{}"}}));
}

TEST(AnswerParser, CountsTokens) {
  const Tokenizer t = tokenizer_with({"<think>", "</think>", "\n\n", "ab", ".\n\n"});
  AnswerParser parser(t, inside(true));
  std::vector<std::pair<std::string, int>> seen;
  for (const int32_t token : tokens_of(t, {"ab", ".\n\n", "</think>", "\n\n", "ab", "ab"}))
    for (const AnswerDelta& delta : parser.push(token)) seen.emplace_back(delta.text, delta.tokens);
  EXPECT_THAT(seen, ElementsAre(std::pair("ab", 1), std::pair(".", 1), std::pair("", 1),
                                std::pair("", 1), std::pair("ab", 1), std::pair("ab", 1)));
  EXPECT_EQ(parser.counts().reasoning_tokens, 3);
  EXPECT_EQ(parser.counts().content_tokens, 3);
}

TEST(AnswerParser, Hermes) {
  const std::string call =
      "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Zürich }\", \"n\": "
      "[1, {\"a\": \"\\\"\"}]}}\n</tool_call>";
  const std::string arguments = "{\"city\": \"Zürich }\", \"n\": [1, {\"a\": \"\\\"\"}]}";
  for (const auto& marks : {kThinkTags, kCallMarks}) {
    const Seen seen =
        parse_all("Let me look.\n\n" + call + "\n" + call, tools(ToolFormat::kHermes), marks);
    EXPECT_EQ(seen.content, "Let me look.");
    EXPECT_THAT(seen.calls,
                ElementsAre(Call{"get_weather", arguments}, Call{"get_weather", arguments}));
    EXPECT_EQ(seen.order, "ctt");
  }
  const Seen thought = parse_all("hm\n</think>\n\n" + call + "\nDone?", [] {
    AnswerOptions options = tools(ToolFormat::kHermes);
    options.thoughts = {.reasons = true, .starts_inside = true};
    return options;
  }());
  EXPECT_EQ(thought.reasoning, "hm");
  EXPECT_EQ(thought.content, "Done?");
  EXPECT_EQ(thought.order, "rtc");
}

TEST(AnswerParser, HermesAsModelsReallyWriteIt) {
  const AnswerOptions options = tools(ToolFormat::kHermes);
  const auto calls = [&](const std::string& answer) {
    const Seen seen = parse_all(answer, options);
    EXPECT_EQ(seen.content, "") << answer;
    return seen.calls;
  };
  const Call expected{"f", "{\"a\":1}"};
  // The end of the tag forgotten; at the end, and before the next.
  EXPECT_THAT(calls("<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":1}}"), ElementsAre(expected));
  EXPECT_THAT(calls("<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":1}}<tool_call>"
                    "{\"name\":\"g\",\"arguments\":{\"a\":1}}\n</tool_c"),
              ElementsAre(expected, Call{"g", "{\"a\":1}"}));
  // The last brace forgotten.
  EXPECT_THAT(calls("<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":1}</tool_call>"),
              ElementsAre(expected));
  // Other members, another order, no arguments, null, arguments in a string.
  EXPECT_THAT(calls("<tool_call>{\"id\":[7,\"}\"],\"type\":\"function\",\"n\":null,\"name\":\"f\","
                    "\"arguments\":{\"a\":1},\"x\":{\"y\":2}}</tool_call>"),
              ElementsAre(expected));
  EXPECT_THAT(calls("<tool_call>{\"arguments\":{\"a\":1},\"name\":\"f\"}</tool_call>"),
              ElementsAre(expected));
  EXPECT_THAT(calls("<tool_call>{\"name\":\"f\"}</tool_call>"), ElementsAre(Call{"f", "{}"}));
  EXPECT_THAT(calls("<tool_call>{\"name\":\"f\",\"arguments\":null}</tool_call>"),
              ElementsAre(Call{"f", "{}"}));
  EXPECT_THAT(calls("<tool_call>{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}</tool_call>"),
              ElementsAre(expected));
  // No tag at all, and two objects in one.
  EXPECT_THAT(calls("{\"name\":\"f\",\"arguments\":{\"a\":1}}"), ElementsAre(expected));
  EXPECT_THAT(calls("<tool_call>\n{\"name\":\"f\",\"arguments\":{\"a\":1}}\n"
                    "{\"name\":\"f\",\"arguments\":{\"a\":1}}\n</tool_call>"),
              ElementsAre(expected, expected));
  // Cut off within the arguments.
  EXPECT_THAT(calls("<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":"),
              ElementsAre(Call{"f", "{\"a\":"}));
}

TEST(AnswerParser, WhatIsNoCallIsContent) {
  const auto content_of = [](ToolFormat format, const std::string& answer) {
    const Seen seen = parse_all(answer, tools(format));
    EXPECT_TRUE(seen.calls.empty()) << seen;
    return seen.content;
  };
  for (const std::string answer :
       {"<tool_call>\nnot JSON\n</tool_call>", "<tool_call>{\"name\": \"f\"", "<tool_call>",
        "<tool_call>{\"name\": 7, \"arguments\": {}}</tool_call>", "a <tool_call> b",
        "<tool_call>{\"arguments\": {}}</tool_call>", "<tool_call>{}</tool_call>",
        "<tool_call>{\"name\": \"a b\", \"arguments\": {}}</tool_call>",
        "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>",
        "{\"name\": \"Bob\", \"arguments\": {}}", "{\"name\": \"f\"}", "{\"a\": 1}", "{",
        "x {\"name\": \"f\", \"arguments\": {}}", "</tool_call> x", " \n{\"name\"\n"})
    EXPECT_EQ(content_of(ToolFormat::kHermes, answer), answer);
  for (const std::string answer :
       {"<｜tool▁calls▁begin｜>", "<｜tool▁calls▁begin｜>x", "<｜tool▁call▁begin｜>function",
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n[1]\n```<｜tool▁call▁end｜>",
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>a b\n```json\n{}\n```<｜tool▁call▁end｜>",
        "{\"name\": \"g\", \"arguments\": {}}", "a ``` b <｜tool▁sep｜>"})
    EXPECT_EQ(content_of(ToolFormat::kDeepseek, answer), answer);
  for (const std::string answer :
       {"{\"name\": \"Bob\", \"parameters\": {}}", "{\"name\": \"f\"}", "A {\"name\": \"f\"}",
        "[{\"name\": \"f\", \"parameters\": {}}]", "; {\"name\": \"f\", \"parameters\": {}}"})
    EXPECT_EQ(content_of(ToolFormat::kLlama3, answer), answer);
}

TEST(AnswerParser, ABrokenCallDoesNotHideTheNext) {
  const Seen seen =
      parse_all("<tool_call>{\"name\": <tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>",
                tools(ToolFormat::kHermes));
  EXPECT_EQ(seen.content, "<tool_call>{\"name\":");
  EXPECT_THAT(seen.calls, ElementsAre(Call{"f", "{}"}));
}

TEST(AnswerParser, ArgumentsThatCannotGoOnEnd) {
  const Seen seen = parse_all("<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":1]}} and so on",
                              tools(ToolFormat::kHermes));
  EXPECT_THAT(seen.calls, ElementsAre(Call{"f", "{\"a\":1"}));
  EXPECT_EQ(seen.content, "]}} and so on");
  std::string deep = "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":" + std::string(100, '[');
  const Tokenizer t = tokenizer_with({});
  const Seen cut = parse(t, tokens_of(t, {deep}), tools(ToolFormat::kHermes));
  EXPECT_EQ(cut.calls[0].arguments.size(), 5u + 63u);
  EXPECT_EQ(cut.content, std::string(37, '['));
}

TEST(AnswerParser, Deepseek) {
  const std::string first =
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n"
      "{\"city\": \"```}\"}\n```<｜tool▁call▁end｜>";
  const std::string second =
      "\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{}\n```<｜tool▁call▁end｜>"
      "<｜tool▁calls▁end｜>";
  for (const auto& marks : {kThinkTags, kCallMarks}) {
    const Seen seen = parse_all("Looking.\n" + first + second, tools(ToolFormat::kDeepseek), marks);
    EXPECT_EQ(seen.content, "Looking.");
    EXPECT_THAT(seen.calls,
                ElementsAre(Call{"get_weather", "{\"city\": \"```}\"}"}, Call{"f", "{}"}));
    EXPECT_EQ(seen.order, "ctt");
  }
  // Without the list, without the fence; DeepSeek-V3.1; the end forgotten.
  const Call expected{"f", "{\"a\":1}"};
  for (const std::string answer :
       {"<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n{\"a\":1}<｜tool▁call▁end｜>",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\":1}<｜tool▁call▁end｜>"
        "<｜tool▁calls▁end｜>",
        "<｜tool▁calls▁begin｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜> f ```json "
        "{\"a\":1}\n``"}) {
    const Seen seen = parse_all(answer, tools(ToolFormat::kDeepseek));
    EXPECT_THAT(seen.calls, ElementsAre(expected)) << answer;
    EXPECT_EQ(seen.content, "");
  }
}

TEST(AnswerParser, Llama3) {
  const AnswerOptions options = tools(ToolFormat::kLlama3);
  const Call expected{"f", "{\"a\":1}"};
  for (const std::string answer :
       {"{\"name\": \"f\", \"parameters\": {\"a\":1}}",
        "\n{\"type\": \"function\", \"name\": \"f\", \"parameters\": {\"a\":1}}\n",
        "<|python_tag|>{\"name\": \"f\", \"parameters\": {\"a\":1}}"}) {
    const Seen seen = parse_all(answer, options);
    EXPECT_THAT(seen.calls, ElementsAre(expected)) << answer;
    EXPECT_EQ(seen.content, "");
  }
  const Seen several = parse_all(
      "{\"name\": \"f\", \"parameters\": {\"a\":1}}; {\"name\": \"f\", \"parameters\": "
      "{\"a\":1}}\n{\"name\": \"f\", \"parameters\": {\"a\":1}};",
      options);
  EXPECT_THAT(several.calls, ElementsAre(expected, expected, expected));
  EXPECT_EQ(parse_all("<|python_tag|>print(1)", options).content, "print(1)");
  EXPECT_EQ(parse_all("{\"name\": \"f\", \"parameters\": {\"a\":1}}; so it is", options).content,
            "; so it is");
}

TEST(AnswerParser, JsonAsTheWholeAnswer) {
  const Call expected{"f", "{\"a\":1}"};
  const std::string call = "{\n  \"name\": \"f\",\n  \"arguments\": {\"a\":1}\n}";
  for (const ToolFormat format :
       {ToolFormat::kHermes, ToolFormat::kDeepseek, ToolFormat::kLlama3}) {
    const AnswerOptions options = tools(format);
    for (const std::string& answer :
         {call, "```json\n" + call + "\n```", "\n```\n" + call + "```\n", "```json\n" + call,
          "```json\n" + call + "\n``"}) {
      const Seen seen = parse_all(answer, options);
      EXPECT_THAT(seen.calls, ElementsAre(expected)) << answer;
      EXPECT_EQ(seen.content, "");
    }
    for (const std::string between : {"\n```\n```json\n", "\n```\n", "\n", ",\n", ";\n"}) {
      const Seen seen = parse_all("```json\n" + call + between + call + "\nDone.", options);
      EXPECT_THAT(seen.calls, ElementsAre(expected, expected)) << between;
      EXPECT_EQ(seen.content, "Done.") << between;
    }
    EXPECT_EQ(parse_all("```json\n" + call + "\n```\n~~~py\nx\n~~~", options).content,
              "~~~py\nx\n~~~");
    EXPECT_EQ(parse_all(call + ", {\"x\": 1}", options).content, ", {\"x\": 1}");
    for (const std::string answer :
         {"```json\n{\"a\": 1}\n```", "```py\nx\n```", "``", "`f`", "```json", "````\n{}"})
      EXPECT_EQ(parse_all(answer, options).content, answer);
  }
}

TEST(AnswerParser, ArgumentsComeAsTheyAreWritten) {
  const Tokenizer t = tokenizer_with({});
  AnswerParser parser(t, tools(ToolFormat::kHermes));
  const std::string head = "<tool_call>{\"name\": \"f\", \"arguments\": ";
  std::vector<AnswerDelta> deltas;
  for (const char c : head)
    for (const AnswerDelta& delta : parser.push(c)) deltas.push_back(delta);
  EXPECT_TRUE(deltas.empty());
  deltas = parser.push('{');
  ASSERT_EQ(deltas.size(), 1u);
  EXPECT_EQ(deltas[0].name, "f");
  EXPECT_EQ(deltas[0].text, "{");
  EXPECT_EQ(deltas[0].tokens, static_cast<int>(head.size()) + 1);
  deltas = parser.push('"');
  ASSERT_EQ(deltas.size(), 1u);
  EXPECT_EQ(deltas[0].name + deltas[0].id, "");
  EXPECT_EQ(deltas[0].text, "\"");
}

TEST(AnswerParser, Identifiers) {
  EXPECT_EQ(tool_call_id("request", 0), tool_call_id("request", 0));
  EXPECT_NE(tool_call_id("request", 0), tool_call_id("request", 1));
  EXPECT_NE(tool_call_id("request", 0), tool_call_id("request2", 0));
  EXPECT_THAT(tool_call_id("", 3), testing::MatchesRegex("call_[A-Za-z0-9]{24}"));
}

AnswerOptions stops(const std::vector<std::string>& strings, bool include = false) {
  return {.thoughts = {.reasons = true},
          .stop = StopStrings::create(strings).take_value(),
          .include_stop = include};
}

TEST(AnswerParser, StopStringsEndTheContent) {
  Seen seen = parse_all("one\n\ntwo", stops({"\n\n"}));
  EXPECT_EQ(seen.content, "one");
  EXPECT_TRUE(seen.stopped);
  seen = parse_all("one\n\ntwo", stops({"\n\n"}, true));
  EXPECT_EQ(seen.content, "one\n\n");
  seen = parse_all("one\ntwo\n", stops({"\n\n", "x"}));
  EXPECT_EQ(seen.content, "one\ntwo\n") << "what was held back comes at the end";
  EXPECT_FALSE(seen.stopped);
  seen = parse_all("<think>STOP</think>go STOP", stops({"STOP"}));
  EXPECT_EQ(seen.reasoning, "STOP") << "thoughts do not count";
  EXPECT_EQ(seen.content, "go ");
  seen = parse_all("你好世界", stops({"世"}));
  EXPECT_EQ(seen.content, "你好");
}

TEST(AnswerParser, StopStringsDoNotEndCalls) {
  AnswerOptions options = stops({"}", "!"});
  options.tools = ToolFormat::kHermes;
  const Seen seen =
      parse_all("a<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>b! c", options);
  EXPECT_THAT(seen.calls, ElementsAre(Call{"f", "{}"}));
  EXPECT_EQ(seen.content, "ab");
}

TEST(AnswerParser, TellsWhichStringItWas) {
  const Tokenizer t = tokenizer_with({});
  AnswerParser parser(t, stops({"ab", "abc", "b"}));
  parser.push('a');
  EXPECT_FALSE(parser.stopped());
  parser.push('b');
  EXPECT_TRUE(parser.stopped());
  EXPECT_EQ(parser.stop(), "ab");
  EXPECT_TRUE(parser.push('c').empty());
}

TEST(AnswerParser, APromptOpensThoughtsByItsLastTag) {
  const Tokenizer t = tokenizer_with(kThinkTags);
  EXPECT_FALSE(prompt_opens_thinking(t, t.encode("Hi")));
  EXPECT_TRUE(prompt_opens_thinking(t, t.encode("Hi `<think>")));
  EXPECT_FALSE(prompt_opens_thinking(t, t.encode("<think>Hi</think>")));
  EXPECT_FALSE(prompt_opens_thinking(tokenizer_with({}), std::vector<int32_t>{'a'}));
}

// Fragments of every format in any order: whole tokens against single bytes.
TEST(AnswerParser, AnyFragmentsGiveTheSameHoweverTheyAreCut) {
  const std::vector<std::string> fragments = {"<think>",
                                              "</think>",
                                              "<tool_call>",
                                              "</tool_call>",
                                              "<|python_tag|>",
                                              "<｜tool▁calls▁begin｜>",
                                              "<｜tool▁call▁begin｜>",
                                              "function",
                                              "<｜tool▁sep｜>",
                                              "<｜tool▁call▁end｜>",
                                              "<｜tool▁calls▁end｜>",
                                              "{\"name\": \"f\", \"arguments\": {",
                                              "{\"name\":\"f\"",
                                              ",\"parameters\":{",
                                              ", \"arguments\": \"{}\"",
                                              "}}",
                                              "}",
                                              "]",
                                              "\"",
                                              "\n```json\n{",
                                              "```",
                                              "\n",
                                              " ",
                                              "stop",
                                              "<thi",
                                              "nk>",
                                              "</",
                                              "st",
                                              "\xe4\xbd",
                                              "\xa0",
                                              "\U0001F600",
                                              "null",
                                              "\\\"",
                                              "`",
                                              "; {",
                                              "f",
                                              "{",
                                              ":",
                                              "x"};
  const std::vector<std::string> others(fragments.begin() + 2, fragments.end());
  const Tokenizer with = tokenizer_with(fragments), without = tokenizer_with(others);
  const StopStrings stop = StopStrings::create({"stop", "\n\n", "}}", "to"}).take_value();
  Rng rng(7);
  for (int round = 0; round < 4000; ++round) {
    const Tokenizer& tokenizer = rng.next_below(2) == 0 ? with : without;
    AnswerOptions options = tools(static_cast<ToolFormat>(rng.next_below(4)));
    options.thoughts = {.reasons = rng.next_below(2) == 0,
                        .starts_inside = rng.next_below(2) == 0,
                        .think_again = rng.next_below(2) == 0};
    if (rng.next_below(3) == 0) options.stop = stop;
    std::vector<std::string> whole, bytes;
    for (uint64_t i = 0, size = rng.next_below(24); i < size; ++i) {
      whole.push_back(fragments[rng.next_below(fragments.size())]);
      const bool tag = whole.back() == "<think>" || whole.back() == "</think>";
      if (tag) bytes.push_back(whole.back());
      if (!tag)
        for (const char c : whole.back()) bytes.emplace_back(1, c);
    }
    const Seen seen = parse(tokenizer, tokens_of(tokenizer, whole), options);
    ASSERT_EQ(parse(tokenizer, tokens_of(tokenizer, bytes), options), seen)
        << testing::PrintToString(whole) << " format " << static_cast<int>(options.tools);
  }
}

}  // namespace
}  // namespace ponder
