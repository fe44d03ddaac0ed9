// A small HTTP server inside a test: one answer for each request, given as raw bytes, so that it
// can also be wrong.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ponder::testing {

class HttpServer {
 public:
  using Request = boost::beast::http::request<boost::beast::http::empty_body>;
  using Answer = std::function<std::string(const Request&)>;

  explicit HttpServer(Answer answer)
      : answer_(std::move(answer)),
        acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}),
        port_(acceptor_.local_endpoint().port()),
        thread_([this] { serve(); }) {}
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  ~HttpServer() {
    stopping_ = true;
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket wake(io);
    boost::system::error_code ignored;
    wake.connect({boost::asio::ip::make_address("127.0.0.1"), port_}, ignored);
    thread_.join();
  }

  std::string address(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_);
  }

  // Requests so far.
  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  // A whole answer; `headers` are further lines, each ended by CRLF.
  static std::string reply(const std::string& status, const std::string& body,
                           const std::string& headers = "") {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }
  static std::string redirect(const std::string& location, const std::string& headers = "") {
    return reply("302 Found", "moved", "Location: " + location + "\r\n" + headers);
  }

 private:
  void serve() {
    while (true) {
      boost::system::error_code code;
      boost::asio::ip::tcp::socket socket(io_);
      acceptor_.accept(socket, code);
      if (stopping_ || code) return;
      boost::beast::flat_buffer buffer;
      Request request;
      boost::beast::http::read(socket, buffer, request, code);
      if (code) continue;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const std::string bytes = answer_(request);
      boost::asio::write(socket, boost::asio::buffer(bytes), code);
      socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, code);
    }
  }

  Answer answer_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  unsigned short port_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace ponder::testing
