// Clients that are slow, greedy, malformed or gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "serve/http/serving_testing.hpp"

namespace ponder {
namespace {

using namespace ponder::testing;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(HostileClient, MalformedRequestsAre400InOpenAisForm) {
  Serving serving;
  for (const std::string& text :
       {std::string("hello\r\n\r\n"), std::string("GET / HTTP/1.1\r\n\r\n"), get("/../etc/passwd"),
        get("/%2e%2e/%2e%2e/etc/passwd"), get("/%00"), get("/%ff"), get("/a", "Bad\x01: x\r\n"),
        post("/echo", "ab", "Transfer-Encoding: chunked\r\n")}) {
    Client client(serving.port(), text);
    const std::string answer = client.read_all();
    EXPECT_EQ(status_of(answer), 400) << text;
    EXPECT_THAT(answer, AllOf(HasSubstr("Connection: close"), HasSubstr("X-Request-Id: req_")));
    const Json error = body_of(answer)["error"];
    EXPECT_EQ(error["type"], "invalid_request_error");
    EXPECT_TRUE(error["param"].is_null());
    EXPECT_TRUE(error["message"].is_string());
  }
}

TEST(HostileClient, WhatIsTooLargeIsRefusedUnread) {
  Serving serving({.limits = {.body_bytes = 1 << 20}});
  Client announced(serving.port(),
                   "POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine\r\n"
                   "Content-Length: 68719476736\r\n\r\n");
  EXPECT_THAT(announced.read_answer(),
              AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("Id: mine\r\n")));
  EXPECT_EQ(serving.log_line(0)["path"], "/echo");
  // The answer is there even for one who goes on sending.
  Client sending(serving.port(),
                 "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string piece = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 40 && sending.send(piece); ++i) {
  }
  EXPECT_EQ(status_of(sending.read_answer()), 413);
  Client head(serving.port());
  head.send(get("/", "A: " + std::string(1 << 20, 'x') + "\r\n"));
  EXPECT_EQ(status_of(head.read_answer()), 431);
  std::string lines;
  for (int i = 0; i < 10'000; ++i) lines += "A:\r\n";
  Client flood(serving.port());
  flood.send(get("/", lines));
  EXPECT_EQ(status_of(flood.read_answer()), 431);
}

TEST(HostileClient, BodiesTogetherAreBounded) {
  Serving serving({.limits = {.all_body_bytes = 100'000}});
  Client first(serving.port(), post("/hold", std::string(60'000, 'x')));
  const auto exchange = serving.held();
  Client second(serving.port(), post("/echo", std::string(60'000, 'x')));
  EXPECT_THAT(second.read_answer(), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("retry-after: ")));
  exchange->respond({.body = "{}"});
  first.read_answer();
  Client third(serving.port(), post("/echo", std::string(60'000, 'x')));
  EXPECT_EQ(status_of(third.read_answer()), 200);
}

// Sends a byte now and then, until an answer comes.
std::string drip(Client& client, const std::string& text) {
  for (const char c : text) {
    if (!client.send({&c, 1}) || client.readable(2)) break;
  }
  return client.read_all();
}

TEST(HostileClient, SlowHeadsAndBodiesAre408) {
  Serving serving({.limits = {.head_time = milliseconds(60), .body_time = milliseconds(60)}});
  Client head(serving.port());
  EXPECT_EQ(status_of(drip(head, get("/" + std::string(5'000, 'x')))), 408);
  Client body(serving.port(),
              "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n");
  EXPECT_EQ(status_of(drip(body, std::string(5'000, 'x'))), 408);
  Client silent(serving.port(), "GET /");
  EXPECT_EQ(status_of(silent.read_all()), 408);
}

TEST(HostileClient, IdleConnectionsAreClosed) {
  Serving serving({.limits = {.idle_time = milliseconds(30)}});
  Client fresh(serving.port()), used(serving.port(), get("/echo"));
  used.read_answer();
  EXPECT_EQ(fresh.read_all(), "");
  EXPECT_EQ(used.read_all(), "");
}

TEST(HostileClient, AThousandIdleSocketsHarmNobody) {
  Serving serving;
  std::vector<Client> idle;
  for (int i = 0; i < 1'000; ++i) {
    idle.emplace_back(serving.port());
    ASSERT_TRUE(idle.back().connected());
    if (i % 3 == 0) idle.back().send("GET /ec");
  }
  Client client(serving.port(), get("/echo"));
  EXPECT_EQ(status_of(client.read_answer()), 200);
}

TEST(HostileClient, BeyondTheLimitTheLongestIdleGoes) {
  Serving serving({.limits = {.connections = 3}});
  Client first(serving.port(), get("/echo"));
  first.read_answer();
  Client second(serving.port(), get("/hold")), third(serving.port(), get("/hold"));
  const auto one = serving.held(), two = serving.held();
  Client fourth(serving.port(), get("/echo"));
  EXPECT_EQ(status_of(fourth.read_answer()), 200);
  EXPECT_EQ(first.read_all(), "");
  // Nobody is idle: the next is turned away.
  fourth.send(get("/hold"));
  const auto three = serving.held();
  Client fifth(serving.port());
  EXPECT_EQ(status_of(fifth.read_answer()), 503);
}

TEST(HostileClient, OneAddressCannotTakeAllConnections) {
  Serving serving({.limits = {.connections_per_remote = 2}});
  Client first(serving.port(), get("/echo")), second(serving.port(), get("/echo"));
  first.read_answer();
  second.read_answer();
  Client third(serving.port());
  EXPECT_THAT(third.read_answer(), AllOf(StartsWith("HTTP/1.1 429"), HasSubstr("retry-after: ")));
}

TEST(HostileClient, AHalfClosedPeerGetsItsWholeAnswer) {
  Serving serving;
  Client client(serving.port(), post("/hold", "x"));
  client.half_close();
  const auto exchange = serving.held();
  EXPECT_EQ(client.read(1), "H");  // sent ahead, to see whether the peer is still there
  exchange->respond({.body = std::string(1 << 20, 'x')});
  const std::string rest = client.read_all();
  EXPECT_THAT(rest, StartsWith("TTP/1.1 200 OK\r\n"));
  EXPECT_EQ(rest.size() - rest.find("\r\n\r\n") - 4, 1u << 20);
  Client stream(serving.port(), get("/stream"));
  stream.half_close();
  const auto streaming = serving.held();
  streaming->send("data: 1\n\n");
  streaming->finish();
  EXPECT_THAT(stream.read_all(), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("data: 1\n\n")));
  Client pipelined(serving.port(), post("/echo", "a") + post("/echo", "b"));
  pipelined.half_close();
  EXPECT_EQ(body_of(pipelined.read_answer())["body"], "a");
  EXPECT_EQ(body_of(pipelined.read_answer())["body"], "b");
  EXPECT_EQ(pipelined.read_all(), "");
  EXPECT_EQ(serving.gone(), 0);
}

TEST(HostileClient, APeerThatLeavesIsNoticed) {
  Serving serving;
  int gone = 0;
  for (const char* path : {"/hold", "/stream"}) {
    for (const bool reset : {false, true}) {
      for (const bool more : {false, true}) {  // with bytes of a next request unread
        Client client(serving.port(), post(path, "x") + (more ? "GET /n" : ""));
        const auto exchange = serving.held();
        reset ? client.reset() : client.close();
        EXPECT_TRUE(serving.wait_gone(++gone)) << path << reset << more;
        EXPECT_FALSE(exchange->send("data: x\n\n"));
        bool called = false;
        exchange->on_disconnect([&] { called = true; });
        EXPECT_TRUE(called);
        exchange->respond({.body = "{}"});
      }
    }
  }
  EXPECT_EQ(serving.log_line(0)["aborted"], true);
  EXPECT_EQ(serving.log_line(0)["status"], 499);
}

TEST(HostileClient, LeavingAtAnyByteHarmsNobody) {
  Serving serving;
  const std::string text =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n0\r\n\r\n";
  for (size_t length = 0; length <= text.size(); ++length) {
    Client closed(serving.port(), text.substr(0, length)),
        reset(serving.port(), text.substr(0, length));
    Client half(serving.port(), text.substr(0, length));
    closed.close();
    reset.reset();
    half.half_close();
    const int expected = length == 0 ? 0 : length < text.size() ? 400 : 200;
    EXPECT_EQ(status_of(half.read_all()), expected) << length;
  }
  EXPECT_TRUE(serving.server().drain(kLong));  // nothing is left over
}

TEST(HostileClient, AStreamThatIsNotReadIsCut) {
  Serving serving({.limits = {.stream_buffer_bytes = 1 << 20}});
  Client client(serving.port(), 4096);
  client.send(get("/stream"));
  const auto exchange = serving.held();
  const std::string piece = "data: " + std::string(64 << 10, 'x') + "\n\n";
  int sent = 0;
  while (exchange->send(piece)) ASSERT_LT(++sent, 10'000);
  EXPECT_TRUE(serving.wait_gone(1));
}

TEST(HostileClient, AnAnswerThatIsNotReadIsCut) {
  Serving serving({.limits = {.write_time = milliseconds(50)}});
  Client client(serving.port(), 4096);
  client.send(get("/hold"));
  const auto exchange = serving.held();
  exchange->respond({.body = std::string(64 << 20, 'x')});
  EXPECT_EQ(serving.log_line(0)["aborted"], true);
  EXPECT_TRUE(serving.wait_gone(1));
}

TEST(HostileClient, ManyRequestsAheadAreNotAllRead) {
  Serving serving;
  Client client(serving.port(), get("/hold"));
  const auto exchange = serving.held();
  const std::jthread sender([&] {
    for (int i = 0; i < 2'000; ++i) client.send(post("/echo", std::string(1'000, 'x')));
  });
  exchange->respond({.body = "{}"});
  client.read_answer();
  for (int i = 0; i < 2'000; ++i) ASSERT_EQ(status_of(client.read_answer()), 200) << i;
}

TEST(HostileClient, StrangersAtOnce) {
  Serving serving;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&serving, t] {
      for (int i = 0; i < 40; ++i) {
        Client client(serving.port(), i % 2 == 0 ? post("/echo", "x") : get("/stream"));
        if ((i + t) % 3 == 0) {
          client.reset();
        } else if (i % 2 == 0) {
          EXPECT_EQ(status_of(client.read_answer()), 200);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(serving.wait_gone(1));
  Client last(serving.port(), get("/echo"));
  EXPECT_EQ(status_of(last.read_answer()), 200);
}

}  // namespace
}  // namespace ponder
