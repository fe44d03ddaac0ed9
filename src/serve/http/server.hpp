// An HTTP/1.1 server that expects the worst of its clients: every size, count and time is bounded,
// and a peer that leaves is noticed at once. What is asked and answered is the handler's business
// (exchange.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "serve/http/exchange.hpp"
#include "serve/http/guard.hpp"
#include "serve/http/metrics.hpp"

namespace ponder {

struct HttpLimits {
  size_t head_bytes = 64 << 10;                  // request line and headers: 431
  size_t headers = 200;                          // 431
  uint64_t body_bytes = 32 << 20;                // 413
  uint64_t all_body_bytes = 512 << 20;           // of all requests under way: 503
  size_t stream_buffer_bytes = 4 << 20;          // of a stream that is not read: cut off
  size_t connections = 4096;                     // beyond: the longest idle is closed, else 503
  size_t connections_per_remote = 0;             // 0: no limit; beyond: 429
  std::chrono::milliseconds head_time{10'000};   // from its first byte to its end: 408
  std::chrono::milliseconds body_time{30'000};   // from the end of the head: 408
  std::chrono::milliseconds idle_time{60'000};   // between requests
  std::chrono::milliseconds write_time{30'000};  // in which 16 KiB, or all there is, must be read
  std::chrono::milliseconds keep_alive_time{10'000};  // pauses of a stream until a comment
  std::chrono::milliseconds linger_time{2'000};       // for the peer to read the last answer
};

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // an address, or a name of this machine
  uint16_t port = 0;               // 0: any that is free
  int threads = 4;  // that call the handler for requests with a body; one more for those without
  std::filesystem::path tls_certificate = {};  // PEM, the chain; both or none
  std::filesystem::path tls_key = {};
  HttpLimits limits = {};
  GuardOptions guard = {};
  std::shared_ptr<Metrics> metrics = {};  // ponder_http_…; made if absent
  // The label `route` of a path in the metrics: one of few. Absent: all are "other".
  std::function<std::string(std::string_view path)> route = {};
  // Gets a line of JSON for each request: {"time","request_id","remote","client","method","path",
  // "status","bytes","ms","aborted"}. From any thread. Absent: base/log.hpp.
  std::function<void(std::string_view)> access_log = {};
};

class ServerCore;

class HttpServer {
 public:
  // Listens when it returns. The handler is called on threads of the server's own: it may parse and
  // tokenize, but not wait for a model. HEAD reaches it as GET; the server leaves the body out.
  static Result<std::unique_ptr<HttpServer>> create(HttpServerOptions options, HttpHandler handler);
  ~HttpServer();  // cuts everything off

  uint16_t port() const;
  std::string address() const;  // "http://127.0.0.1:8080"

  // Closes the listener and idle connections at once; requests under way may finish within
  // `patience`, then they are cut. Blocks until then; true: all have finished.
  bool drain(std::chrono::milliseconds patience);
  // Ends a drain() that another thread waits for: everything is cut now.
  void stop();

  Result<void> reload();  // the key file; see Guard::reload()
  Metrics& metrics();

 private:
  explicit HttpServer(std::unique_ptr<ServerCore> core);
  std::unique_ptr<ServerCore> core_;
};

}  // namespace ponder
