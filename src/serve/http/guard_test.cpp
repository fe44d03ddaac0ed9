// Key files, limits of keys, foreign hosts and origins.
#include "serve/http/guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "io/json.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

const Guard::Clock::time_point kStart{std::chrono::hours(1)};

std::unique_ptr<Guard> guard_of(GuardOptions options) {
  return std::move(Guard::create(std::move(options))).take_value();
}

HttpRequest request(HttpHeaders headers, std::string path = "/v1/models",
                    std::string method = "GET") {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.headers = std::move(headers);
  request.remote = "127.0.0.1";
  return request;
}

HttpHeaders bearer(const std::string& key) { return {{"authorization", "Bearer " + key}}; }

using Verdict = std::variant<Guard::Admitted, HttpResponse>;

// 0 if the request was let in.
int status(const Verdict& verdict) {
  const auto* refusal = std::get_if<HttpResponse>(&verdict);
  return refusal == nullptr ? 0 : refusal->status;
}

std::string header(const Verdict& verdict, std::string_view name) {
  const auto& headers =
      std::visit([](auto& either) -> const HttpHeaders& { return either.headers; }, verdict);
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(ApiKeys, AreReadFromText) {
  const std::string hash = hash_api_key("secret");
  EXPECT_EQ(hash, "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b");
  const auto keys = parse_api_keys(
      "# keys\n\n  alice:" + hash + " rpm=60 parallel=4 # hers\r\nsk-in-the-clear\n", "keys");
  ASSERT_TRUE(keys.ok()) << keys.error().message();
  ASSERT_EQ(keys.value().size(), 2u);
  EXPECT_EQ(keys.value()[0].name, "alice");
  EXPECT_EQ(keys.value()[0].hash, hash);
  EXPECT_EQ(keys.value()[0].per_minute, 60);
  EXPECT_EQ(keys.value()[0].parallel, 4);
  EXPECT_EQ(keys.value()[1].hash, hash_api_key("sk-in-the-clear"));
  EXPECT_EQ(keys.value()[1].name, "key-" + keys.value()[1].hash.substr(0, 8));
}

TEST(ApiKeys, RefuseWhatIsUnclear) {
  const std::string hash = hash_api_key("secret");
  for (const std::string& text :
       {std::string(), std::string("# none\n"), "alice:" + hash.substr(1),
        std::string("alice:secret-key"), ":" + hash,
        "alice:" + hash + "\nalice:" + hash_api_key("other"), "alice:" + hash + "\nbob:" + hash,
        "alice:" + hash + " rpm=0", "alice:" + hash + " rpm=x", "alice:" + hash + " rpm",
        "alice:" + hash + " parallel=-1", "alice:" + hash + " speed=9",
        "alice:" + hash + " rpm=99999999999", std::string("k\u00e9y")}) {
    const auto keys = parse_api_keys(text, "keys.txt");
    ASSERT_FALSE(keys.ok()) << text;
    EXPECT_THAT(keys.error().message(), HasSubstr("keys.txt"));
    EXPECT_EQ(keys.error().message().find("secret-key"), std::string::npos);
  }
}

TEST(Guard, AsksForAKey) {
  const auto guard = guard_of({.keys = {{.name = "alice", .hash = hash_api_key("k1")},
                                        {.name = "bob", .hash = hash_api_key("k2")}},
                               .open_paths = {"/health", "/web/*", "/"}});
  const auto verdict = guard->judge(request(bearer("k2")), kStart);
  ASSERT_EQ(status(verdict), 0);
  EXPECT_EQ(std::get<Guard::Admitted>(verdict).client, "bob");
  EXPECT_EQ(status(guard->judge(request({{"x-api-key", "k1"}}), kStart)), 0);
  EXPECT_EQ(status(guard->judge(request({{"authorization", "bearer  k1"}}), kStart)), 0);
  for (const HttpHeaders& headers :
       {HttpHeaders{}, bearer("k3"), bearer(""), bearer("k"), bearer("k11"),
        bearer(hash_api_key("k1")), HttpHeaders{{"authorization", "Basic k1"}},
        HttpHeaders{{"x-api-key", ""}}}) {
    const auto refused = guard->judge(request(headers), kStart);
    EXPECT_EQ(status(refused), 401);
    EXPECT_EQ(header(refused, "www-authenticate"), "Bearer");
    const auto body = Json::parse(std::get<HttpResponse>(refused).body);
    EXPECT_EQ(body["error"]["code"], "invalid_api_key");
    EXPECT_EQ(body["error"]["type"], "authentication_error");
    EXPECT_TRUE(body["error"]["param"].is_null());
  }
  for (const char* path : {"/health", "/", "/web/a.js"}) {
    EXPECT_EQ(status(guard->judge(request({}, path), kStart)), 0) << path;
  }
  for (const char* path : {"/health/x", "/web", "/metrics", "/healthy", "/v1/models"}) {
    EXPECT_EQ(status(guard->judge(request({}, path), kStart)), 401) << path;
  }
}

TEST(Guard, KeepsAKeyToItsRate) {
  const auto guard =
      guard_of({.keys = {{.name = "a", .hash = hash_api_key("k"), .per_minute = 6}}});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(status(guard->judge(request(bearer("k")), kStart)), 0);
  const auto refused = guard->judge(request(bearer("k")), kStart);
  EXPECT_EQ(status(refused), 429);
  EXPECT_EQ(header(refused, "retry-after"), "10");
  EXPECT_EQ(status(guard->judge(request(bearer("k")), kStart + seconds(9))), 429);
  EXPECT_EQ(status(guard->judge(request(bearer("k")), kStart + seconds(11))), 0);
  EXPECT_EQ(status(guard->judge(request(bearer("k")), kStart + seconds(11))), 429);
  // A long pause gives a minute's requests, not more.
  const auto later = kStart + std::chrono::hours(5);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(status(guard->judge(request(bearer("k")), later)), 0);
  EXPECT_EQ(status(guard->judge(request(bearer("k")), later)), 429);
}

TEST(Guard, KeepsAKeyToItsPlaces) {
  const auto guard = guard_of({.keys = {{.name = "a", .hash = hash_api_key("k"), .parallel = 2}}});
  auto first = guard->judge(request(bearer("k")), kStart);
  auto second = guard->judge(request(bearer("k")), kStart);
  const auto third = guard->judge(request(bearer("k")), kStart);
  EXPECT_EQ(status(first), 0);
  EXPECT_EQ(status(second), 0);
  EXPECT_EQ(status(third), 429);
  EXPECT_EQ(header(third, "retry-after"), "1");
  first = HttpResponse{};
  EXPECT_EQ(status(guard->judge(request(bearer("k")), kStart)), 0);
}

TEST(Guard, ReadsItsKeysAgain) {
  const testing::TempFolder folder;
  const auto file = folder.path() / "keys";
  ASSERT_TRUE(write_file(file, "old rpm=1\nstays rpm=1\n").ok());
  const auto guard = guard_of({.key_file = file});
  EXPECT_EQ(status(guard->judge(request(bearer("stays")), kStart)), 0);
  ASSERT_TRUE(write_file(file, "new\nstays rpm=1\n").ok());
  EXPECT_EQ(status(guard->judge(request(bearer("new")), kStart)), 401);
  ASSERT_TRUE(guard->reload().ok());
  EXPECT_EQ(status(guard->judge(request(bearer("old")), kStart)), 401);
  EXPECT_EQ(status(guard->judge(request(bearer("new")), kStart)), 0);
  EXPECT_EQ(status(guard->judge(request(bearer("stays")), kStart)), 429);  // still used up
  ASSERT_TRUE(write_file(file, "broken line:\n").ok());
  EXPECT_FALSE(guard->reload().ok());
  EXPECT_EQ(status(guard->judge(request(bearer("new")), kStart)), 0);
  EXPECT_FALSE(Guard::create({.key_file = folder.path() / "absent"}).ok());
}

TEST(Guard, WithoutKeysOnlyThisMachineMayBeNamed) {
  const auto guard = guard_of({.host = "127.0.0.1"});
  for (const char* host : {"localhost", "LOCALHOST:8080", "127.0.0.1:9", "[::1]:80", "127.1.2.3"}) {
    EXPECT_EQ(status(guard->judge(request({{"host", host}}), kStart)), 0) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.evil.example",
                           "localhost:80x", "[::1", "", "10.0.0.1", "localhost@evil"}) {
    EXPECT_EQ(status(guard->judge(request({{"host", host}}), kStart)), 403) << host;
  }
  const auto open = guard_of({.host = "0.0.0.0"});
  EXPECT_EQ(status(open->judge(request({{"host", "box.example"}}), kStart)), 0);
  const auto keyed = guard_of({.keys = {{.name = "a", .hash = hash_api_key("k")}}});
  auto headers = bearer("k");
  headers.emplace_back("host", "box.example");
  EXPECT_EQ(status(keyed->judge(request(headers), kStart)), 0);
}

TEST(Guard, ForeignPagesMayNotAsk) {
  const auto guard = guard_of({.origins = {"https://a.example", "http://localhost:*"}});
  const auto ask = [&](const std::string& origin, const std::string& method = "POST") {
    return guard->judge(request({{"host", "localhost:8080"},
                                 {"origin", origin},
                                 {"access-control-request-method", "POST"},
                                 {"access-control-request-headers", "authorization"}},
                                "/v1/models", method),
                        kStart);
  };
  EXPECT_EQ(status(ask("http://localhost:8080")), 0);
  EXPECT_EQ(status(ask("https://a.example")), 0);
  EXPECT_EQ(header(ask("https://a.example"), "access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(header(ask("http://localhost:3000"), "access-control-allow-origin"),
            "http://localhost:3000");
  EXPECT_EQ(status(ask("https://a.example", "OPTIONS")), 204);
  EXPECT_EQ(header(ask("https://a.example", "OPTIONS"), "access-control-allow-headers"),
            "authorization");
  for (const char* origin :
       {"https://evil.example", "null", "", "https://a.example.evil", "http://a.example",
        "http://localhost.evil.com", "http://localhost:3000.evil.com",
        "http://localhost:", "http://localhost@evil.com"}) {
    EXPECT_EQ(status(ask(origin)), 403) << origin;
    EXPECT_EQ(status(ask(origin, "OPTIONS")), 403) << origin;
    EXPECT_EQ(header(ask(origin), "access-control-allow-origin"), "") << origin;
  }
  const auto none = guard_of({});
  EXPECT_EQ(status(none->judge(
                request({{"host", "localhost:1"}, {"origin", "http://localhost:3000"}}), kStart)),
            403);
}

TEST(Guard, RefusalsOfAListedOriginCanBeRead) {
  const auto guard = guard_of(
      {.keys = {{.name = "a", .hash = hash_api_key("k")}}, .origins = {"https://a.example"}});
  const auto refused =
      guard->judge(request({{"origin", "https://a.example"}, {"host", "h"}}), kStart);
  EXPECT_EQ(status(refused), 401);
  EXPECT_EQ(header(refused, "access-control-allow-origin"), "https://a.example");
}

}  // namespace
}  // namespace ponder
