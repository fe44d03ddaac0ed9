#include "serve/requests.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

template <typename Request>
Request parsed(const std::string& body, const char* schema,
               Result<Request> (*parse)(const OrderedJson&)) {
  const auto json = parse_body(body, schema);
  EXPECT_TRUE(json.ok()) << body << (json.ok() ? "" : json.error().message());
  auto request = parse(json.value());
  EXPECT_TRUE(request.ok()) << body << (request.ok() ? "" : request.error().message());
  return std::move(request).take_value();
}

ChatRequest chat(const std::string& fields,
                 const std::string& messages = R"([{"role":"user","content":"Hi"}])") {
  return parsed("{\"messages\":" + messages + (fields.empty() ? "" : ",") + fields + "}",
                "ChatCompletionRequest", parse_chat_request);
}

ResponseRequest response(const OrderedJson& body) {
  auto request = parse_response_request(body);
  EXPECT_TRUE(request.ok());
  return std::move(request).take_value();
}

TEST(Requests, DefaultsOfAChat) {
  const ChatRequest request = chat("");
  EXPECT_EQ(request.generation.max_tokens, -1);
  EXPECT_EQ(request.generation.choices, 1);
  EXPECT_EQ(request.generation.likely, -1);
  EXPECT_FALSE(request.generation.stream || request.generation.sampling.seed);
  EXPECT_TRUE(request.add_generation_prompt);
  const SamplingOptions thinks = make_sampling(request.generation.sampling, true, 7);
  EXPECT_EQ(thinks.temperature, 0.6f);
  EXPECT_EQ(thinks.top_p, 0.95f);
  EXPECT_EQ(thinks.seed, 7u);
  const SamplingOptions plain = make_sampling(request.generation.sampling, false, 7);
  EXPECT_EQ(plain.temperature, 0.7f);
  EXPECT_EQ(plain.top_k, 20);
}

TEST(Requests, SamplingFields) {
  const ChatRequest request = chat(
      R"("temperature":0,"top_k":-1,"top_p":0.5,"min_p":0.1,"typical_p":0.9,"seed":7,
         "presence_penalty":1,"frequency_penalty":-1,"repeat_penalty":1.1,
         "logit_bias":{"5":-100,"0":2.5})");
  const SamplingOptions options = make_sampling(request.generation.sampling, true, 1);
  EXPECT_EQ(options.temperature, 0.0f);
  EXPECT_EQ(options.top_k, 0);
  EXPECT_EQ(options.top_p, 0.5f);
  EXPECT_EQ(options.min_p, 0.1f);
  EXPECT_EQ(options.typical_p, 0.9f);
  EXPECT_EQ(options.presence_penalty, 1.0f);
  EXPECT_EQ(options.frequency_penalty, -1.0f);
  EXPECT_EQ(options.repeat_penalty, 1.1f);
  EXPECT_EQ(options.seed, 7u);
  EXPECT_EQ(options.logit_bias, (std::vector<std::pair<int32_t, float>>{{5, -100.0f}, {0, 2.5f}}));
}

TEST(Requests, Limits) {
  EXPECT_EQ(chat(R"("max_tokens":5)").generation.max_tokens, 5);
  EXPECT_EQ(chat(R"("max_tokens":5,"max_completion_tokens":6)").generation.max_tokens, 6);
  EXPECT_EQ(chat(R"("max_tokens":9e15)").generation.max_tokens, 9'000'000'000'000'000);
  EXPECT_EQ(chat(R"("n":3)").generation.best_of, 3);
  EXPECT_EQ(chat(R"("stop":"a")").generation.stop, std::vector<std::string>{"a"});
  EXPECT_EQ(chat(R"("stop":["a","b"])").generation.stop.size(), 2u);
  EXPECT_EQ(chat(R"("logprobs":true)").generation.likely, 0);
  EXPECT_EQ(chat(R"("logprobs":true,"top_logprobs":4)").generation.likely, 4);
  EXPECT_EQ(chat(R"("seed":18446744073709551615)").generation.sampling.seed, UINT64_MAX);
  EXPECT_EQ(chat(R"("seed":-2)").generation.sampling.seed, UINT64_MAX - 1);
  EXPECT_FALSE(chat(R"("seed":-1)").generation.sampling.seed) << "as with llama-server: random";
}

TEST(Requests, Thinking) {
  EXPECT_FALSE(chat("").thinking.enabled);
  EXPECT_EQ(chat(R"("reasoning_effort":"low")").thinking.budget, 1024);
  EXPECT_EQ(chat(R"("reasoning_effort":"none")").thinking.enabled, false);
  EXPECT_FALSE(chat(R"("reasoning_effort":"xhigh")").thinking.budget);
  EXPECT_EQ(chat(R"("max_thinking_tokens":5,"reasoning_effort":"high")").thinking.budget, 5);
  EXPECT_EQ(chat(R"("max_thinking_tokens":0)").thinking.enabled, false);
  EXPECT_EQ(chat(R"("chat_template_kwargs":{"enable_thinking":false})").thinking.enabled, false);
}

TEST(Requests, Messages) {
  const ChatRequest request = chat("", R"([
      {"role":"developer","content":"Be brief."},
      {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
      {"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[
        {"id":"1","type":"function","function":{"name":"f","arguments":"{\"z\":1,\"a\":2}"}}]},
      {"role":"tool","tool_call_id":"1","content":"42"}])");
  ASSERT_EQ(request.messages.size(), 4u);
  EXPECT_EQ(request.messages[0].role, "system");
  EXPECT_EQ(request.messages[1].content, "a\nb");
  EXPECT_EQ(request.messages[2].reasoning, "hm");
  EXPECT_EQ(request.messages[2].tool_calls[0].arguments, R"({"z":1,"a":2})");
  EXPECT_EQ(request.messages[3].tool_call_id, "1");
}

TEST(Requests, ToolsKeepTheOrderOfTheirKeys) {
  const ChatRequest request = chat(
      R"("tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":
         {"type":"object","properties":{"z":{},"a":{}}}}}],"tool_choice":"required")");
  ASSERT_EQ(request.tools.size(), 1u);
  EXPECT_EQ(request.tools[0].parameters.dump(),
            R"({"type":"object","properties":{"z":{},"a":{}}})");
  EXPECT_EQ(request.tool_choice.kind, ToolChoice::Kind::kRequired);
  EXPECT_TRUE(request.strict_tools);
  EXPECT_FALSE(request.parallel_calls);
}

TEST(Requests, FormsOfTheAnswer) {
  using Kind = OutputFormat::Kind;
  EXPECT_EQ(chat(R"("response_format":{"type":"text"})").format.kind, Kind::kText);
  EXPECT_EQ(chat(R"("response_format":{"type":"json_object"})").format.kind, Kind::kJsonObject);
  const OutputFormat format =
      chat(R"("response_format":{"type":"json_schema","json_schema":{"schema":{"b":1,"a":2}}})")
          .format;
  EXPECT_EQ(format.kind, Kind::kJsonSchema);
  EXPECT_EQ(format.schema.dump(), R"({"b":1,"a":2})");
  EXPECT_EQ(format.where, "response_format.json_schema.schema");
  EXPECT_EQ(chat(R"("guided_regex":"a+")").format.text, "a+");
  EXPECT_EQ(chat(R"("structured_outputs":{"choice":["a","b"]})").format.choices.size(), 2u);
  EXPECT_EQ(chat(R"("guided_json":"{\"type\":\"object\"}")").format.schema["type"], "object");
  EXPECT_EQ(chat(R"("structured_outputs":{"json_object":false})").format.kind, Kind::kText);
}

TEST(Requests, WhatContradictsItselfIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("top_logprobs":3)", "top_logprobs"},
      {R"("stream_options":{})", "stream_options"},
      {R"("n":3,"best_of":2)", "best_of"},
      {R"("stream":true,"best_of":2)", "best_of"},
      {R"("guided_regex":"a","guided_choice":["a"])", "guided_choice"},
      {R"("tool_choice":"required")", "tool_choice"},
      {R"("continue_final_message":true)", "continue_final_message"},
      {R"("logit_bias":{"x":1})", "logit_bias"},
      {R"("logit_bias":{"-1":1})", "logit_bias"},
      {R"("logit_bias":{"99999999999":1})", "logit_bias"}};
  for (const auto& [fields, where] : cases) {
    const auto body =
        parse_body(std::string(R"({"messages":[{"role":"user","content":"Hi"}],)") + fields + "}",
                   "ChatCompletionRequest");
    ASSERT_TRUE(body.ok()) << fields;
    const auto request = parse_chat_request(body.value());
    ASSERT_FALSE(request.ok()) << fields;
    EXPECT_EQ(request.error().where, where);
  }
}

TEST(Requests, FieldsOfOtherApisAreUnknown) {
  const ChatRequest request = chat(
      R"("text":{"format":{"type":"json_schema"}},"stop_sequences":5,"max_output_tokens":"x",
         "include":1,"thinking":[],"reasoning":{"effort":5})");
  EXPECT_EQ(request.format.kind, OutputFormat::Kind::kText);
  EXPECT_EQ(request.generation.max_tokens, -1);
  EXPECT_TRUE(request.generation.stop.empty());
}

TEST(Requests, Completions) {
  const auto complete = [](const std::string& body) {
    return parsed(body, "CompletionRequest", parse_completion_request);
  };
  EXPECT_EQ(complete(R"({"prompt":"a"})").prompts.size(), 1u);
  EXPECT_EQ(std::get<1>(complete(R"({"prompt":[1,2.0]})").prompts[0]),
            (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(complete(R"({"prompt":["a",[1]]})").prompts.size(), 2u);
  EXPECT_EQ(complete(R"({"prompt":"a","logprobs":0})").generation.likely, 0);
  EXPECT_TRUE(complete(R"({"prompt":"a","suffix":"","echo":true})").echo);
}

TEST(Requests, AnthropicsMessages) {
  const ChatRequest request = parsed(R"({"max_tokens":5,"system":[{"type":"text","text":"s"}],
      "stop_sequences":["x"],"thinking":{"type":"enabled","budget_tokens":9},"messages":[
      {"role":"user","content":"q"},
      {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":""},
        {"type":"text","text":"a"},{"type":"tool_use","id":"1","name":"f","input":{"b":1}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"r"},
        {"type":"text","text":"more"}]}]})",
                                     "MessageRequest", parse_message_request);
  ASSERT_EQ(request.messages.size(), 5u);
  EXPECT_EQ(request.messages[0].role, "system");
  EXPECT_EQ(request.messages[2].reasoning, "t");
  EXPECT_EQ(request.messages[2].tool_calls[0].arguments, R"({"b":1})");
  EXPECT_EQ(request.messages[3].role, "tool");
  EXPECT_EQ(request.messages[4].content, "more");
  EXPECT_EQ(request.thinking.budget, 9);
  EXPECT_EQ(request.generation.stop.front(), "x");
  EXPECT_FALSE(request.continue_final_message);
}

TEST(Requests, ItemsOfResponsesBecomeTurns) {
  const OrderedJson body = OrderedJson::parse(R"({"instructions":"i","input":[
      {"role":"user","content":"q"},
      {"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"t"}]},
      {"type":"function_call","call_id":"1","name":"f","arguments":"{}"},
      {"type":"function_call_output","call_id":"1","output":"r"}]})");
  const ChatRequest request = response(body).chat;
  ASSERT_EQ(request.messages.size(), 4u);
  EXPECT_EQ(request.messages[0].content, "i");
  EXPECT_EQ(request.messages[2].reasoning, "t");
  EXPECT_EQ(request.messages[2].tool_calls.size(), 1u);
  EXPECT_EQ(request.messages[3].content, "r");
}

}  // namespace
}  // namespace ponder
