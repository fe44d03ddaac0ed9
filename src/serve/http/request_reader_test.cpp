// Requests from bytes: the same however they are cut, and none that is malformed.
#include "serve/http/request_reader.hpp"

#include <gtest/gtest.h>

namespace ponder {
namespace {

using State = RequestReader::State;

const std::string kHost = "Host: localhost\r\n";

// Feeds `bytes`, `step` at a time, until the request is read or refused.
State feed(RequestReader& reader, std::string_view bytes, size_t step,
           std::string* rest = nullptr) {
  std::string pending;
  while (true) {
    State state = reader.take(pending);
    if (state == State::kHeadDone) state = reader.take(pending);
    if (state == State::kDone || state == State::kFailed || bytes.empty()) break;
    pending += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  if (rest != nullptr) *rest = pending + std::string(bytes);
  return reader.state();
}

int status_of(const std::string& text, ReaderLimits limits = {}) {
  int status = -1;
  for (const size_t step : {size_t{1}, size_t{7}, size_t{100'000}}) {
    RequestReader reader(limits);
    const State state = feed(reader, text, step);
    const int found = state == State::kFailed ? reader.error().status
                      : state == State::kDone ? 200
                                              : 0;
    if (status == -1) status = found;
    EXPECT_EQ(found, status) << "in steps of " << step << ": " << text.substr(0, 200);
  }
  return status;
}

TEST(RequestReader, ReadsTheSameHoweverItIsCut) {
  const std::string text =
      "\r\nPOST /v1/a%20b?c=d HTTP/1.1\r\nHOST: localhost\r\nX-Thing:  a b \r\n"
      "Transfer-Encoding: Chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: no\r\n\r\nGET ";
  for (size_t step = 1; step <= text.size(); ++step) {
    RequestReader reader({});
    std::string rest;
    ASSERT_EQ(feed(reader, text, step, &rest), State::kDone) << step;
    const HttpRequest& request = reader.request();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/v1/a b");
    EXPECT_EQ(request.query, "c=d");
    EXPECT_EQ(request.header("host"), "localhost");
    EXPECT_EQ(request.header("x-thing"), "a b");
    EXPECT_FALSE(request.header("trailer"));
    EXPECT_EQ(request.body, "hello!");
    EXPECT_EQ(rest, "GET ");
    EXPECT_TRUE(reader.keep_alive());
  }
}

TEST(RequestReader, KnowsWhetherTheConnectionStays) {
  const auto stays = [](const std::string& line) {
    RequestReader reader({});
    EXPECT_EQ(feed(reader, line + "\r\n" + kHost + "\r\n", 1000), State::kDone);
    return reader.keep_alive();
  };
  EXPECT_TRUE(stays("GET / HTTP/1.1"));
  EXPECT_FALSE(stays("GET / HTTP/1.1\r\nConnection: close"));
  EXPECT_FALSE(stays("GET / HTTP/1.0"));
  EXPECT_TRUE(stays("GET / HTTP/1.0\r\nConnection: keep-alive"));
}

TEST(RequestReader, RefusesWhatIsMalformed) {
  const std::string get = "GET / HTTP/1.1\r\n" + kHost, post = "POST / HTTP/1.1\r\n" + kHost;
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n";
  for (const std::string& text : {
           std::string("hello\r\n\r\n"),
           std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n" + std::string(),
           get + kHost + "\r\n",
           get + "Bad Name: x\r\n\r\n",
           get + "NoColon\r\n\r\n",
           get + std::string("A: \0\r\n\r\n", 8),
           "GET / HTTP/2.0\r\n" + kHost + "\r\n",
           "GET / HTTP/1.1 x\r\n" + kHost + "\r\n",
           "GET /../x HTTP/1.1\r\n" + kHost + "\r\n",
           "GET /%00 HTTP/1.1\r\n" + kHost + "\r\n",
           "CONNECT h:1 HTTP/1.1\r\n" + kHost + "\r\n",
           post + "Content-Length: -1\r\n\r\n",
           post + "Content-Length: 1x\r\n\r\n",
           post + "Content-Length: 99999999999999999999999\r\n\r\n",
           post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
           post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           chunked + "Content-Length: 1\r\n\r\n",
           post + "Transfer-Encoding: gzip\r\n\r\n",
           post + "Transfer-Encoding: gzip, chunked\r\n\r\n",
           "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(),
           chunked + "\r\nxyz\r\n",
           chunked + "\r\n5\r\nhelloworld",
           chunked + "\r\n-5\r\nhello\r\n",
       }) {
    EXPECT_EQ(status_of(text), 400) << text;
  }
  EXPECT_EQ(status_of(post + "Expect: cake\r\nContent-Length: 1\r\n\r\n"), 417);
}

TEST(RequestReader, KeepsItsLimits) {
  const ReaderLimits limits{.head_bytes = 1000, .headers = 10, .body_bytes = 100};
  const std::string get = "GET / HTTP/1.1\r\n" + kHost, post = "POST / HTTP/1.1\r\n" + kHost;
  const auto many = [](size_t count) {
    std::string lines;
    for (size_t i = 0; i < count; ++i) lines += "A: b\r\n";
    return lines + "\r\n";
  };
  EXPECT_EQ(status_of(get + many(9), limits), 200);
  EXPECT_EQ(status_of(get + many(10), limits), 431);
  EXPECT_EQ(status_of(get + "A: " + std::string(900, 'a') + "\r\n\r\n", limits), 200);
  EXPECT_EQ(status_of(get + "A: " + std::string(1000, 'a') + "\r\n\r\n", limits), 431);
  EXPECT_EQ(status_of(get + "A: " + std::string(100'000, 'a'), limits), 431);
  EXPECT_EQ(status_of("GET /" + std::string(100'000, 'a'), limits), 431);
  EXPECT_EQ(status_of(post + "Content-Length: 100\r\n\r\n" + std::string(100, 'a'), limits), 200);
  EXPECT_EQ(status_of(post + "Content-Length: 101\r\n\r\n", limits), 413);
  EXPECT_EQ(status_of(post + "Content-Length: 68719476736\r\n\r\n", limits), 413);
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status_of(chunked + "ffffffffff\r\n", limits), 413);
  std::string bytes = chunked;
  for (int i = 0; i < 101; ++i) bytes += "1\r\na\r\n";
  EXPECT_EQ(status_of(bytes, limits), 413);
  EXPECT_EQ(status_of(chunked + "1;" + std::string(5000, 'x'), limits), 431);
  EXPECT_EQ(status_of(chunked + "0\r\nA: " + std::string(5000, 'x'), limits), 431);
}

TEST(RequestReader, AnIdIsTakenIfItIsSane) {
  EXPECT_EQ(request_id("abc-1.2_3:4"), "abc-1.2_3:4");
  for (const std::string& bad : {std::string(), std::string("a b"), std::string("a\r\nb"),
                                 std::string(129, 'a'), std::string("\u00e9")}) {
    EXPECT_TRUE(request_id(bad).starts_with("req_")) << bad;
  }
  EXPECT_NE(request_id(""), request_id(""));
}

}  // namespace
}  // namespace ponder
