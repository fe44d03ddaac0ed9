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

std::vector<ChatMessage> messages_of(const Json& json) {
  std::vector<ChatMessage> messages;
  for (const Json& item : json)
    messages.push_back({item["role"], item["content"], item.value("reasoning_content", "")});
  return messages;
}

TEST(ChatTemplate, RendersWhatJinjaRenders) {
  const std::string path = "tests/golden/text/templates.json";
  const Json cases = parse_json(read_file(path, 1 << 24).take_value(), path).take_value();
  ASSERT_GT(cases.size(), 300u);
  for (const Json& item : cases) {
    const std::string name = item["template"];
    const auto recognised = ChatTemplate::recognise(source_of(name), name);
    ASSERT_TRUE(recognised.ok()) << recognised.error().message();
    const RenderOptions options{item["prompt"].get<bool>(), item["thinking"].get<bool>()};
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
  for (const char* role : {"tool", "User", "", "developer"}) {
    const std::vector<ChatMessage> messages = {{"user", "x"}, {role, "y"}};
    const auto text = chat.render(messages);
    ASSERT_FALSE(text.ok());
    EXPECT_THAT(text.error().message(), HasSubstr("message 1"));
  }
}

}  // namespace
}  // namespace ponder
