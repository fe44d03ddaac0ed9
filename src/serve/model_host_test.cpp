#include "serve/model_host.hpp"

#include <gtest/gtest.h>

#include <condition_variable>

#include "serve/api_testing.hpp"
#include "serve/response_store.hpp"

namespace ponder {
namespace {

using testing::fake_model;
using testing::FakeBackend;
using testing::kLong;
using Taken = Result<std::shared_ptr<const ServedModel>>;

// Loads are counted, and fail while told so.
class Hosting {
 public:
  explicit Hosting(ModelHostOptions options) {
    options.load = [this](const std::string& name,
                          const ProgressSink&) -> Result<std::unique_ptr<ServedModel>> {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !held_; });
      ++loads_;
      if (failing_) return Failure{{.what = "broken file"}};
      auto backend = std::make_unique<FakeBackend>();
      backend->counted.generated_tokens = 7;
      return fake_model(name, std::move(backend));
    };
    host_ = std::make_unique<ModelHost>(std::move(options));
  }

  Taken take(const std::string& name) {
    std::optional<Taken> taken;
    host_->acquire(name, [&](Taken result) {
      const std::lock_guard lock(mutex_);
      taken = std::move(result);
      changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kLong, [&] { return taken.has_value(); }));
    return *std::move(taken);
  }
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void fail(bool failing) {
    const std::lock_guard lock(mutex_);
    failing_ = failing;
  }
  int loads() {
    const std::lock_guard lock(mutex_);
    return loads_;
  }
  ModelHost& host() { return *host_; }
  std::unique_ptr<ModelHost>& owner() { return host_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false, failing_ = false;
  int loads_ = 0;
  std::unique_ptr<ModelHost> host_;
};

TEST(ModelHost, LoadsOnceWhenFirstAskedFor) {
  Hosting hosting({.names = {"a", "b"}});
  EXPECT_FALSE(hosting.host().ready());
  EXPECT_EQ(hosting.loads(), 0);
  EXPECT_EQ(hosting.take("").value()->name, "a");
  EXPECT_EQ(hosting.take("a").value()->name, "a");
  EXPECT_EQ(hosting.loads(), 1);
  EXPECT_TRUE(hosting.host().ready());
  EXPECT_EQ(hosting.host().statuses()[1].state, ModelHost::State::kUnloaded);
  EXPECT_EQ(hosting.take("b").value()->name, "b");
  EXPECT_EQ(hosting.take("c").error().where, "model");
}

TEST(ModelHost, RequestsWaitForLoadingUpToABound) {
  Hosting hosting({.names = {"a"}, .most_waiting = 2});
  hosting.hold(true);
  std::atomic<int> taken{0};
  for (int i = 0; i < 2; ++i)
    hosting.host().acquire("a", [&](const Taken& result) { taken += result.ok(); });
  EXPECT_EQ(hosting.take("a").error().where, "queue");
  hosting.hold(false);
  while (taken < 2) std::this_thread::yield();
  EXPECT_EQ(hosting.loads(), 1);
}

TEST(ModelHost, AFailureIsToldAndTriedAgain) {
  Hosting hosting({.names = {"a"}});
  hosting.fail(true);
  EXPECT_EQ(hosting.take("a").error().where, "loading");
  EXPECT_EQ(hosting.host().statuses()[0].problem, "broken file");
  hosting.fail(false);
  EXPECT_TRUE(hosting.take("a").ok());
}

TEST(ModelHost, IdleModelsGoAndTheirCountersStay) {
  Hosting hosting({.names = {"a"}, .idle_unload = std::chrono::seconds(1)});
  {
    const auto held = hosting.take("a");
    EXPECT_EQ(hosting.host().stats("a").generated_tokens, 7u);
  }
  while (hosting.host().statuses()[0].state != ModelHost::State::kUnloaded)
    std::this_thread::yield();
  EXPECT_EQ(hosting.host().stats("a").generated_tokens, 7u);
  EXPECT_TRUE(hosting.host().ready()) << "it comes back when asked for";
  EXPECT_TRUE(hosting.take("a").ok());
  EXPECT_EQ(hosting.host().stats("a").generated_tokens, 14u);
}

TEST(ModelHost, WhoWaitsIsToldWhenItStops) {
  Hosting hosting({.names = {"a", "b"}});
  hosting.hold(true);
  std::string told;
  hosting.host().preload();
  hosting.host().acquire("b", [&](const Taken& result) {
    if (!result.ok()) told = result.error().where;
  });
  std::thread release([&] { hosting.hold(false); });
  hosting.owner().reset();
  release.join();
  EXPECT_TRUE(told == "queue" || hosting.loads() == 2);
}

TEST(ResponseStore, TheOldestGoFirst) {
  ResponseStore store(2, 10'000);
  for (const char* id : {"1", "2", "3"}) store.put(id, {.client = "c", .messages = {}, .body = {}});
  EXPECT_FALSE(store.get("1", "c"));
  EXPECT_TRUE(store.get("3", "c"));
  EXPECT_FALSE(store.get("3", "d"));
  store.put("4", {.client = "c",
                  .messages = {{.role = "user", .content = std::string(9'000, 'x')}},
                  .body = {}});
  store.put("5", {.client = "c",
                  .messages = {{.role = "user", .content = std::string(5'000, 'x')}},
                  .body = {}});
  EXPECT_FALSE(store.get("4", "c")) << "bytes are bounded too";
  EXPECT_TRUE(store.get("5", "c"));
  store.put("6", {.client = "c",
                  .messages = {{.role = "user", .content = std::string(20'000, 'x')}},
                  .body = {}});
  EXPECT_FALSE(store.get("6", "c")) << "larger than the store";
  EXPECT_TRUE(store.get("5", "c"));
  EXPECT_FALSE(store.remove("9", "c"));
}

}  // namespace
}  // namespace ponder
