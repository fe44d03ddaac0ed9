// Between a handler, on any thread, and the connection whose request it answers, on the server's.
// Internal to serve/http.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "serve/http/exchange.hpp"

namespace ponder {

class ReplyChannel;

// What a channel asks of its connection. Called on the handler's thread while the channel's mutex
// is held: each only puts a task in the queue of the server's thread.
class ChannelPeer {
 public:
  virtual ~ChannelPeer() = default;
  virtual void post_answer(std::shared_ptr<ReplyChannel> channel, HttpResponse response) = 0;
  virtual void post_start(std::shared_ptr<ReplyChannel> channel, HttpHeaders headers) = 0;
  virtual void post_flush(std::shared_ptr<ReplyChannel> channel) = 0;
  virtual void post_cut(std::shared_ptr<ReplyChannel> channel) = 0;
};

class ReplyChannel : public std::enable_shared_from_this<ReplyChannel> {
 public:
  ReplyChannel(std::weak_ptr<ChannelPeer> peer, size_t most_bytes)
      : peer_(std::move(peer)), most_bytes_(most_bytes) {}

  // The handler's side.
  void respond(HttpResponse response);
  void start_stream(HttpHeaders headers);
  bool send(std::string text);
  void finish();
  void on_disconnect(std::function<void()> call);
  void abandon();  // the handler's exchange is no more

  // The connection's side.
  struct Pending {
    std::string text;
    bool last = false;
  };
  Pending take_pending();
  void set_unwritten(size_t bytes);  // of what was taken
  void complete();                   // all has been written
  void peer_gone();                  // calls what on_disconnect() got
  bool over() const;

 private:
  enum class Answer { kNone, kWhole, kStream, kFinished };

  std::shared_ptr<ChannelPeer> open_peer() const;  // null when over

  mutable std::mutex mutex_;  // guards all below
  const std::weak_ptr<ChannelPeer> peer_;
  const size_t most_bytes_;
  Answer answer_ = Answer::kNone;
  bool gone_ = false, complete_ = false, flush_posted_ = false;
  std::string pending_;
  size_t unwritten_ = 0;  // taken, but not written
  std::function<void()> on_disconnect_;
};

// What handlers get.
class ServerExchange final : public HttpExchange {
 public:
  ServerExchange(HttpRequest request, std::shared_ptr<ReplyChannel> channel)
      : request_(std::move(request)), channel_(std::move(channel)) {}
  ~ServerExchange() override { channel_->abandon(); }

  const HttpRequest& request() const override { return request_; }
  void respond(HttpResponse response) override { channel_->respond(std::move(response)); }
  void start_stream(HttpHeaders headers) override { channel_->start_stream(std::move(headers)); }
  bool send(std::string text) override { return channel_->send(std::move(text)); }
  void finish() override { channel_->finish(); }
  void on_disconnect(std::function<void()> call) override {
    channel_->on_disconnect(std::move(call));
  }

 private:
  const HttpRequest request_;
  const std::shared_ptr<ReplyChannel> channel_;
};

}  // namespace ponder
