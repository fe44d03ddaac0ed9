// What is sent to servers, and what their events mean.
#include "eval/wire.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/endpoint.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;

const Question kQuestion{.id = "q1", .prompt = "Why?", .seed = 5};

std::unique_ptr<WireAnswer> read(EndpointApi api, std::initializer_list<const char*> events) {
  auto answer = wire_answer(api);
  for (const char* event : events) EXPECT_TRUE(answer->event(event).ok()) << event;
  return answer;
}

TEST(Wire, AsksInThreeLanguages) {
  const AskOptions options{.temperature = 0.5, .top_p = 0.9, .max_tokens = 77};
  const auto chat = wire_request(EndpointApi::kChat, "m", kQuestion, options, {});
  EXPECT_EQ(chat.path, "/chat/completions");
  EXPECT_EQ(chat.body["messages"][0]["content"], "Why?");
  EXPECT_EQ(chat.body["max_tokens"], 77);
  EXPECT_EQ(chat.body["temperature"], 0.5);
  EXPECT_EQ(chat.body["stream"], true);
  EXPECT_EQ(chat.body["stream_options"]["include_usage"], true);
  const auto responses = wire_request(EndpointApi::kResponses, "m", kQuestion, options, {});
  EXPECT_EQ(responses.path, "/responses");
  EXPECT_EQ(responses.body["max_output_tokens"], 77);
  EXPECT_EQ(responses.body["store"], false);
  const auto messages = wire_request(EndpointApi::kMessages, "m", kQuestion, options, {});
  EXPECT_EQ(messages.path, "/messages");
  EXPECT_EQ(messages.token_header, "x-api-key");
  EXPECT_TRUE(messages.headers.contains("anthropic-version"));
  EXPECT_EQ(messages.body["max_tokens"], 77);
}

TEST(Wire, FieldsCanBeLaidOver) {
  const Json changes = {{"temperature", nullptr}, {"reasoning_effort", "high"}};
  const auto request = wire_request(EndpointApi::kChat, "m", kQuestion, {}, changes);
  EXPECT_FALSE(request.body.contains("temperature"));
  EXPECT_EQ(request.body["reasoning_effort"], "high");
}

TEST(Wire, ReadsChatCompletions) {
  const auto answer = read(
      EndpointApi::kChat,
      {R"({"model":"m-1","choices":[{"delta":{"role":"assistant","content":null}}]})",
       R"({"choices":[{"delta":{"reasoning_content":"hm "}}]})",
       R"({"choices":[{"delta":{"content":"Be"}}]})",
       R"({"choices":[{"delta":{"content":"cause"}}]})",
       R"({"choices":[{"delta":{},"finish_reason":"length"}]})",
       R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}})",
       "[DONE]"});
  const Reply& reply = answer->reply();
  EXPECT_TRUE(answer->complete());
  EXPECT_EQ(reply.text, "Because");
  EXPECT_EQ(reply.reasoning, "hm ");
  EXPECT_EQ(reply.served, "m-1");
  EXPECT_EQ(reply.end, AnswerEnd::kLength);
  EXPECT_TRUE(reply.usage.told);
  EXPECT_EQ(reply.usage.input, 9);
  EXPECT_EQ(reply.usage.cached, 4);
  EXPECT_EQ(reply.usage.output, 5);
  EXPECT_EQ(reply.usage.reasoning, 2);
}

TEST(Wire, ReadsDeepSeeksCache) {
  const auto answer = read(
      EndpointApi::kChat,
      {R"({"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":1}})"});
  EXPECT_EQ(answer->reply().usage.cached, 8);
}

TEST(Wire, ReadsResponses) {
  const auto answer = read(
      EndpointApi::kResponses,
      {R"({"type":"response.created","response":{"id":"r"}})",
       R"({"type":"response.reasoning_summary_text.delta","delta":"hm"})",
       R"({"type":"response.output_text.delta","delta":"Yes"})",
       R"({"type":"response.completed","response":{"model":"o","usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":1},"output_tokens":30,"output_tokens_details":{"reasoning_tokens":28}}}})"});
  EXPECT_TRUE(answer->complete());
  EXPECT_EQ(answer->reply().text, "Yes");
  EXPECT_EQ(answer->reply().reasoning, "hm");
  EXPECT_EQ(answer->reply().usage.output, 30);
  EXPECT_EQ(answer->reply().usage.reasoning, 28);
  const auto cut = read(
      EndpointApi::kResponses,
      {R"({"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}})"});
  EXPECT_EQ(cut->reply().end, AnswerEnd::kLength);
  auto failed = wire_answer(EndpointApi::kResponses);
  EXPECT_FALSE(
      failed->event(R"({"type":"response.failed","response":{"error":{"message":"oh"}}})").ok());
}

TEST(Wire, ReadsMessages) {
  const auto answer = read(
      EndpointApi::kMessages,
      {R"({"type":"message_start","message":{"model":"c","usage":{"input_tokens":10,"cache_read_input_tokens":100,"cache_creation_input_tokens":5,"output_tokens":1}}})",
       R"({"type":"ping"})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"No"}})",
       R"({"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":42}})"});
  EXPECT_FALSE(answer->complete());
  EXPECT_TRUE(answer->event(R"({"type":"message_stop"})").ok());
  EXPECT_TRUE(answer->complete());
  const Reply& reply = answer->reply();
  EXPECT_EQ(reply.text, "No");
  EXPECT_EQ(reply.reasoning, "hm");
  EXPECT_EQ(reply.usage.input, 115);
  EXPECT_EQ(reply.usage.cached, 100);
  EXPECT_EQ(reply.usage.cache_write, 5);
  EXPECT_EQ(reply.usage.output, 42);
  EXPECT_EQ(reply.end, AnswerEnd::kLength);
}

TEST(Wire, HostileEventsAreErrorsOrNothing) {
  for (const EndpointApi api :
       {EndpointApi::kChat, EndpointApi::kResponses, EndpointApi::kMessages}) {
    for (const char* event :
         {"", "{", "[]", "7", R"({"error":{"message":"busy"}})", R"({"error":"busy"})"})
      EXPECT_FALSE(wire_answer(api)->event(event).ok()) << event;
    for (const char* event :
         {"{}", R"({"choices":7})", R"({"choices":[7]})", R"({"choices":[{"delta":7}]})",
          R"({"choices":[{"delta":{"content":7},"finish_reason":7}]})", R"({"usage":7})",
          R"({"usage":{"prompt_tokens":-3,"completion_tokens":1e30}})",
          R"({"type":"response.completed","response":7})",
          R"({"type":"message_start","message":7})",
          R"({"type":"content_block_delta","delta":[]})"}) {
      auto answer = wire_answer(api);
      EXPECT_TRUE(answer->event(event).ok()) << event;
      EXPECT_FALSE(answer->reply().usage.told) << event;
    }
  }
}

TEST(Wire, RefusalsNameTheField) {
  const WireError error =
      wire_error(400, R"({"error":{"message":"Unsupported parameter","param":"max_tokens"}})");
  EXPECT_THAT(error.message, HasSubstr("Unsupported parameter"));
  EXPECT_EQ(error.param, "max_tokens");
  EXPECT_THAT(wire_error(502, "<html>").message, HasSubstr("502"));
}

TEST(TokenUsage, IsDoubtedWhereItCannotBe) {
  const Question question{.id = {}, .prompt = std::string(400, 'x')};
  Reply reply;
  reply.text = std::string(1000, 'y');
  const auto doubt = [&](TokenUsage usage, OwnCount own = {}) {
    usage.told = true;
    return doubt_usage(usage, question, reply, own);
  };
  EXPECT_EQ(doubt({.input = 100, .output = 250}), "");
  EXPECT_THAT(doubt({.input = 100, .output = 2000}), HasSubstr("2000 tokens of the answer"));
  EXPECT_THAT(doubt({.input = 100, .output = 5}), HasSubstr("5 tokens of the answer"));
  EXPECT_THAT(doubt({.input = 90'000, .output = 250}), HasSubstr("the prompt"));
  EXPECT_EQ(doubt({.input = 100, .output = 9250, .reasoning = 9000}), "");  // hidden thoughts
  EXPECT_THAT(doubt({.input = 100, .cached = 200, .output = 250}), HasSubstr("cached"));
  EXPECT_THAT(doubt({.input = 100, .output = 250, .reasoning = 300}), HasSubstr("thoughts"));
  const OwnCount exact{.prompt_tokens = 100, .text_tokens = 250, .exact = true};
  EXPECT_EQ(doubt({.input = 110, .output = 251}, exact), "");
  EXPECT_THAT(doubt({.input = 110, .output = 400}, exact), HasSubstr("400 tokens of the answer"));
  EXPECT_THAT(doubt_usage({}, question, reply, {}), HasSubstr("no usage"));
}

TEST(Keys, GoToTheirFirmOnly) {
  EXPECT_EQ(key_variable("https://api.openai.com/v1"), "OPENAI_API_KEY");
  EXPECT_EQ(key_variable("https://api.anthropic.com"), "ANTHROPIC_API_KEY");
  EXPECT_EQ(key_variable("https://api.deepseek.com"), "DEEPSEEK_API_KEY");
  EXPECT_EQ(key_variable("https://api.openai.com.evil.example/"), "PONDER_API_KEY");
  EXPECT_EQ(key_variable("127.0.0.1:8080"), "PONDER_API_KEY");
}

}  // namespace
}  // namespace ponder
