// A server for tests whose handler is a table of paths, and what it has seen.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "io/json.hpp"
#include "serve/http/client_testing.hpp"
#include "serve/http/server.hpp"

namespace ponder::testing {

constexpr std::chrono::seconds kLong{20};  // for what must come; nothing waits for it to pass

inline std::string get(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}
inline std::string post(const std::string& path, const std::string& body,
                        const std::string& more = "") {
  return "POST " + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more + "\r\n" + body;
}

// Paths: /echo answers with the request as JSON; /hold and /stream keep their exchange for the
// test, the latter with a stream begun; /drop forgets its exchange; anything else is 404.
class Serving {
 public:
  explicit Serving(HttpServerOptions options = {}) {
    options.access_log = [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      log_.push_back(Json::parse(line));
      changed_.notify_all();
    };
    auto server = HttpServer::create(
        std::move(options),
        [this](std::shared_ptr<HttpExchange> exchange) { handle(std::move(exchange)); });
    EXPECT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(server).take_value();
  }
  ~Serving() {
    server_.reset();
    held_.clear();
  }

  HttpServer& server() { return *server_; }
  uint16_t port() const { return server_->port(); }
  void destroy_server() { server_.reset(); }

  // The exchange that /hold or /stream keeps, when it is there; it is then the test's.
  std::shared_ptr<HttpExchange> held() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kLong, [&] { return !held_.empty(); }));
    if (held_.empty()) return nullptr;
    auto exchange = std::move(held_.back());
    held_.pop_back();
    return exchange;
  }
  // Waits until the peers of `count` kept exchanges have gone.
  bool wait_gone(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLong, [&] { return gone_ >= count; });
  }
  int gone() {
    const std::lock_guard lock(mutex_);
    return gone_;
  }
  // The n-th line of the access log.
  Json log_line(size_t n) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kLong, [&] { return log_.size() > n; }));
    return log_.size() > n ? log_[n] : Json();
  }

 private:
  void handle(std::shared_ptr<HttpExchange> exchange) {
    const HttpRequest& request = exchange->request();
    if (request.path == "/echo") {
      const Json body = {{"method", request.method}, {"path", request.path},
                         {"query", request.query},   {"body", request.body},
                         {"id", request.request_id}, {"client", request.client}};
      exchange->respond({.body = body.dump(-1, ' ', false, Json::error_handler_t::replace)});
    } else if (request.path == "/hold" || request.path == "/stream") {
      if (request.path == "/stream") exchange->start_stream();
      exchange->on_disconnect([this] {
        const std::lock_guard lock(mutex_);
        ++gone_;
        changed_.notify_all();
      });
      const std::lock_guard lock(mutex_);
      held_.push_back(std::move(exchange));
      changed_.notify_all();
    } else if (request.path != "/drop") {
      exchange->respond({.status = 404, .body = "{}"});
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<HttpExchange>> held_;
  std::vector<Json> log_;
  int gone_ = 0;
  std::unique_ptr<HttpServer> server_;
};

// The JSON of an answer's body.
inline Json body_of(const std::string& answer) {
  const size_t at = answer.find("\r\n\r\n");
  return at == answer.npos ? Json() : Json::parse(answer.substr(at + 4), nullptr, false);
}

inline int status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

}  // namespace ponder::testing
