#include "serve/prefix_store.hpp"

#include <gtest/gtest.h>

#include "serve/api_testing.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using testing::FakeBackend;
using testing::FakeServing;
using testing::kLong;
using testing::TempFolder;

// Waits for an answer that comes from the store's thread.
void wait_for(const testing::FakeExchange& exchange) {
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (!exchange.answered && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  ASSERT_TRUE(exchange.answered);
}

TEST(PrefixStore, SavesWhenThePromptIsComputed) {
  const TempFolder folder;
  FakeServing serving({.prefix_folder = folder.path()});
  const auto saved = serving.post("/v1/prefixes", {{"name", "rules"}, {"prompt", "Be brief."}});
  EXPECT_FALSE(saved->answered);
  EXPECT_EQ(serving.backend().requests.at(0).asked.prompt.size(), 9u);
  serving.backend().finish(0, 1);
  wait_for(*saved);
  EXPECT_EQ(saved->json()["id"], "fake/rules");
  EXPECT_EQ(saved->json()["tokens"], 9);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "fake" / "rules.prefix"));
  const OrderedJson list = serving.ask("GET", "/v1/prefixes")->json();
  EXPECT_EQ(list["data"].size(), 1u);
  EXPECT_EQ(list["data"][0]["name"], "rules");

  EXPECT_EQ(serving.ask("DELETE", "/v1/prefixes/fake/other")->answer.status, 404);
  EXPECT_EQ(serving.ask("DELETE", "/v1/prefixes/fake/rules")->answer.status, 200);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "fake" / "rules.prefix"));
}

TEST(PrefixStore, AConversationIsKeptWithoutTheMarkOfAnAnswer) {
  const TempFolder folder;
  FakeServing serving({.prefix_folder = folder.path()});
  const OrderedJson messages = {{{"role", "system"}, {"content", "Be brief."}}};
  serving.post("/v1/prefixes", {{"name", "a"}, {"messages", messages}});
  const std::vector<int32_t> prompt = serving.backend().requests.at(0).asked.prompt;
  serving.chat({{"messages", {messages[0], {{"role", "user"}, {"content", "Hi"}}}}});
  const std::vector<int32_t> longer = serving.backend().requests.at(1).asked.prompt;
  ASSERT_LT(prompt.size(), longer.size());
  EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), longer.begin()));
  serving.backend().finish(0, 1);
}

TEST(PrefixStore, Refusals) {
  const TempFolder folder;
  FakeServing serving({.prefix_folder = folder.path()});
  const auto status = [&](const OrderedJson& body) {
    return serving.post("/v1/prefixes", body)->answer.status;
  };
  for (const char* name : {"../a", "a/b", ".a", "a b", "", "\u00e9"})
    EXPECT_EQ(status({{"name", name}, {"prompt", "x"}}), 400) << name;
  EXPECT_EQ(status({{"name", "a"}, {"prompt", "x"}, {"model", "nobody"}}), 404);
  EXPECT_EQ(status({{"name", "a"}}), 400);
  EXPECT_EQ(status({{"name", "a"}, {"prompt", ""}}), 400);
  EXPECT_EQ(status({{"name", "a"}, {"prompt", "x"}, {"messages", OrderedJson::array()}}), 400);
  EXPECT_EQ(status({{"name", "a"}, {"prompt", std::string(5000, 'x')}}), 400) << "too long";
  EXPECT_EQ(status({{"name", "a"}, {"prompt", {1'000'000}}}), 400) << "no such token";
  EXPECT_EQ(serving.ask("DELETE", "/v1/prefixes/../secret")->answer.status, 404);
  EXPECT_TRUE(serving.backend().requests.empty());
  EXPECT_EQ(FakeServing().post("/v1/prefixes", {{"name", "a"}, {"prompt", "x"}})->answer.status,
            403);
}

TEST(PrefixStore, WhatTheEngineRefusesOrGivesUpIsAnError) {
  const TempFolder folder;
  FakeServing serving({.prefix_folder = folder.path()});
  const auto cut = serving.post("/v1/prefixes", {{"name", "a"}, {"prompt", "x"}});
  serving.backend().finish(0, 0, FinishReason::kCancelled);
  EXPECT_EQ(cut->answer.status, 503);
  serving.backend().refuse_after = 1;
  serving.backend().refusal = {.error = SubmitError::kQueueFull, .why = {.what = "full"}};
  EXPECT_EQ(serving.post("/v1/prefixes", {{"name", "a"}, {"prompt", "x"}})->answer.status, 503);
  EXPECT_TRUE(serving.ask("GET", "/v1/prefixes")->json()["data"].empty());
}

TEST(PrefixStore, ModelsAreNotUsedOnceTheServerIsGone) {
  const TempFolder folder;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::shared_ptr<testing::FakeExchange>> saved;
    {
      FakeServing serving({.prefix_folder = folder.path()});
      for (size_t i = 0; i < 8; ++i) {
        saved.push_back(
            serving.post("/v1/prefixes",
                         {{"name", std::string(1, static_cast<char>('a' + i))}, {"prompt", "x"}}));
        serving.backend().finish(i, 1);
      }
    }
    for (const auto& exchange : saved) {
      ASSERT_TRUE(exchange->answered);
      EXPECT_TRUE(exchange->answer.status == 200 || exchange->answer.status == 503);
    }
  }
}

TEST(PrefixStore, LoadsWhatIsWhole) {
  const TempFolder folder;
  folder.write("my_model/b.prefix", "prefix");
  folder.write("my_model/a.prefix", "damaged");
  folder.write("my_model/notes.txt", "prefix");
  folder.write("other/c.prefix", "prefix");
  FakeBackend backend;
  EXPECT_EQ(load_prefixes(folder.path(), "my model", backend), 1);
  EXPECT_EQ(load_prefixes(folder.path(), "unknown", backend), 0);
}

}  // namespace
}  // namespace ponder
