// One HTTP request and its answer, as handlers see them: they know nothing of sockets, and tests
// can give them an exchange of their own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ponder {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;      // "GET" …
  std::string path;        // decoded, absolute, without "." and ".." segments
  std::string query;       // after '?', not decoded
  HttpHeaders headers;     // names in lower case
  std::string body;        // complete, within the limit
  std::string request_id;  // sent back as x-request-id
  std::string remote;      // address of the peer
  std::string client;      // id of the API key, or `remote` where keys are not asked for

  // The value of a header; nothing if it is absent. `name` in lower case.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  HttpHeaders headers = {};  // besides those that the server sets
};

// All functions may be called from any thread, and never block. What is sent after the peer has
// gone is dropped. An exchange that is destroyed unanswered answers 500.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  virtual const HttpRequest& request() const = 0;

  // The whole answer, at once. Once, and not after start_stream().
  virtual void respond(HttpResponse response) = 0;

  // An answer of server-sent events: start_stream(), send() as often as wanted, finish(). The
  // server sends keep-alive comments in pauses. `text` is sent as it is, "data: …\n\n" included.
  // False: the peer is gone, or reads so slowly that its buffer overflows (it is then cut off).
  virtual void start_stream(HttpHeaders headers = {}) = 0;
  virtual bool send(std::string text) = 0;
  virtual void finish() = 0;

  // Called once, from a thread of the server, when the peer has gone before the answer was
  // complete; at once if it has gone already. A peer that only closed its sending side has not.
  virtual void on_disconnect(std::function<void()> call) = 0;
};

using HttpHandler = std::function<void(std::shared_ptr<HttpExchange>)>;

}  // namespace ponder
