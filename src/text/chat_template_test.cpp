// Templates against what Jinja2 makes of their sources (tools/golden/text_templates.py).
#include "text/chat_template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "io/json.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

std::string source_of(const std::string& name) {
  return read_file("tests/golden/text/templates/" + name + ".jinja", 1 << 20).take_value();
}

const std::vector<std::string>& known() {
  static const std::vector<std::string> names = {"deepseek-r1",
                                                 "deepseek-r1-0120",
                                                 "deepseek-r1-0528",
                                                 "deepseek-r1-distill",
                                                 "deepseek-r1-distill-0120",
                                                 "qwen2.5",
                                                 "qwen3",
                                                 "llama3",
                                                 "llama3.0"};
  return names;
}

std::vector<ChatMessage> messages_of(const OrderedJson& json) {
  std::vector<ChatMessage> messages;
  for (const OrderedJson& item : json) {
    messages.push_back({item["role"], item["content"], item.value("reasoning_content", "")});
    for (const OrderedJson& call : item.value("tool_calls", OrderedJson::array()))
      messages.back().tool_calls.push_back(
          {call["id"], call["function"]["name"], call["function"]["arguments"]});
  }
  return messages;
}

std::vector<Tool> tools_of(const OrderedJson& json) {
  std::vector<Tool> tools;
  for (const OrderedJson& item : json)
    tools.push_back({.name = item["function"]["name"], .whole = item});
  return tools;
}

TEST(ChatTemplate, RendersWhatJinjaRenders) {
  const std::string path = "tests/golden/text/templates.json";
  const OrderedJson cases =
      parse_ordered_json(read_file(path, 1 << 24).take_value(), path).take_value();
  ASSERT_GT(cases.size(), 500u);
  for (const OrderedJson& item : cases) {
    const std::string name = item["template"];
    const auto recognised = ChatTemplate::recognise(source_of(name), name);
    ASSERT_TRUE(recognised.ok()) << recognised.error().message();
    const std::vector<Tool> tools = tools_of(item.value("tools", OrderedJson::array()));
    const RenderOptions options{item["prompt"].get<bool>(), item["thinking"].get<bool>(), tools};
    const auto text = recognised.value().render(messages_of(item["messages"]), options);
    ASSERT_TRUE(text.ok());
    EXPECT_EQ(text.value(), item["expected"].get<std::string>()) << name << item["messages"];
  }
}

TEST(ChatTemplate, RecognisesEachByItsSource) {
  for (const std::string& name : known()) {
    const auto chat = ChatTemplate::recognise(source_of(name), "model");
    ASSERT_TRUE(chat.ok()) << chat.error().message();
    EXPECT_EQ(chat.value().name(), name);
  }
}

TEST(ChatTemplate, LayoutDoesNotMatter) {
  std::string source = source_of("deepseek-r1");
  for (size_t i = 0; (i = source.find("%}{%", i)) != std::string::npos; i += 6)
    source.replace(i, 4, "%}\n  {%");
  EXPECT_EQ(ChatTemplate::recognise(source, "m").take_value().name(), "deepseek-r1");
  source = source_of("qwen3");
  for (char& c : source)
    if (c == '\t') c = ' ';
  for (size_t i = 0; (i = source.find(".role", i)) != std::string::npos; i += 8)
    source.replace(i, 5, "['role']");
  EXPECT_EQ(ChatTemplate::recognise("{# a note #}" + source + "\n", "m").take_value().name(),
            "qwen3");
}

TEST(ChatTemplate, WhatChangesThePromptIsAnotherTemplate) {
  for (const std::string& name : known()) {
    const std::string source = source_of(name);
    for (const std::string& changed :
         {source + "!", "{{ 'Today is a good day.' }}" + source, "{% macro f() %}" + source,
          source + "{{ bos_token + 'x' }}", source + "{{ 'Use a tool.' }}",
          source + "{% include 'x' %}",
          "{% set ns = namespace() %}" + source.substr(source.size() / 2)}) {
      const auto chat = ChatTemplate::recognise(changed, "some.gguf");
      ASSERT_FALSE(chat.ok()) << name << changed.substr(0, 100);
      EXPECT_THAT(chat.error().message(), HasSubstr("some.gguf"));
      EXPECT_THAT(chat.error().message(), HasSubstr("--template NAME"));
    }
  }
  std::string source = source_of("qwen2.5");
  source.replace(source.find("created by Alibaba Cloud. You are a helpful assistant.<"), 7,
                 "trained");
  EXPECT_FALSE(ChatTemplate::recognise(source, "m").ok());
}

TEST(ChatTemplate, AnythingElseIsRefused) {
  for (const std::string& source :
       {std::string(), std::string("{"), std::string("{{"), std::string("{% if"),
        std::string("{{ 'a }}"), std::string("{% endif %}"),
        std::string("{% set x %}y{% endset %}"), std::string(1 << 20, '{'), std::string("{{ '\\"),
        std::string("{%-%}"), std::string("{#")})
    EXPECT_FALSE(ChatTemplate::recognise(source, "m").ok());
}

TEST(ChatTemplate, HasNames) {
  for (const std::string& name : ChatTemplate::names())
    EXPECT_TRUE(ChatTemplate::by_name(name).ok()) << name;
  EXPECT_EQ(ChatTemplate::by_name("deepseek-r1-distill-qwen").take_value().name(),
            "deepseek-r1-distill");
  const auto unknown = ChatTemplate::by_name("chatml");
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error().message(), HasSubstr("qwen2.5"));
}

TEST(ChatTemplate, TellsWhereThinkingBegins) {
  const std::vector<ChatMessage> messages = {{"user", "x"}};
  for (const std::string& name : ChatTemplate::names()) {
    const ChatTemplate chat = ChatTemplate::by_name(name).take_value();
    for (const bool prompt : {true, false}) {
      const RenderOptions options{.add_generation_prompt = prompt};
      const std::string text = chat.render(messages, options).take_value();
      EXPECT_EQ(chat.opens_thinking(messages, options), text.ends_with("<think>\n")) << name;
    }
    EXPECT_EQ(chat.reasons(), name.starts_with("deepseek") || name == "qwen3") << name;
  }
}

TEST(ChatTemplate, RefusesWhatItCannotRender) {
  const ChatTemplate chat = ChatTemplate::by_name("qwen2.5").take_value();
  EXPECT_FALSE(chat.render({}).ok());
  for (const char* role : {"User", "", "developer", "ipython"}) {
    const std::vector<ChatMessage> messages = {{"user", "x"}, {role, "y"}};
    const auto text = chat.render(messages);
    ASSERT_FALSE(text.ok());
    EXPECT_THAT(text.error().message(), HasSubstr("message 1"));
  }
}

std::string rendered(const std::string& name, const std::vector<ChatMessage>& messages,
                     const RenderOptions& options) {
  const ChatTemplate chat = ChatTemplate::by_name(name).take_value();
  const auto text = chat.render(messages, options);
  return text.ok() ? text.value() : text.error().message();
}

TEST(ChatTemplate, ThinkingCanBeSwitchedOff) {
  for (const std::string& name : ChatTemplate::names()) {
    const ChatTemplate chat = ChatTemplate::by_name(name).take_value();
    const std::string text = rendered(name, {{"user", "x"}}, {.enable_thinking = false});
    EXPECT_EQ(text.ends_with("<think>\n\n</think>\n\n"), chat.reasons()) << name;
    const std::vector<ChatMessage> messages = {{"user", "x"}};
    EXPECT_FALSE(chat.opens_thinking(messages, {.enable_thinking = false}));
  }
}

TEST(ChatTemplate, AnAnswerToAResultIsNotPrompted) {
  const std::vector<ChatMessage> messages = {{"user", "x"}, {"tool", "y"}, {"system", "z"}};
  for (const std::string& name : ChatTemplate::names()) {
    const ChatTemplate chat = ChatTemplate::by_name(name).take_value();
    EXPECT_FALSE(chat.opens_thinking(messages)) << name;
    EXPECT_FALSE(rendered(name, messages, {}).ends_with("<think>\n")) << name;
  }
}

TEST(ChatTemplate, ToolsAreToldEvenIfTheTemplateKnowsNone) {
  const std::vector<Tool> tools = {
      {.name = "f", .whole = OrderedJson::parse(R"({"z": 1, "a": "\u00e9"})")}};
  for (const std::string& name : ChatTemplate::names()) {
    for (const std::vector<ChatMessage>& messages :
         {std::vector<ChatMessage>{{"user", "x"}},
          std::vector<ChatMessage>{{"system", "Be brief."}, {"user", "x"}}}) {
      const std::string text = rendered(name, messages, {.tools = tools});
      EXPECT_THAT(text, HasSubstr(name == "llama3" ? "\"z\": 1,\n    \"a\": \"\u00e9\""
                                                   : "{\"z\": 1, \"a\": \"\u00e9\"}"))
          << name;
      EXPECT_LT(text.find("\"z\""), text.rfind("x")) << name << ": told before the question";
      if (messages.size() == 2) {
        EXPECT_THAT(text, HasSubstr("Be brief.")) << name;
      }
      const ToolCallForm form =
          tool_call_form(ChatTemplate::by_name(name).take_value().tool_format());
      if (name != "llama3" && !name.starts_with("qwen")) {
        EXPECT_THAT(text, HasSubstr(form.call_begin + "NAME" + form.middle + "ARGUMENTS"));
      }
    }
  }
  EXPECT_THAT(rendered("llama3", {{"system", "s"}}, {.tools = tools}), HasSubstr("no message"));
}

TEST(ChatTemplate, NothingOfACallIsLost) {
  const std::vector<ChatMessage> messages = {
      {"user", "x"},
      {.role = "assistant",
       .content = "Let me see.",
       .tool_calls = {{"1", "f", R"({"a": 1})"}, {"2", "g", "no JSON"}, {"3", "h", ""}}},
      {.role = "tool", .content = "42", .tool_call_id = "1"}};
  for (const std::string& name : ChatTemplate::names()) {
    const std::string text = rendered(name, messages, {});
    for (const char* part : {"f", R"({"a": 1})", "g", "no JSON", "h", "{}", "42"})
      EXPECT_THAT(text, HasSubstr(part)) << name;
    if (name != "llama3") {
      EXPECT_THAT(text, HasSubstr("Let me see.")) << name;
    }
  }
}

TEST(ChatTemplate, TheLastMessageCanBeContinued) {
  for (const std::string& name : ChatTemplate::names()) {
    const ChatTemplate chat = ChatTemplate::by_name(name).take_value();
    const RenderOptions options{.continue_final_message = true};
    const std::vector<ChatMessage> answer = {{"user", "x"}, {"assistant", "It is"}};
    EXPECT_TRUE(rendered(name, answer, options).ends_with("It is")) << name;
    EXPECT_FALSE(chat.opens_thinking(answer, options)) << name;
    for (const ChatMessage& last : {ChatMessage{"assistant", "", "I wonder"},
                                    ChatMessage{"assistant", "<think>\nI wonder"}}) {
      const std::vector<ChatMessage> thoughts = {{"user", "x"}, last};
      const std::string text = rendered(name, thoughts, options);
      EXPECT_TRUE(text.ends_with("<think>\nI wonder")) << name << text;
      EXPECT_EQ(text.find("</think>"), std::string::npos) << name << text;
      EXPECT_TRUE(chat.opens_thinking(thoughts, options)) << name;
    }
    EXPECT_THAT(rendered(name, {{"user", "x"}}, options), HasSubstr("message 0")) << name;
    EXPECT_THAT(
        rendered(name, {{.role = "assistant", .content = "", .tool_calls = {{"", "f"}}}}, options),
        HasSubstr("continued"));
  }
}

}  // namespace
}  // namespace ponder
