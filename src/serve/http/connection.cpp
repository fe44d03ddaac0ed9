#include "serve/http/connection.hpp"

#include <poll.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include "serve/http/errors.hpp"
#include "serve/http/server_core.hpp"

namespace ponder {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr size_t kReadAhead = 64 << 10;  // of later requests while one is answered
constexpr size_t kLeastRead = 16 << 10;  // that a peer must read in HttpLimits::write_time
constexpr size_t kMostBuffers = 16;      // in one write
constexpr std::string_view kComment = ": keep-alive\n\n";

// So that a peer whose machine vanished is noticed though nothing is sent.
void set_options(Connection::Socket& socket) {
  Connection::ErrorCode ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  using Seconds = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
  using Interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
  using Count = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
  socket.set_option(Seconds(30), ignored);
  socket.set_option(Interval(10), ignored);
  socket.set_option(Count(3), ignored);
}

}  // namespace

Connection::Connection(ServerCore& core, Socket socket, std::string remote)
    : core_(core),
      socket_(std::move(socket)),
      remote_(std::move(remote)),
      deadline_(core.io()),
      pause_(core.io()),
      slow_(core.io()) {}

void Connection::arm(Timer& timer, std::chrono::milliseconds delay, void (Connection::*call)()) {
  timer.expires_after(delay);
  timer.async_wait([self = shared_from_this(), &timer, call](const ErrorCode& code) {
    // A timer that was moved after its handler had been queued has not run out.
    if (code || timer.expiry() > Clock::now() || self->phase_ == Phase::kClosed) return;
    ((*self).*call)();
  });
}

void Connection::disarm(Timer& timer) { timer.expires_at(Timer::time_point::max()); }

void Connection::start() {
  set_options(socket_);
  watch();
  if (core_.tls() == nullptr) return next_request();
  tls_ = std::make_unique<Tls>(socket_, *core_.tls());
  arm(deadline_, core_.options.limits.head_time, &Connection::on_deadline);
  tls_->async_handshake(Tls::server, [self = shared_from_this()](const ErrorCode& code) {
    if (self->phase_ == Phase::kClosed) return;
    code ? self->close() : self->next_request();
  });
}

// A reset is an error event, even where nothing is read or written.
void Connection::watch() {
  socket_.async_wait(Socket::wait_error, [self = shared_from_this()](const ErrorCode& code) {
    if (code || self->phase_ == Phase::kClosed) return;
    pollfd state{.fd = self->socket_.native_handle(), .events = 0, .revents = 0};
    if (::poll(&state, 1, 0) == 1 && (state.revents & (POLLERR | POLLHUP)) != 0) self->cut();
  });
}

void Connection::next_request() {
  const auto& limits = core_.options.limits;
  if (core_.draining()) return begin_close();
  reader_ = std::make_unique<RequestReader>(ReaderLimits{
      .head_bytes = limits.head_bytes, .headers = limits.headers, .body_bytes = limits.body_bytes});
  phase_ = Phase::kIdle;
  core_.enter_idle(*this);
  arm(deadline_, limits.idle_time, &Connection::on_deadline);
  parse();
  read();
}

void Connection::read() {
  const bool enough = phase_ == Phase::kWaiting && in_.size() >= kReadAhead;
  if (reading_ || eof_ || enough || phase_ == Phase::kClosed) return;
  reading_ = true;
  auto done = [self = shared_from_this()](const ErrorCode& code, size_t bytes) {
    self->reading_ = false;
    if (self->phase_ != Phase::kClosed) self->on_read(code, bytes);
  };
  if (tls_) {
    tls_->async_read_some(asio::buffer(piece_), std::move(done));
  } else {
    socket_.async_read_some(asio::buffer(piece_), std::move(done));
  }
}

void Connection::on_read(const ErrorCode& code, size_t bytes) {
  core_.received_bytes().add(static_cast<double>(bytes));
  if (phase_ == Phase::kClosing) {  // what still comes is dropped
    if (tls_) return say_goodbye();
    return code ? close() : read();
  }
  if (code == asio::error::eof || code == asio::ssl::error::stream_truncated) {
    eof_ = true;
    return on_eof();
  }
  if (code) return cut();
  in_.append(piece_.data(), bytes);
  parse();
  read();
}

// The peer sends no more. It may still read: it has its answers, unless a byte sent to it comes
// back as a reset, which watch() sees.
void Connection::on_eof() {
  if (phase_ == Phase::kIdle) return close();
  if (phase_ == Phase::kHead || phase_ == Phase::kBody) {
    return refuse({.status = 400, .message = "the request ends too early"});
  }
  if (phase_ == Phase::kWaiting) probe();
}

// Every answer begins with the same byte, so that one can be sent before the answer is known.
void Connection::probe() {
  if (last_ || !out_.empty()) return;
  if (streaming_) return on_pause();
  if (probed_) return;
  probed_ = true;
  enqueue("H");
  write();
}

void Connection::parse() {
  using State = RequestReader::State;
  bool more = true;
  while (more && (phase_ == Phase::kIdle || phase_ == Phase::kHead || phase_ == Phase::kBody)) {
    const State state = reader_->take(in_);
    if (state == State::kEmpty) break;
    if (phase_ == Phase::kIdle) begin_request();
    if (!hold_body()) break;
    if (state == State::kHeadDone) {
      more = judge();
    } else if (state == State::kDone) {
      dispatch();
    } else if (state == State::kFailed) {
      const HttpRequest& request = reader_->request();
      record_.request_id = request_id(request.header("x-request-id").value_or(""));
      record_.method = request.method;
      record_.path = request.path;
      refuse(reader_->error());
    } else {
      more = false;
    }
  }
  const bool waits = phase_ == Phase::kIdle || phase_ == Phase::kHead || phase_ == Phase::kBody;
  if (eof_ && waits) on_eof();
}

void Connection::begin_request() {
  core_.leave_idle(*this);
  core_.active().add(1);
  phase_ = Phase::kHead;
  under_way_ = true;
  record_ = {.remote = remote_, .started = Clock::now()};
  arm(deadline_, core_.options.limits.head_time, &Connection::on_deadline);
}

// Counts what has come of a body among those of all requests. False: refused.
bool Connection::hold_body() {
  const uint64_t size = reader_->request().body.size();
  if (core_.hold_body(size - body_held_)) {
    body_held_ = size;
    return true;
  }
  refuse({.status = 503,
          .message = "too many large requests at once",
          .code = "overloaded",
          .headers = {{"retry-after", "5"}}});
  return false;
}

// The head is complete. False: refused.
bool Connection::judge() {
  HttpRequest& request = reader_->request();
  request.remote = remote_;
  request.request_id = request_id(request.header("x-request-id").value_or(""));
  record_.request_id = request.request_id;
  record_.method = request.method;
  record_.path = request.path;
  keep_alive_ = reader_->keep_alive();
  head_only_ = request.method == "HEAD";
  auto verdict = core_.guard->judge(request, Clock::now());
  if (auto* refusal = std::get_if<HttpResponse>(&verdict)) {
    refuse(std::move(*refusal), !reader_->has_body());
    return false;
  }
  auto& admitted = std::get<Guard::Admitted>(verdict);
  request.client = record_.client = std::move(admitted.client);
  place_ = std::move(admitted.place);
  more_headers_ = std::move(admitted.headers);
  if (head_only_) request.method = "GET";
  phase_ = Phase::kBody;
  arm(deadline_, core_.options.limits.body_time, &Connection::on_deadline);
  if (reader_->wants_continue() && reader_->has_body() && in_.empty()) {
    enqueue("HTTP/1.1 100 Continue\r\n\r\n");
    write();
  }
  return true;
}

void Connection::dispatch() {
  phase_ = Phase::kWaiting;
  disarm(deadline_);
  channel_ =
      std::make_shared<ReplyChannel>(weak_from_this(), core_.options.limits.stream_buffer_bytes);
  core_.dispatch(std::make_shared<ServerExchange>(std::move(reader_->request()), channel_),
                 channel_);
}

void Connection::on_deadline() {
  switch (phase_) {
    case Phase::kGreeting:
    case Phase::kIdle:
    case Phase::kClosing:
      return close();
    case Phase::kHead:
    case Phase::kBody:
      return refuse({.status = 408,
                     .message = phase_ == Phase::kHead ? "the head of the request came too slowly"
                                                       : "the body of the request came too slowly",
                     .code = "request_timeout"});
    case Phase::kWaiting:
    case Phase::kClosed:
      return;
  }
}

// --- Answering ---

template <typename Do>
void Connection::post(std::shared_ptr<ReplyChannel> channel, Do what) {
  asio::post(core_.io(), [self = shared_from_this(), channel = std::move(channel),
                          what = std::move(what)]() mutable {
    if (self->channel_ == channel) what(*self);
  });
}

void Connection::post_answer(std::shared_ptr<ReplyChannel> channel, HttpResponse response) {
  post(std::move(channel), [response = std::move(response)](Connection& self) mutable {
    self.answer(std::move(response));
  });
}
void Connection::post_start(std::shared_ptr<ReplyChannel> channel, HttpHeaders headers) {
  post(std::move(channel),
       [headers = std::move(headers)](Connection& self) { self.start_stream(headers); });
}
void Connection::post_flush(std::shared_ptr<ReplyChannel> channel) {
  post(std::move(channel), [](Connection& self) { self.flush(); });
}
void Connection::post_cut(std::shared_ptr<ReplyChannel> channel) {
  post(std::move(channel), [](Connection& self) { self.cut(); });
}

void Connection::refuse(HttpError error) {
  refuse(core_.options.guard.refusal(record_.path, std::move(error)), false);
}

// An answer of the server's own. What was not read of the request ends the connection.
void Connection::refuse(HttpResponse response, bool may_keep_alive) {
  phase_ = Phase::kWaiting;
  disarm(deadline_);
  if (record_.request_id.empty()) record_.request_id = request_id("");
  keep_alive_ = keep_alive_ && may_keep_alive;
  answer(std::move(response));
}

void Connection::answer(HttpResponse response) {
  keep_alive_ = keep_alive_ && !core_.draining();
  record_.status = response.status;
  std::string head = response_head({.status = response.status,
                                    .content_type = response.content_type,
                                    .request_id = record_.request_id,
                                    .headers = &response.headers,
                                    .more = &more_headers_,
                                    .length = response.body.size(),
                                    .keep_alive = keep_alive_});
  enqueue(probed_ ? head.substr(1) : std::move(head));
  const bool bodiless = head_only_ || response.status == 204 || response.status == 304;
  if (!bodiless && !response.body.empty()) enqueue(std::move(response.body));
  last_ = true;
  write();
}

void Connection::start_stream(const HttpHeaders& headers) {
  framing_ = reader_->http_1_0() ? BodyFraming::kUntilClose : BodyFraming::kChunked;
  keep_alive_ = keep_alive_ && !core_.draining() && framing_ == BodyFraming::kChunked;
  record_.status = 200;
  HttpHeaders all = headers;
  all.emplace_back("Cache-Control", "no-cache");
  all.emplace_back("X-Accel-Buffering", "no");
  std::string head = response_head({.status = 200,
                                    .content_type = "text/event-stream; charset=utf-8",
                                    .request_id = record_.request_id,
                                    .headers = &all,
                                    .more = &more_headers_,
                                    .framing = framing_,
                                    .keep_alive = keep_alive_});
  enqueue(probed_ ? head.substr(1) : std::move(head));
  streaming_ = true;
  last_ = head_only_;
  if (!last_) arm(pause_, core_.options.limits.keep_alive_time, &Connection::on_pause);
  write();
}

void Connection::flush() {
  auto pending = channel_->take_pending();
  if (last_ || !streaming_) return;
  if (!pending.text.empty()) enqueue_stream(pending.text);
  if (pending.last) {
    if (framing_ == BodyFraming::kChunked) enqueue(chunk(""));
    last_ = true;
    disarm(pause_);
  } else {
    arm(pause_, core_.options.limits.keep_alive_time, &Connection::on_pause);
  }
  write();
}

void Connection::on_pause() {
  if (!streaming_ || last_) return;
  if (out_.empty()) enqueue_stream(kComment);
  arm(pause_, core_.options.limits.keep_alive_time, &Connection::on_pause);
  write();
}

void Connection::enqueue_stream(std::string_view text) {
  enqueue(framing_ == BodyFraming::kChunked ? chunk(text) : std::string(text));
}

void Connection::enqueue(std::string bytes) {
  out_bytes_ += bytes.size();
  out_.push_back(std::move(bytes));
}

void Connection::write() {
  if (writing_ || phase_ == Phase::kClosed) return;
  if (out_.empty()) {
    if (last_) complete();
    return;
  }
  std::array<asio::const_buffer, kMostBuffers> buffers;
  const size_t count = std::min(out_.size(), kMostBuffers);
  for (size_t i = 0; i < count; ++i) buffers[i] = asio::buffer(out_[i]);
  buffers[0] += out_offset_;
  writing_ = true;
  if (!window_open_) {
    window_open_ = true;
    window_bytes_ = 0;
    arm(slow_, core_.options.limits.write_time, &Connection::on_slow);
  }
  auto done = [self = shared_from_this()](const ErrorCode& code, size_t bytes) {
    self->writing_ = false;
    if (self->phase_ != Phase::kClosed) self->on_written(code, bytes);
  };
  if (tls_) {
    tls_->async_write_some(buffers, std::move(done));
  } else {
    socket_.async_write_some(buffers, std::move(done));
  }
}

void Connection::on_written(const ErrorCode& code, size_t bytes) {
  if (code) return cut();
  core_.sent_bytes().add(static_cast<double>(bytes));
  record_.bytes += bytes;
  window_bytes_ += bytes;
  out_bytes_ -= bytes;
  out_offset_ += bytes;
  while (!out_.empty() && out_offset_ >= out_.front().size()) {
    out_offset_ -= out_.front().size();
    out_.pop_front();
  }
  if (channel_) channel_->set_unwritten(out_bytes_);
  if (out_.empty()) {
    window_open_ = false;
    disarm(slow_);
  }
  write();
}

void Connection::on_slow() {
  if (window_bytes_ < kLeastRead) return cut();
  window_bytes_ = 0;
  arm(slow_, core_.options.limits.write_time, &Connection::on_slow);
}

void Connection::complete() {
  if (channel_) channel_->complete();
  const bool keep = keep_alive_ && !(eof_ && in_.empty());
  end_request(false);
  keep ? next_request() : begin_close();
}

// --- Ending ---

void Connection::end_request(bool aborted) {
  if (!std::exchange(under_way_, false)) return;
  core_.active().add(-1);
  record_.aborted = aborted;
  core_.finished(record_);
  core_.free_body(std::exchange(body_held_, 0));
  channel_.reset();
  place_ = {};
  more_headers_.clear();
  keep_alive_ = head_only_ = probed_ = streaming_ = last_ = false;
  framing_ = BodyFraming::kLength;
  disarm(pause_);
}

void Connection::close_if_idle() {
  if (phase_ == Phase::kIdle) close();
}

void Connection::cut() {
  if (phase_ == Phase::kClosed) return;
  const auto channel = channel_;
  end_request(true);
  ErrorCode ignored;
  socket_.set_option(Socket::linger(true, 0), ignored);  // what is unsent is dropped
  close();
  if (channel) channel->peer_gone();
}

// After an answer. Where more may be coming, closing at once would reset the connection, and the
// peer might never read its answer.
void Connection::begin_close() {
  const bool all_read = reader_ && reader_->state() == RequestReader::State::kDone && in_.empty();
  if (eof_ || (all_read && !tls_)) return close();
  phase_ = Phase::kClosing;
  arm(deadline_, core_.options.limits.linger_time, &Connection::on_deadline);
  ErrorCode ignored;
  if (!tls_) {
    socket_.shutdown(Socket::shutdown_send, ignored);
    return read();
  }
  if (!reading_) return say_goodbye();
  socket_.cancel(ignored);  // on_read() goes on
}

// TLS's own end, then the wire's.
void Connection::say_goodbye() {
  const auto tls = std::shared_ptr<Tls>(std::move(tls_));
  tls->async_shutdown([self = shared_from_this(), tls](const ErrorCode&) {
    if (self->phase_ == Phase::kClosed) return;
    ErrorCode ignored;
    self->socket_.shutdown(Socket::shutdown_send, ignored);
    self->read();
  });
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  end_request(true);
  core_.leave_idle(*this);
  phase_ = Phase::kClosed;
  for (Timer* timer : {&deadline_, &pause_, &slow_}) timer->cancel();
  ErrorCode ignored;
  socket_.close(ignored);
  core_.remove(*this);
}

}  // namespace ponder
