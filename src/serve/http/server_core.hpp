// What HttpServer is inside: threads, the listener, the list of connections. Internal to
// serve/http.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "serve/http/connection.hpp"
#include "serve/http/server.hpp"

namespace ponder {

class ServerCore {
 public:
  ServerCore(HttpServerOptions options, HttpHandler handler, std::unique_ptr<Guard> guard);
  ~ServerCore();

  Result<void> listen();
  void start();  // threads; after listen()
  bool drain(std::chrono::milliseconds patience);
  void stop();

  const HttpServerOptions options;
  const std::shared_ptr<Metrics> metrics;
  const std::unique_ptr<Guard> guard;
  uint16_t port = 0;

  // For connections, on the server's thread.
  boost::asio::io_context& io() { return io_; }
  boost::asio::ssl::context* tls() { return tls_.get(); }
  bool draining() const { return draining_; }
  void enter_idle(Connection& connection);
  void leave_idle(Connection& connection);
  void remove(Connection& connection);
  bool hold_body(uint64_t bytes);  // false, and nothing held: too much already
  void free_body(uint64_t bytes) { body_bytes_ -= bytes; }
  void dispatch(std::shared_ptr<ServerExchange> exchange, std::shared_ptr<ReplyChannel> channel);
  void finished(const AccessRecord& record);
  Counter& received_bytes() { return received_; }
  Counter& sent_bytes() { return sent_; }
  Gauge& active() { return active_; }

 private:
  struct Listener {
    boost::asio::ip::tcp::acceptor acceptor;
    boost::asio::steady_timer pause;  // before it tries again
  };

  Result<void> load_tls();
  void accept(Listener& listener);
  void on_accept(boost::asio::ip::tcp::socket socket);
  void turn_away(boost::asio::ip::tcp::socket socket, int status);
  bool close_longest_idle();
  void close_listener();
  void cut_all();
  void run_io();

  const HttpHandler handler_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<boost::asio::ssl::context> tls_;
  std::list<Listener> listeners_;
  boost::asio::thread_pool with_body_, without_body_;  // call the handler
  std::thread thread_;

  // On the server's thread only.
  size_t most_connections_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  std::unordered_map<std::string, size_t> of_remote_;
  std::list<Connection*> idle_;  // the longest idle first
  uint64_t body_bytes_ = 0;
  bool draining_ = false;

  // For drain().
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t open_ = 0;  // connections, and the listener
  bool stopped_ = false;

  Gauge &open_connections_, &active_;
  Counter &accepted_, &turned_away_, &received_, &sent_, &aborted_;
};

}  // namespace ponder
