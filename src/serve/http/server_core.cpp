#include "serve/http/server_core.hpp"

#include <sys/resource.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cmath>
#include <ctime>
#include <set>

#include "base/log.hpp"
#include "io/json.hpp"
#include "serve/http/errors.hpp"

namespace ponder {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr size_t kOtherFiles = 64;  // descriptors that are no connections
constexpr auto kAcceptPause = std::chrono::milliseconds(50);

// As many descriptors as the system grants; returns how many.
size_t raise_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::string remote_of(const tcp::socket& socket) {
  ErrorCode code;
  const auto end = socket.remote_endpoint(code);
  if (code) return "?";
  const auto address = end.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

std::string now_text() {
  const auto now = std::chrono::system_clock::now();
  const auto since = now.time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count() % 1000;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                parts.tm_sec, static_cast<int>(ms));
  return text.data();
}

Failure listen_failure(const HttpServerOptions& options, const std::string& what,
                       const ErrorCode& code) {
  const bool taken = code == asio::error::address_in_use;
  const bool denied = code == asio::error::access_denied;
  return Failure{{.what = what + ": " + code.message(),
                  .where = options.host + ":" + std::to_string(options.port),
                  .mend = taken    ? "stop what listens there, or give another port"
                          : denied ? "give a port from 1024"
                                   : "give an address of this machine"}};
}

Counter& total(Metrics& metrics, const std::string& name, const std::string& help) {
  return metrics.counter("ponder_http_" + name + "_total", help);
}

}  // namespace

ServerCore::ServerCore(HttpServerOptions wanted, HttpHandler handler, std::unique_ptr<Guard> by)
    : options(std::move(wanted)),
      metrics(options.metrics ? options.metrics : std::make_shared<Metrics>()),
      guard(std::move(by)),
      handler_(std::move(handler)),
      work_(io_.get_executor()),
      with_body_(static_cast<size_t>(std::max(options.threads, 1))),
      without_body_(1),
      most_connections_(options.limits.connections),
      open_connections_(metrics->gauge("ponder_http_connections", "Open connections.")),
      active_(metrics->gauge("ponder_http_requests_active", "Requests being read or answered.")),
      accepted_(total(*metrics, "connections", "Connections accepted.")),
      turned_away_(total(*metrics, "connections_turned_away", "Connections beyond a limit.")),
      received_(total(*metrics, "received_bytes", "Bytes received, without TLS.")),
      sent_(total(*metrics, "sent_bytes", "Bytes sent, without TLS.")),
      aborted_(total(*metrics, "aborted", "Requests whose peer left or was cut off.")) {}

ServerCore::~ServerCore() {
  if (thread_.joinable()) asio::post(io_, [this] { close_listener(), cut_all(); });
  with_body_.join();
  without_body_.join();
  work_.reset();
  if (thread_.joinable()) thread_.join();
}

Result<void> ServerCore::load_tls() {
  if (options.tls_certificate.empty() && options.tls_key.empty()) return {};
  if (options.tls_certificate.empty() || options.tls_key.empty()) {
    return Failure{{.what = "TLS needs both a certificate and a key",
                    .mend = options.tls_key.empty() ? "give the file of the key too"
                                                    : "give the file of the certificate too"}};
  }
  tls_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_mode(tls_->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(tls_->native_handle(), SSL_OP_NO_RENEGOTIATION);
  ErrorCode code;
  // A key with a passphrase is refused, not asked for on the terminal.
  tls_->set_password_callback([](size_t, auto) { return std::string(); }, code);
  tls_->use_certificate_chain_file(options.tls_certificate.string(), code);
  if (code) {
    return Failure{{.what = "no certificate could be read: " + code.message(),
                    .where = options.tls_certificate.string(),
                    .mend = "give a PEM file with the certificate and its chain"}};
  }
  tls_->use_private_key_file(options.tls_key.string(), asio::ssl::context::pem, code);
  if (code) {
    return Failure{{.what = "no key of this certificate could be read: " + code.message(),
                    .where = options.tls_key.string(),
                    .mend = "give the PEM file of the certificate's private key"}};
  }
  return {};
}

// On every address that the host has: "localhost" is two.
Result<void> ServerCore::listen() {
  PONDER_TRY(load_tls());
  const size_t descriptors = raise_descriptors();
  if (descriptors < most_connections_ + kOtherFiles) {
    most_connections_ = std::max<size_t>(descriptors, 2 * kOtherFiles) - kOtherFiles;
    log(LogLevel::kWarning, "only " + std::to_string(most_connections_) +
                                " connections at a time: the limit of open files is " +
                                std::to_string(descriptors));
  }
  ErrorCode code;
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(options.host, std::to_string(options.port), tcp::resolver::passive, code);
  if (code) return listen_failure(options, "this host is not known", code);
  std::set<tcp::endpoint> ends;
  for (const auto& entry : found) ends.insert(entry.endpoint());
  ErrorCode last;
  for (tcp::endpoint end : ends) {
    if (options.port == 0) end.port(port);
    tcp::acceptor acceptor(io_);
    acceptor.open(end.protocol(), code);
    if (!code) acceptor.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code) acceptor.bind(end, code);
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    const bool other_family =
        code == asio::error::address_family_not_supported || code.value() == EADDRNOTAVAIL;
    last = code;
    if (other_family) continue;
    if (code) return listen_failure(options, "cannot listen", code);
    port = acceptor.local_endpoint(code).port();
    listeners_.push_back({.acceptor = std::move(acceptor), .pause = asio::steady_timer(io_)});
  }
  if (listeners_.empty()) return listen_failure(options, "cannot listen", last);
  open_ = 1;
  return {};
}

void ServerCore::start() {
  for (Listener& listener : listeners_) accept(listener);
  thread_ = std::thread([this] { run_io(); });
}

// Nothing of ours throws; memory may run out, and that must not end the server.
void ServerCore::run_io() {
  while (true) {
    try {
      io_.run();
      return;
    } catch (const std::exception& exception) {
      log(LogLevel::kError, std::string("HTTP server: ") + exception.what());
    }
  }
}

void ServerCore::accept(Listener& listener) {
  listener.acceptor.async_accept([this, &listener](const ErrorCode& code, tcp::socket socket) {
    if (!listener.acceptor.is_open()) return;
    if (!code) {
      on_accept(std::move(socket));
      return accept(listener);
    }
    if (code == asio::error::connection_aborted) return accept(listener);
    // No descriptors or no memory: somebody idle makes room, and it is tried again.
    close_longest_idle();
    listener.pause.expires_after(kAcceptPause);
    listener.pause.async_wait([this, &listener](const ErrorCode&) {
      if (listener.acceptor.is_open()) accept(listener);
    });
  });
}

void ServerCore::on_accept(tcp::socket socket) {
  accepted_.add();
  std::string remote = remote_of(socket);
  const size_t most = options.limits.connections_per_remote;
  const auto of_remote = of_remote_.find(remote);
  if (most > 0 && of_remote != of_remote_.end() && of_remote->second >= most) {
    return turn_away(std::move(socket), 429);
  }
  if (connections_.size() >= most_connections_ && !close_longest_idle()) {
    return turn_away(std::move(socket), 503);
  }
  ++of_remote_[remote];
  auto connection = std::make_shared<Connection>(*this, std::move(socket), std::move(remote));
  connections_.emplace(connection.get(), connection);
  open_connections_.set(static_cast<double>(connections_.size()));
  {
    const std::lock_guard lock(mutex_);
    open_ = connections_.size() + 1;
  }
  connection->start();
}

// An answer as far as it fits the system's buffer; under TLS there is none.
void ServerCore::turn_away(tcp::socket socket, int status) {
  turned_away_.add();
  if (tls_) return;
  const HttpResponse response = error_response(
      {.status = status,
       .message = status == 429 ? "too many connections from this address" : "too many connections",
       .code = "too_many_connections"});
  const HttpHeaders more = {{"retry-after", "5"}};
  const std::string id = request_id("");
  const std::string text = response_head({.status = status,
                                          .content_type = response.content_type,
                                          .request_id = id,
                                          .more = &more,
                                          .length = response.body.size(),
                                          .keep_alive = false}) +
                           response.body;
  ErrorCode ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

bool ServerCore::close_longest_idle() {
  if (idle_.empty()) return false;
  idle_.front()->close_if_idle();
  return true;
}

void ServerCore::enter_idle(Connection& connection) {
  leave_idle(connection);
  connection.idle_place = idle_.insert(idle_.end(), &connection);
}

void ServerCore::leave_idle(Connection& connection) {
  if (connection.idle_place) idle_.erase(*connection.idle_place);
  connection.idle_place.reset();
}

void ServerCore::remove(Connection& connection) {
  const auto entry = of_remote_.find(connection.remote());
  if (entry != of_remote_.end() && --entry->second == 0) of_remote_.erase(entry);
  connections_.erase(&connection);
  open_connections_.set(static_cast<double>(connections_.size()));
  const std::lock_guard lock(mutex_);
  open_ = connections_.size() + (draining_ ? 0 : 1);
  changed_.notify_all();
}

bool ServerCore::hold_body(uint64_t bytes) {
  if (bytes > 0 && body_bytes_ + bytes > options.limits.all_body_bytes) return false;
  body_bytes_ += bytes;
  return true;
}

void ServerCore::dispatch(std::shared_ptr<ServerExchange> exchange,
                          std::shared_ptr<ReplyChannel> channel) {
  auto& pool = exchange->request().body.empty() ? without_body_ : with_body_;
  asio::post(pool, [this, exchange = std::move(exchange), channel = std::move(channel)] {
    if (channel->over()) return;  // nobody waits for the answer
    try {
      handler_(exchange);
    } catch (const std::exception& exception) {  // of a library: one request, not the server
      log(LogLevel::kError, exchange->request().request_id + ": " + exception.what());
    }
  });
}

void ServerCore::finished(const AccessRecord& record) {
  const double seconds = std::chrono::duration<double>(Clock::now() - record.started).count();
  const int status = record.status == 0 ? 499 : record.status;
  const std::string route = options.route ? options.route(record.path) : "other";
  metrics
      ->counter("ponder_http_requests_total", "Requests by route and status; 499: the peer left.",
                {{"route", route}, {"status", std::to_string(status)}})
      .add();
  metrics
      ->histogram("ponder_http_request_seconds", "From the first byte to the end of the answer.",
                  latency_bounds(), {{"route", route}})
      .observe(seconds);
  if (record.aborted) aborted_.add();
  const Json line = {{"time", now_text()},
                     {"request_id", record.request_id},
                     {"remote", record.remote},
                     {"client", record.client},
                     {"method", record.method},
                     {"path", record.path},
                     {"status", status},
                     {"bytes", record.bytes},
                     {"ms", std::round(seconds * 1e6) / 1e3},
                     {"aborted", record.aborted}};
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace);
  options.access_log ? options.access_log(text) : log(LogLevel::kInfo, text);
}

void ServerCore::close_listener() {
  draining_ = true;
  ErrorCode ignored;
  for (Listener& listener : listeners_) {
    listener.acceptor.close(ignored);
    listener.pause.cancel();
  }
  while (close_longest_idle()) {
  }
  const std::lock_guard lock(mutex_);
  open_ = connections_.size();
  changed_.notify_all();
}

void ServerCore::cut_all() {
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [pointer, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->cut();
}

bool ServerCore::drain(std::chrono::milliseconds patience) {
  asio::post(io_, [this] { close_listener(); });
  std::unique_lock lock(mutex_);
  const bool ended =
      changed_.wait_for(lock, patience, [&] { return open_ == 0 || stopped_; }) && open_ == 0;
  if (!ended) {
    asio::post(io_, [this] { cut_all(); });
    changed_.wait(lock, [&] { return open_ == 0; });
  }
  return ended;
}

void ServerCore::stop() {
  asio::post(io_, [this] { close_listener(), cut_all(); });
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace ponder
