// One connection of the server: reads requests, has them answered, notices when the peer leaves.
// All of it runs on the server's thread. Internal to serve/http.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "serve/http/channel.hpp"
#include "serve/http/guard.hpp"
#include "serve/http/request_reader.hpp"
#include "serve/http/response_text.hpp"

namespace ponder {

class ServerCore;

// What the access log and the metrics get of one request.
struct AccessRecord {
  std::string remote = {}, request_id = {}, client = {}, method = {}, path = {};
  int status = 0;      // 0: none was sent
  uint64_t bytes = 0;  // sent, with heads
  std::chrono::steady_clock::time_point started = {};
  bool aborted = false;  // the peer left, or was cut off, before the end
};

class Connection final : public ChannelPeer, public std::enable_shared_from_this<Connection> {
 public:
  using ErrorCode = boost::system::error_code;
  using Socket = boost::asio::ip::tcp::socket;
  using Tls = boost::asio::ssl::stream<Socket&>;

  Connection(ServerCore& core, Socket socket, std::string remote);

  void start();
  void close_if_idle();
  void cut();  // now; tells the handler
  const std::string& remote() const { return remote_; }

  // Where the core lists it while it is idle.
  std::optional<std::list<Connection*>::iterator> idle_place;

  void post_answer(std::shared_ptr<ReplyChannel> channel, HttpResponse response) override;
  void post_start(std::shared_ptr<ReplyChannel> channel, HttpHeaders headers) override;
  void post_flush(std::shared_ptr<ReplyChannel> channel) override;
  void post_cut(std::shared_ptr<ReplyChannel> channel) override;

 private:
  using Timer = boost::asio::steady_timer;
  enum class Phase { kGreeting, kIdle, kHead, kBody, kWaiting, kClosing, kClosed };

  template <typename Do>
  void post(std::shared_ptr<ReplyChannel> channel, Do what);
  void arm(Timer& timer, std::chrono::milliseconds delay, void (Connection::*call)());
  static void disarm(Timer& timer);

  // Reading.
  void next_request();
  void read();
  void on_read(const ErrorCode& code, size_t bytes);
  void on_eof();
  void watch();
  void parse();
  void begin_request();
  bool hold_body();
  bool judge();
  void dispatch();
  void on_deadline();

  // Answering.
  void refuse(HttpError error);
  void refuse(HttpResponse response, bool may_keep_alive);
  void answer(HttpResponse response);
  void start_stream(const HttpHeaders& headers);
  void flush();
  void probe();
  void on_pause();
  void enqueue(std::string bytes);
  void enqueue_stream(std::string_view text);
  void write();
  void on_written(const ErrorCode& code, size_t bytes);
  void on_slow();
  void complete();

  // Ending.
  void end_request(bool aborted);
  void begin_close();
  void say_goodbye();
  void close();

  ServerCore& core_;
  Socket socket_;
  std::unique_ptr<Tls> tls_;  // none: plain
  const std::string remote_;
  Phase phase_ = Phase::kGreeting;
  Timer deadline_, pause_, slow_;

  std::array<char, 16 << 10> piece_;
  std::string in_;  // read, but not parsed
  bool reading_ = false, eof_ = false;

  // The request under way.
  std::unique_ptr<RequestReader> reader_;
  std::shared_ptr<ReplyChannel> channel_;
  AccessRecord record_;
  Guard::Place place_;
  HttpHeaders more_headers_;
  uint64_t body_held_ = 0;  // bytes, counted by the core
  bool under_way_ = false, keep_alive_ = false, head_only_ = false;
  bool probed_ = false;  // the first byte of the answer has been sent ahead
  bool streaming_ = false, last_ = false;
  BodyFraming framing_ = BodyFraming::kLength;

  std::deque<std::string> out_;
  size_t out_offset_ = 0;  // of the first, already written
  size_t out_bytes_ = 0, window_bytes_ = 0;
  bool writing_ = false, window_open_ = false;
};

}  // namespace ponder
