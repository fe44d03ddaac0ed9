#include "serve/api.hpp"

#include <gtest/gtest.h>

#include "serve/api_testing.hpp"
#include "serve/embeddings.hpp"
#include "serve/schemas.hpp"

namespace ponder {
namespace {

using testing::FakeExchange;
using testing::FakeServing;

std::string content_of(const OrderedJson& chunk) {
  return chunk["choices"][0]["delta"].value("content", "");
}

TEST(Api, AnAnswerAtOnce) {
  FakeServing serving;
  const auto exchange = serving.chat({{"max_tokens", 9}, {"seed", 5}, {"priority", 3}});
  const GenerationRequest& asked = serving.backend().requests.at(0).asked;
  EXPECT_EQ(asked.max_tokens, 9);
  EXPECT_EQ(asked.sampling.seed, 5u);
  EXPECT_EQ(asked.priority, 3);
  EXPECT_EQ(asked.client, "me");
  EXPECT_FALSE(exchange->answered);
  EXPECT_TRUE(serving.backend().say(0, "héllo"));
  serving.backend().finish(0, 6);
  const OrderedJson answer = exchange->json();
  EXPECT_EQ(answer["choices"][0]["message"]["content"], "héllo");
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(answer["choices"][0]["logprobs"], nullptr);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], asked.prompt.size());
  EXPECT_EQ(answer["usage"]["completion_tokens"], 6);
  EXPECT_EQ(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 2);
  EXPECT_EQ(answer["seed"], 5);
  EXPECT_EQ(answer["timings"]["predicted_ms"], 2000.0);
}

TEST(Api, AStreamNeverHasHalfACharacter) {
  FakeServing serving;
  const auto exchange = serving.chat({{"stream", true}});
  EXPECT_TRUE(exchange->streaming) << "a client is told at once that it is served";
  serving.backend().say(0, "a世🙂");
  serving.backend().finish(0, 8, FinishReason::kLength);
  const auto events = exchange->events();
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[0]["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(content_of(events[1]) + "|" + content_of(events[2]) + "|" + content_of(events[3]),
            "a|世|🙂");
  EXPECT_EQ(events[4]["choices"][0]["delta"], OrderedJson::object());
  EXPECT_EQ(events[4]["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(events[5], "[DONE]");
  EXPECT_TRUE(exchange->finished);
}

TEST(Api, AStopStringEndsTheChoiceAndIsNotShown) {
  FakeServing serving;
  const auto exchange =
      serving.chat({{"stream", true}, {"stop", "END"}, {"logprobs", true}, {"top_logprobs", 1}});
  EXPECT_FALSE(serving.backend().say(0, "abEcEND"));
  serving.backend().finish(0, 7);
  std::string text;
  std::string bytes;
  for (const OrderedJson& event : exchange->events()) {
    if (!event.is_object()) continue;
    text += content_of(event);
    const OrderedJson& tokens = event["choices"][0]["logprobs"];
    if (tokens.is_object())
      for (const OrderedJson& token : tokens["content"]) bytes += token["token"].get<std::string>();
  }
  EXPECT_EQ(text, "abEc");
  EXPECT_EQ(bytes, text);
}

TEST(Api, ThoughtsHaveFieldsOfTheirOwn) {
  FakeServing serving({.chat_template = "deepseek-r1"});
  const auto exchange = serving.chat();
  const Tokenizer tokenizer = tokenizer_with({"<think>", "</think>", "<tool_call>", "</tool_call>"},
                                             {"<|im_start|>", "<|im_end|>"});
  serving.backend().say(0, "hm");
  serving.backend().say_token(0, *tokenizer.find("</think>"));
  serving.backend().say(0, "\n\n42");
  serving.backend().finish(0, 7);
  const OrderedJson answer = exchange->json();
  EXPECT_EQ(answer["choices"][0]["message"]["content"], "42");
  EXPECT_EQ(answer["choices"][0]["message"]["reasoning_content"], "hm");
  EXPECT_EQ(answer["choices"][0]["message"]["reasoning"], "hm");
  EXPECT_EQ(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 3);
}

TEST(Api, CallsAreStreamedPieceByPiece) {
  FakeServing serving;
  OrderedJson fields = {{"stream", true}};
  fields["tools"][0] = {{"type", "function"}, {"function", {{"name", "f"}}}};
  const auto exchange = serving.chat(fields);
  ASSERT_TRUE(exchange->streaming) << exchange->answer.body;
  serving.backend().say(0,
                        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>");
  serving.backend().finish(0, 50);
  std::string arguments;
  int begun = 0;
  for (const OrderedJson& event : exchange->events()) {
    if (!event.is_object() || !event["choices"][0]["delta"].contains("tool_calls")) continue;
    const OrderedJson& call = event["choices"][0]["delta"]["tool_calls"][0];
    begun += call.contains("id");
    arguments += call["function"]["arguments"].get<std::string>();
  }
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(arguments, "{\"a\": 1}");
  EXPECT_NE(exchange->sent.find("\"finish_reason\":\"tool_calls\""), std::string::npos);
}

TEST(Api, TheBestChoicesAreKept) {
  FakeServing serving;
  const auto exchange = serving.chat({{"best_of", 3}, {"n", 2}});
  EXPECT_EQ(serving.backend().requests.at(0).asked.choices, 3);
  EXPECT_EQ(serving.backend().requests.at(0).asked.likely, 0);
  const float probabilities[] = {-3.0f, -1.0f, -2.0f};
  for (int choice = 0; choice < 3; ++choice) {
    serving.backend().say_token(0, 'a' + choice, probabilities[choice], choice);
    serving.backend().finish(0, 1, FinishReason::kStop, choice);
  }
  const OrderedJson answer = exchange->json();
  ASSERT_EQ(answer["choices"].size(), 2u);
  EXPECT_EQ(answer["choices"][0]["message"]["content"], "b");
  EXPECT_EQ(answer["choices"][1]["message"]["content"], "c");
  EXPECT_EQ(answer["choices"][1]["index"], 1);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 3) << "what was thrown away was generated too";
}

TEST(Api, ManyPromptsAreOneAnswer) {
  FakeServing serving;
  const auto exchange =
      serving.post("/v1/completions", {{"prompt", {"a", "b"}}, {"n", 2}, {"echo", true}});
  ASSERT_EQ(serving.backend().requests.size(), 2u);
  for (const size_t prompt : {1, 0})
    for (const int choice : {1, 0}) {
      serving.backend().say(prompt, prompt == 0 ? "x" : "y", choice);
      serving.backend().finish(prompt, 1, FinishReason::kStop, choice);
    }
  const OrderedJson answer = exchange->json();
  std::string texts;
  for (const OrderedJson& choice : answer["choices"]) texts += choice["text"].get<std::string>();
  EXPECT_EQ(texts, "axaxbyby");
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 4);
}

TEST(Api, WhatTheEngineRefusesIsAStatusEvenOfAStream) {
  FakeServing serving;
  const std::pair<SubmitError, int> cases[] = {{SubmitError::kQueueFull, 429},
                                               {SubmitError::kStopping, 503},
                                               {SubmitError::kTooLong, 400},
                                               {SubmitError::kInvalid, 400}};
  serving.backend().refuse_after = 0;
  for (const auto& [error, status] : cases) {
    serving.backend().refusal = {.error = error, .why = {.what = "no"}};
    const auto exchange = serving.chat({{"stream", true}});
    EXPECT_FALSE(exchange->streaming);
    EXPECT_EQ(exchange->answer.status, status);
  }
}

TEST(Api, WhenALaterPromptIsRefusedTheOthersAreCancelled) {
  FakeServing serving;
  serving.backend().refuse_after = 1;
  serving.backend().refusal = {.error = SubmitError::kQueueFull, .why = {.what = "full"}};
  const auto exchange = serving.post("/v1/completions", {{"prompt", {"a", "b"}}});
  EXPECT_EQ(exchange->answer.status, 429);
  EXPECT_EQ(serving.backend().cancelled, (std::set<uint64_t>{1}));
  serving.backend().finish(0, 0, FinishReason::kCancelled);
}

TEST(Api, AnErrorBeforeAndInAStream) {
  FakeServing serving;
  const auto whole = serving.chat();
  serving.backend().requests[0].sink->on_error({.what = "broken"});
  EXPECT_EQ(whole->answer.status, 500);
  const auto stream = serving.chat({{"stream", true}});
  serving.backend().say(1, "a");
  serving.backend().requests[1].sink->on_error({.what = "broken"});
  EXPECT_EQ(stream->events().back()["error"]["message"], "broken");
  EXPECT_TRUE(stream->finished);
  const auto stopped = serving.chat();
  serving.backend().finish(2, 0, FinishReason::kCancelled);
  EXPECT_EQ(stopped->answer.status, 503) << "the server was stopped";
}

TEST(Api, AClientThatLeavesCancels) {
  FakeServing serving;
  const auto told = serving.chat({{"stream", true}});
  told->leave();
  EXPECT_EQ(serving.backend().cancelled, (std::set<uint64_t>{1}));
  EXPECT_TRUE(serving.backend().say(0, "a")) << "the engine ends it by the cancellation";
  serving.backend().finish(0, 1, FinishReason::kCancelled);
  const auto noticed = serving.chat({{"stream", true}});
  noticed->gone = true;
  serving.backend().say(1, "a");
  EXPECT_EQ(serving.backend().cancelled, (std::set<uint64_t>{1, 2}));
}

TEST(Api, PromptsThatDoNotFit) {
  FakeServing serving({.context = 40});
  const auto exchange = serving.chat({{"stream", true}});
  EXPECT_EQ(exchange->answer.status, 400);
  EXPECT_EQ(exchange->json()["error"]["code"], "context_length_exceeded");
  EXPECT_EQ(exchange->json()["error"]["param"], "messages");
}

TEST(Api, AnthropicsEventsInOrder) {
  FakeServing serving({.chat_template = "deepseek-r1"});
  const auto exchange = serving.post(
      "/v1/messages",
      {{"messages", {{{"role", "user"}, {"content", "Hi"}}}}, {"max_tokens", 9}, {"stream", true}});
  serving.backend().say(0, "hm");
  serving.backend().say_token(
      0, *tokenizer_with({"<think>", "</think>"}, {"<|im_start|>", "<|im_end|>"}).find("</think>"));
  serving.backend().say(0, "ok");
  serving.backend().finish(0, 5);
  std::string kinds;
  for (const OrderedJson& event : exchange->events()) {
    kinds += event["type"].get<std::string>();
    if (event.contains("index")) kinds += " " + event["index"].dump();
    kinds += "\n";
  }
  EXPECT_EQ(kinds,
            "message_start\nping\n"
            "content_block_start 0\ncontent_block_delta 0\ncontent_block_delta 0\n"
            "content_block_stop 0\n"
            "content_block_start 1\ncontent_block_delta 1\ncontent_block_delta 1\n"
            "content_block_stop 1\n"
            "message_delta\nmessage_stop\n");
  EXPECT_EQ(exchange->events().back()["type"], "message_stop");
}

TEST(Api, ResponsesAreStoredForTheirClientOnly) {
  FakeServing serving;
  const auto first = serving.post("/v1/responses", {{"input", "one"}, {"instructions", "secret"}});
  serving.backend().say(0, "two");
  serving.backend().finish(0, 3);
  const auto id = first->json()["id"].get<std::string>();
  const OrderedJson more = {{"input", "three"}, {"previous_response_id", id}};
  serving.post("/v1/responses", more);
  const std::string prompt = tokenizer_with({"<think>", "</think>", "<tool_call>", "</tool_call>"},
                                            {"<|im_start|>", "<|im_end|>"})
                                 .decode(serving.backend().requests.at(1).asked.prompt);
  EXPECT_NE(prompt.find("one"), std::string::npos);
  EXPECT_LT(prompt.find("two"), prompt.find("three"));
  EXPECT_EQ(prompt.find("secret"), std::string::npos) << "instructions are not carried over";
  EXPECT_EQ(serving.ask("POST", "/v1/responses", more.dump(), "other")->answer.status, 404);
  EXPECT_EQ(serving.ask("GET", "/v1/responses/" + id, "", "other")->answer.status, 404);
  EXPECT_EQ(serving.ask("GET", "/v1/responses/" + id)->json()["id"], id);
  EXPECT_EQ(serving.ask("DELETE", "/v1/responses/" + id)->json()["deleted"], true);
  EXPECT_EQ(serving.ask("GET", "/v1/responses/" + id)->answer.status, 404);
}

TEST(Api, Guides) {
  FakeServing serving({.chat_template = "deepseek-r1"});
  serving.chat();
  EXPECT_FALSE(serving.backend().requests[0].asked.make_guide);
  serving.chat({{"max_thinking_tokens", 4}});
  ASSERT_TRUE(serving.backend().requests[1].asked.make_guide);
  serving.chat({{"guided_choice", {"a", "b"}}});
  ASSERT_TRUE(serving.backend().requests[2].asked.make_guide);
  const auto guide = serving.backend().requests[1].asked.make_guide();
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(guide->forced());
    guide->accept('x');
  }
  EXPECT_TRUE(guide->forced()) << "the budget is spent";
}

TEST(Api, RoutesAndMethods) {
  FakeServing serving;
  EXPECT_EQ(serving.ask("GET", "/health")->json()["status"], "ok");
  EXPECT_EQ(serving.ask("GET", "/ready")->answer.status, 200);
  EXPECT_EQ(serving.ask("GET", "/models")->json()["data"][0]["id"], "fake");
  EXPECT_EQ(serving.ask("GET", "/v1/models/")->answer.status, 200);
  EXPECT_EQ(serving.ask("GET", "/v1/models/fake")->json()["max_model_len"], 4096);
  EXPECT_EQ(serving.ask("GET", "/v1/models/none")->answer.status, 404);
  EXPECT_EQ(serving.ask("PUT", "/v1/models")->answer.status, 405);
  EXPECT_EQ(serving.ask("GET", "/nothing")->answer.status, 404);
  EXPECT_EQ(serving.chat({{"model", "none"}})->json()["error"]["code"], "model_not_found");
  EXPECT_EQ(Api::route_of("/v1/models/a"), "/v1/models/{id}");
  EXPECT_EQ(Api::route_of("/chat/completions"), "/v1/chat/completions");
  EXPECT_EQ(Api::route_of("/who/knows"), "other");
  EXPECT_EQ(serving.ask("POST", "/v1/messages", "{")->json()["type"], "error");
  EXPECT_NE(serving.ask("GET", "/metrics")->answer.body.find("ponder_kv_pages"), std::string::npos);
}

TEST(Api, RoutesAreDescribed) {
  const OrderedJson document = openapi_document("1");
  const OrderedJson& schemas = document["components"]["schemas"];
  EXPECT_EQ(schemas.size(), request_schemas().size() + answer_schemas().size())
      << "names are unique";
  for (const Api::Route& route : Api::routes()) {
    EXPECT_TRUE(route.schema.empty() || request_schemas().contains(std::string(route.schema)));
    EXPECT_TRUE(route.reply.empty() || answer_schemas().contains(std::string(route.reply)));
  }
  const OrderedJson& chat = document["paths"]["/v1/chat/completions"]["post"]["responses"];
  EXPECT_TRUE(chat["200"]["content"].contains("text/event-stream"));
  EXPECT_EQ(chat["429"]["content"]["application/json"]["schema"]["$ref"],
            "#/components/schemas/Error");
  EXPECT_TRUE(
      document["paths"]["/metrics"]["get"]["responses"]["200"]["content"].contains("text/plain"));
}

TEST(Api, RefusalsHaveTheFormOfTheirApi) {
  const HttpError error{.status = 401, .message = "who?", .code = "invalid_api_key"};
  for (const char* path : {"/v1/messages", "/messages/", "/v1/messages/count_tokens"}) {
    const OrderedJson body = OrderedJson::parse(Api::refusal_of(path, error).body);
    EXPECT_EQ(body["type"], "error") << path;
    EXPECT_EQ(body["error"]["type"], "authentication_error") << path;
  }
  for (const char* path : {"/v1/chat/completions", "/", ""})
    EXPECT_EQ(OrderedJson::parse(Api::refusal_of(path, error).body)["error"]["code"],
              "invalid_api_key")
        << path;
}

TEST(Api, EmbeddingsInBothForms) {
  FakeServing serving;
  const auto plain = serving.post("/v1/embeddings", {{"input", {"a", "bc"}}, {"pooling", "mean"}});
  EXPECT_EQ(plain->json()["data"].size(), 2u);
  EXPECT_EQ(plain->json()["usage"]["total_tokens"], 3);
  EXPECT_EQ(serving.backend().embedded[0].pooling, Pooling::kMean);
  const auto packed =
      serving.post("/v1/embeddings", {{"input", "a"}, {"encoding_format", "base64"}});
  EXPECT_EQ(packed->json()["data"][0]["embedding"], base64_floats({0.6f, -0.8f}));
  EXPECT_EQ(base64_floats({1.0f}), "AACAPw==");
  EXPECT_EQ(base64_floats({1.0f, 1.0f, 1.0f}), "AACAPwAAgD8AAIA/");
  EXPECT_EQ(base64_floats({}), "");
}

}  // namespace
}  // namespace ponder
