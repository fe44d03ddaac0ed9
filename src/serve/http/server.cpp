#include "serve/http/server.hpp"

#include "serve/http/server_core.hpp"

namespace ponder {

HttpServer::HttpServer(std::unique_ptr<ServerCore> core) : core_(std::move(core)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::create(HttpServerOptions options,
                                                       HttpHandler handler) {
  GuardOptions guard_options = options.guard;
  guard_options.host = options.host;
  auto guard = PONDER_TRY(Guard::create(std::move(guard_options)));
  try {
    auto core =
        std::make_unique<ServerCore>(std::move(options), std::move(handler), std::move(guard));
    PONDER_TRY(core->listen());
    core->start();
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(core)));
  } catch (const std::exception& exception) {  // of Boost: no threads, no descriptors
    return Failure{{.what = exception.what(), .where = "HTTP server"}};
  }
}

uint16_t HttpServer::port() const { return core_->port; }

std::string HttpServer::address() const {
  const auto& host = core_->options.host;
  const std::string shown = host.find(':') == host.npos ? host : "[" + host + "]";
  return (core_->tls() != nullptr ? "https://" : "http://") + shown + ":" +
         std::to_string(core_->port);
}

bool HttpServer::drain(std::chrono::milliseconds patience) { return core_->drain(patience); }
void HttpServer::stop() { core_->stop(); }
Result<void> HttpServer::reload() { return core_->guard->reload(); }
Metrics& HttpServer::metrics() { return *core_->metrics; }

}  // namespace ponder
