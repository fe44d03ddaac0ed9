// Addresses, redirects, tokens and broken answers.
#include "io/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sha256.hpp"
#include "testing/http_server.hpp"

namespace ponder {
namespace {

using ::testing::HasSubstr;
using testing::HttpServer;

struct Got {
  Result<void> result;
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;

  std::string error() const { return result.ok() ? "" : result.error().message(); }
};

Got get(HttpGet request) {
  Got got;
  got.result = http_get(request, {.head = [&](const HttpHead& response) -> Result<void> {
                                    got.status = response.status;
                                    got.headers = response.headers;
                                    return {};
                                  },
                                  .body = [&](std::span<const std::byte> bytes) -> Result<void> {
                                    got.body.append(reinterpret_cast<const char*>(bytes.data()),
                                                    bytes.size());
                                    return {};
                                  }});
  return got;
}

Got get(const std::string& address, const std::string& token = "") {
  HttpGet request;
  request.url = Url::parse(address).value();
  request.token = token;
  request.patience = std::chrono::seconds(5);
  return get(request);
}

std::string field(const HttpServer::Request& request, const char* name) {
  return std::string(request[name]);
}

TEST(Url, Parses) {
  const Url url = Url::parse("HTTPS://Host.Example/a/b?c=d#e").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "host.example");
  EXPECT_EQ(url.port, "443");
  EXPECT_EQ(url.target, "/a/b?c=d");
  EXPECT_EQ(Url::parse("http://h:8080").value().text(), "http://h:8080/");
  EXPECT_EQ(Url::parse("http://h?q").value().target, "/?q");
  EXPECT_EQ(Url::parse("http://[::1]:80/x").value().host, "::1");
  EXPECT_TRUE(Url::parse("http://[::1]").value().loopback());
  EXPECT_FALSE(Url::parse("http://localhost.example").value().loopback());
}

TEST(Url, Refuses) {
  for (const char* text :
       {"", "http", "https", "http:", "http:/", "huggingface.co", "ftp://h/", "file:///etc/passwd",
        "http://", "http:///x", "http://user@h/", "http://h:x/", "http://h:123456/", "http://h:/",
        "http://[::1/", "http://[::1]x/", "http://h/a b", "http://h/\r\nX: y", "http://h/\x7f"}) {
    EXPECT_FALSE(Url::parse(text).ok()) << text;
  }
}

TEST(Url, FollowsLocations) {
  const Url url = Url::parse("https://h:1/a").value();
  EXPECT_EQ(url.follow("/b?x").value().text(), "https://h:1/b?x");
  EXPECT_EQ(url.follow("//g/b").value().text(), "https://g:443/b");
  EXPECT_EQ(url.follow("http://g/b").value().text(), "http://g:80/b");
  EXPECT_FALSE(url.follow("b").ok());
}

TEST(PercentEncode, KeepsOnlyPlainCharacters) {
  EXPECT_EQ(percent_encode("a/B-9._~"), "a/B-9._~");
  EXPECT_EQ(percent_encode("a b%?#ä"), "a%20b%25%3F%23%C3%A4");
}

TEST(Sha256, KnownValues) {  // FIPS 180-4, and the empty message
  Sha256 empty;
  EXPECT_EQ(empty.hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 abc;
  abc.update(std::as_bytes(std::span("abc", 1)));
  abc.update(std::as_bytes(std::span("bc", 2)));
  EXPECT_EQ(abc.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HttpGet, Body) {
  const std::string body(300000, 'x');
  const HttpServer server(
      [&](const auto&) { return HttpServer::reply("200 OK", body, "ETag: e\r\n"); });
  const Got got = get(server.address() + "/f?q");
  EXPECT_EQ(got.error(), "");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, body);
  EXPECT_EQ(got.headers.at("etag"), "e");
  EXPECT_EQ(server.requests()[0].target(), "/f?q");
  EXPECT_EQ(field(server.requests()[0], "Range"), "");
}

TEST(HttpGet, ChunkedAndUnboundedBodies) {
  const HttpServer server([](const HttpServer::Request& request) -> std::string {
    if (request.target() == "/chunked") {
      return "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
             "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    }
    return "HTTP/1.1 200 OK\r\n\r\nabcde";
  });
  EXPECT_EQ(get(server.address() + "/chunked").body, "abcde");
  EXPECT_EQ(get(server.address() + "/unbounded").body, "abcde");
}

TEST(HttpGet, TruncatedBody) {
  const HttpServer server(
      [](const auto&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"; });
  const Got got = get(server.address());
  EXPECT_THAT(got.error(), HasSubstr("downloading failed"));
  EXPECT_EQ(got.body, "abc");  // what arrived is handed on
}

TEST(HttpGet, BrokenAnswers) {
  for (const std::string& answer :
       {std::string(""), std::string("nonsense\r\n\r\n"), std::string("HTTP/1.1 200 OK\r\n"),
        "HTTP/1.1 200 OK\r\nX: " + std::string(100000, 'x') + "\r\n\r\n",
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
    const HttpServer server([&](const auto&) { return answer; });
    EXPECT_NE(get(server.address()).error(), "") << answer.substr(0, 50);
  }
}

TEST(HttpGet, NobodyAnswers) {
  std::string address;
  {
    const HttpServer server([](const auto&) { return ""; });
    address = server.address();
  }
  EXPECT_THAT(get(address).error(), HasSubstr("connecting failed"));
}

TEST(HttpGet, SilentServer) {
  const HttpServer server([](const auto&) {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    return "";
  });
  HttpGet request;
  request.url = Url::parse(server.address()).value();
  request.patience = std::chrono::seconds(1);
  EXPECT_THAT(get(request).error(), HasSubstr("waiting for the answer failed"));
}

TEST(HttpGet, Redirects) {
  const HttpServer server([](const HttpServer::Request& request) {
    if (request.target() == "/a") return HttpServer::redirect("/b", "X-Linked-Etag: \"h\"\r\n");
    if (request.target() == "/b") return HttpServer::redirect("/c?signed=1", "Etag: \"other\"\r\n");
    return HttpServer::reply("200 OK", "here");
  });
  const Got got = get(server.address() + "/a");
  EXPECT_EQ(got.error(), "");
  EXPECT_EQ(got.body, "here");
  EXPECT_EQ(got.headers.at("x-linked-etag"), "\"h\"");
  EXPECT_EQ(got.headers.count("etag"), 0u);
}

TEST(HttpGet, RedirectLoopEnds) {
  const HttpServer server([](const auto&) { return HttpServer::redirect("/again"); });
  EXPECT_THAT(get(server.address()).error(), HasSubstr("more than 10 redirects"));
  EXPECT_EQ(server.requests().size(), 11u);
}

TEST(HttpGet, RedirectToNowhere) {
  for (const char* location : {"file:///etc/passwd", "gopher://x", "http://u@h/", "relative"}) {
    const HttpServer server([&](const auto&) { return HttpServer::redirect(location); });
    EXPECT_THAT(get(server.address()).error(), HasSubstr("address")) << location;
  }
}

TEST(HttpGet, TokenStaysWithItsHost) {
  const HttpServer other([](const auto&) { return HttpServer::reply("200 OK", "other"); });
  const HttpServer server([&](const HttpServer::Request& request) {
    if (request.target() == "/away") return HttpServer::redirect(other.address());
    if (request.target() == "/near") return HttpServer::redirect("/end");
    return HttpServer::reply("200 OK", "end");
  });
  EXPECT_EQ(get(server.address() + "/near", "secret").body, "end");
  EXPECT_EQ(field(server.requests()[0], "Authorization"), "Bearer secret");
  EXPECT_EQ(field(server.requests()[1], "Authorization"), "Bearer secret");
  EXPECT_EQ(get(server.address() + "/away", "secret").body, "other");
  EXPECT_EQ(field(other.requests()[0], "Authorization"), "");
}

TEST(HttpGet, TlsNeedsATlsServer) {
  const HttpServer server([](const auto&) { return ""; });
  const std::string address = "https" + server.address().substr(4);
  EXPECT_NE(get(address).error(), "");
}

TEST(HttpGet, ReceiverEndsIt) {
  const HttpServer server([](const auto&) { return HttpServer::reply("200 OK", "body"); });
  HttpGet request;
  request.url = Url::parse(server.address()).value();
  bool body = false;
  const auto result = http_get(
      request, {.head = [](const HttpHead&) -> Result<void> { return Failure{{.what = "enough"}}; },
                .body = [&](std::span<const std::byte>) -> Result<void> {
                  body = true;
                  return {};
                }});
  EXPECT_EQ(result.error().message(), "enough");
  EXPECT_FALSE(body);
}

}  // namespace
}  // namespace ponder
