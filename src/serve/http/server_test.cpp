// What a well-behaved client gets, over real sockets.
#include "serve/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/http/errors.hpp"
#include "serve/http/serving_testing.hpp"
#include "testing/temp_folder.hpp"

namespace ponder {
namespace {

using namespace ponder::testing;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Server, AnswersManyRequestsOnOneConnection) {
  Serving serving;
  Client client(serving.port());
  for (int i = 0; i < 3; ++i) {
    client.send(post("/echo?a=b", "text", "X-Request-Id: id-" + std::to_string(i) + "\r\n"));
    const std::string answer = client.read_answer();
    EXPECT_THAT(answer,
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Connection: keep-alive"),
                      HasSubstr("X-Request-Id: id-" + std::to_string(i) + "\r\n"),
                      HasSubstr("X-Content-Type-Options: nosniff\r\n"),
                      HasSubstr("Content-Type: application/json\r\n")));
    const Json body = body_of(answer);
    EXPECT_EQ(body["method"], "POST");
    EXPECT_EQ(body["query"], "a=b");
    EXPECT_EQ(body["body"], "text");
    EXPECT_EQ(body["client"], "127.0.0.1");
  }
  client.send(get("/nothing", "Connection: close\r\n"));
  EXPECT_THAT(client.read_all(),
              AllOf(StartsWith("HTTP/1.1 404 Not Found\r\n"), HasSubstr("Connection: close"),
                    HasSubstr("X-Request-Id: req_")));
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  Serving serving;
  std::string all;
  for (int i = 0; i < 50; ++i) all += post("/echo", std::to_string(i));
  Client client(serving.port(), all);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(body_of(client.read_answer())["body"], std::to_string(i));
}

TEST(Server, HeadHasNoBody) {
  Serving serving;
  Client client(serving.port(), "HEAD /echo HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/nothing"));
  EXPECT_THAT(client.read_until("\r\n\r\n"), Not(HasSubstr("Content-Length: 0")));
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 404"));  // at once, no body before it
  EXPECT_EQ(serving.log_line(0)["method"], "HEAD");
  Client stream(serving.port(),
                "HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/nothing"));
  EXPECT_THAT(stream.read_until("\r\n\r\n"), HasSubstr("text/event-stream"));
  EXPECT_THAT(stream.read_answer(), StartsWith("HTTP/1.1 404"));
  EXPECT_FALSE(serving.held()->send("data: x\n\n"));
}

TEST(Server, SaysContinue) {
  Serving serving;
  Client client(serving.port(),
                "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ab");
  EXPECT_EQ(body_of(client.read_answer())["body"], "ab");
  client.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 413"));
}

TEST(Server, StreamsEvents) {
  Serving serving;
  Client client(serving.port(), get("/stream"));
  const auto exchange = serving.held();
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Transfer-Encoding: chunked"),
                    HasSubstr("Content-Type: text/event-stream")));
  EXPECT_TRUE(exchange->send("data: 1\n\n"));
  EXPECT_EQ(client.read_until("1\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
  EXPECT_TRUE(exchange->send("data: [DONE]\n\n"));
  exchange->finish();
  EXPECT_FALSE(exchange->send("more"));
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
  client.send(get("/echo"));
  EXPECT_EQ(status_of(client.read_answer()), 200);
  EXPECT_EQ(serving.gone(), 0);
  EXPECT_EQ(serving.log_line(0)["aborted"], false);
}

TEST(Server, Http10HasNoChunks) {
  Serving serving;
  Client client(serving.port(), "GET /stream HTTP/1.0\r\n\r\n");
  const auto exchange = serving.held();
  exchange->send("data: 1\n\n");
  exchange->finish();
  EXPECT_THAT(client.read_all(), AllOf(Not(HasSubstr("chunked")), HasSubstr("Connection: close"),
                                       EndsWith("\r\n\r\ndata: 1\n\n")));
  Client kept(serving.port(), "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(kept.read_answer(), HasSubstr("Connection: keep-alive"));
}

TEST(Server, SendsCommentsInPauses) {
  Serving serving({.limits = {.keep_alive_time = std::chrono::milliseconds(5)}});
  Client client(serving.port(), get("/stream"));
  const auto exchange = serving.held();
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_until("\n\n\r\n"), "e\r\n: keep-alive\n\n\r\n");
  EXPECT_EQ(client.read_until("\n\n\r\n"), "e\r\n: keep-alive\n\n\r\n");
  exchange->finish();
  EXPECT_THAT(client.read_until("0\r\n\r\n"), EndsWith("0\r\n\r\n"));
}

TEST(Server, AnUnansweredExchangeIs500) {
  Serving serving;
  Client client(serving.port(), get("/drop"));
  const std::string answer = client.read_answer();
  EXPECT_EQ(status_of(answer), 500);
  EXPECT_EQ(body_of(answer)["error"]["type"], "server_error");
  Client stream(serving.port(), get("/stream"));
  serving.held().reset();  // a stream that is given up must not look complete
  EXPECT_THAT(stream.read_all(), Not(HasSubstr("\r\n0\r\n")));
}

TEST(Server, ALargeAnswerArrivesWhole) {
  Serving serving;
  Client client(serving.port(), get("/hold"));
  const auto exchange = serving.held();
  exchange->respond({.content_type = "text/plain", .body = std::string(20 << 20, 'x')});
  exchange->respond({.body = "twice"});
  const std::string answer = client.read_answer();
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 20u << 20);
}

TEST(Server, ValuesOfHeadersCannotBeginLines) {
  Serving serving;
  Client client(serving.port(), get("/hold"));
  serving.held()->respond({.body = "{}",
                           .headers = {{"location", "a\r\nX-Evil: 1"},
                                       {"bad name", "x"},
                                       {"content-length", "99"},
                                       {"retry-after", "7"}}});
  EXPECT_THAT(client.read_answer(),
              AllOf(HasSubstr("location: a  X-Evil: 1\r\n"), Not(HasSubstr("bad name")),
                    Not(HasSubstr("ength: 99")), HasSubstr("retry-after: 7\r\n")));
}

TEST(Server, AsksForKeysBeforeTheBody) {
  Serving serving(
      {.guard = {.keys = {{.name = "alice", .hash = hash_api_key("k"), .parallel = 1}}}});
  Client stranger(serving.port(),
                  "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  const std::string refused = stranger.read_all();
  EXPECT_EQ(status_of(refused), 401);
  EXPECT_THAT(refused, HasSubstr("www-authenticate: Bearer\r\n"));
  const std::string key = "Authorization: Bearer k\r\n";
  Client held(serving.port(), get("/hold", key));
  const auto exchange = serving.held();
  EXPECT_EQ(exchange->request().client, "alice");
  Client second(serving.port(), get("/echo", key));
  EXPECT_EQ(status_of(second.read_answer()), 429);
  second.send(get("/health"));  // open, on the same connection
  EXPECT_EQ(status_of(second.read_answer()), 404);
  exchange->respond({.body = "{}"});
  held.read_answer();
  held.send(get("/echo", key));  // the place is free again
  EXPECT_EQ(status_of(held.read_answer()), 200);
}

TEST(Server, RefusesInTheFormThatItIsGiven) {
  GuardOptions guard{.keys = {{.name = "alice", .hash = hash_api_key("k")}}};
  guard.refusal = [](std::string_view path, HttpError error) {
    return HttpResponse{.status = error.status, .body = "no " + std::string(path) + error.code};
  };
  Serving serving({.guard = guard});
  EXPECT_THAT(Client(serving.port(), get("/a")).read_answer(), EndsWith("no /ainvalid_api_key"));
  EXPECT_THAT(Client(serving.port(), "nonsense\r\n\r\n").read_all(),
              AllOf(StartsWith("HTTP/1.1 400 "), EndsWith("no ")));
}

TEST(Server, ListedOriginsGetTheirHeaders) {
  Serving serving({.guard = {.origins = {"https://a.example"}}});
  Client client(serving.port(), get("/echo", "Origin: https://a.example\r\n"));
  EXPECT_THAT(client.read_answer(),
              HasSubstr("access-control-allow-origin: https://a.example\r\n"));
  client.send(
      "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\n"
      "Access-Control-Request-Method: POST\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 204"), HasSubstr("access-control-allow-methods"),
                    Not(HasSubstr("Content-Length"))));
  client.send(get("/echo", "Origin: https://b.example\r\n"));
  EXPECT_EQ(status_of(client.read_answer()), 403);
  client.send("GET /echo HTTP/1.1\r\nHost: rebound.example\r\n\r\n");
  EXPECT_EQ(status_of(client.read_answer()), 403);
}

TEST(Server, LogsAndCounts) {
  Serving serving({.route = [](std::string_view path) {
    return path == "/echo" ? std::string(path) : std::string("other");
  }});
  Client client(serving.port(), post("/echo?secret=1", "my prompt"));
  client.read_answer();
  client.send(get("/x/y"));
  client.read_answer();
  const Json line = serving.log_line(0);
  EXPECT_EQ(line["path"], "/echo");
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["remote"], "127.0.0.1");
  EXPECT_GT(line["bytes"], 100);
  EXPECT_THAT(line.dump(), AllOf(Not(HasSubstr("prompt")), Not(HasSubstr("secret"))));
  serving.log_line(1);
  EXPECT_THAT(serving.server().metrics().text(),
              AllOf(HasSubstr("ponder_http_requests_total{route=\"/echo\",status=\"200\"} 1\n"),
                    HasSubstr("ponder_http_requests_total{route=\"other\",status=\"404\"} 1\n"),
                    HasSubstr("ponder_http_request_seconds_count{route=\"/echo\"} 1\n"),
                    HasSubstr("ponder_http_connections 1\n"),
                    HasSubstr("ponder_http_requests_active 0\n")));
}

TEST(Server, DrainsWhatIsUnderWay) {
  Serving serving;
  Client idle(serving.port(), get("/echo"));
  idle.read_answer();
  Client stream(serving.port(), get("/stream"));
  const auto exchange = serving.held();
  bool drained = false;
  std::thread draining([&] { drained = serving.server().drain(kLong); });
  EXPECT_EQ(idle.read_all(), "");  // closed at once
  EXPECT_FALSE(Client(serving.port()).connected());
  EXPECT_TRUE(exchange->send("data: late\n\n"));
  exchange->finish();
  EXPECT_THAT(stream.read_all(), EndsWith("data: late\n\n\r\n0\r\n\r\n"));
  draining.join();
  EXPECT_TRUE(drained);
}

TEST(Server, DrainCutsWhatDoesNotEnd) {
  Serving serving;
  Client stream(serving.port(), get("/stream"));
  const auto exchange = serving.held();
  EXPECT_FALSE(serving.server().drain(std::chrono::milliseconds(1)));
  EXPECT_TRUE(serving.wait_gone(1));
  EXPECT_FALSE(exchange->send("data: x\n\n"));
}

TEST(Server, StopEndsADrain) {
  Serving serving;
  Client stream(serving.port(), get("/stream"));
  const auto exchange = serving.held();
  bool drained = true;
  std::thread draining([&] { drained = serving.server().drain(std::chrono::hours(1)); });
  serving.server().stop();
  draining.join();
  EXPECT_FALSE(drained && serving.gone() == 0);
  EXPECT_TRUE(serving.wait_gone(1));
}

TEST(Server, ExchangesMayOutliveTheServer) {
  Serving serving;
  Client stream(serving.port(), get("/stream")), held(serving.port(), get("/hold"));
  const auto first = serving.held(), second = serving.held();
  serving.destroy_server();
  EXPECT_EQ(serving.gone(), 2);
  first->send("data: x\n\n");
  second->respond({.body = "{}"});
  bool called = false;
  first->on_disconnect([&] { called = true; });
  EXPECT_TRUE(called);
}

TEST(Server, LocalhostIsEveryAddressOfIt) {
  Serving serving({.host = "localhost"});
  Client client(serving.port(), get("/echo"));
  EXPECT_EQ(status_of(client.read_answer()), 200);
  EXPECT_EQ(serving.server().address(), "http://localhost:" + std::to_string(serving.port()));
}

TEST(Server, SaysWhyItCannotListen) {
  Serving serving;
  const auto refusal = [](HttpServerOptions options) {
    auto server = HttpServer::create(std::move(options), [](auto) {});
    return server.ok() ? "" : server.error().message();
  };
  EXPECT_THAT(refusal({.port = serving.port()}), HasSubstr("another port"));
  EXPECT_THAT(refusal({.host = "192.0.2.1"}), HasSubstr("192.0.2.1"));
  EXPECT_THAT(refusal({.host = "no such host"}), HasSubstr("no such host"));
  EXPECT_THAT(refusal({.guard = {.key_file = "/nonexistent/keys"}}),
              HasSubstr("/nonexistent/keys"));
}

}  // namespace
}  // namespace ponder
