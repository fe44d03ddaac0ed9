#include "serve/http/channel.hpp"

#include "serve/http/errors.hpp"

namespace ponder {

std::shared_ptr<ChannelPeer> ReplyChannel::open_peer() const {
  return gone_ || complete_ ? nullptr : peer_.lock();
}

void ReplyChannel::respond(HttpResponse response) {
  const std::lock_guard lock(mutex_);
  if (answer_ != Answer::kNone) return;
  answer_ = Answer::kWhole;
  if (const auto peer = open_peer()) peer->post_answer(shared_from_this(), std::move(response));
}

void ReplyChannel::start_stream(HttpHeaders headers) {
  const std::lock_guard lock(mutex_);
  if (answer_ != Answer::kNone) return;
  answer_ = Answer::kStream;
  if (const auto peer = open_peer()) peer->post_start(shared_from_this(), std::move(headers));
}

bool ReplyChannel::send(std::string text) {
  const std::lock_guard lock(mutex_);
  const auto peer = open_peer();
  if (answer_ != Answer::kStream || !peer) return false;
  if (unwritten_ + pending_.size() + text.size() > most_bytes_) {
    answer_ = Answer::kFinished;
    peer->post_cut(shared_from_this());
    return false;
  }
  pending_ += text;
  if (!flush_posted_) peer->post_flush(shared_from_this());
  flush_posted_ = true;
  return true;
}

void ReplyChannel::finish() {
  const std::lock_guard lock(mutex_);
  if (answer_ != Answer::kStream) return;
  answer_ = Answer::kFinished;
  const auto peer = open_peer();
  if (peer && !flush_posted_) peer->post_flush(shared_from_this());
  flush_posted_ = true;
}

void ReplyChannel::on_disconnect(std::function<void()> call) {
  {
    const std::lock_guard lock(mutex_);
    if (!gone_) {
      if (!complete_) on_disconnect_ = std::move(call);
      return;
    }
  }
  call();
}

void ReplyChannel::abandon() {
  HttpResponse broken = error_response(
      {.status = 500, .message = "the request was given up without an answer", .code = "internal"});
  const std::lock_guard lock(mutex_);
  const auto peer = open_peer();
  const Answer before = answer_;
  answer_ = Answer::kFinished;
  if (!peer) return;
  if (before == Answer::kNone) peer->post_answer(shared_from_this(), std::move(broken));
  if (before == Answer::kStream) peer->post_cut(shared_from_this());
}

ReplyChannel::Pending ReplyChannel::take_pending() {
  const std::lock_guard lock(mutex_);
  flush_posted_ = false;
  unwritten_ += pending_.size();
  return {.text = std::exchange(pending_, {}), .last = answer_ == Answer::kFinished};
}

void ReplyChannel::set_unwritten(size_t bytes) {
  const std::lock_guard lock(mutex_);
  unwritten_ = bytes;
}

void ReplyChannel::complete() {
  std::function<void()> dropped;  // outside the lock: it may hold the exchange
  const std::lock_guard lock(mutex_);
  complete_ = true;
  dropped.swap(on_disconnect_);
}

void ReplyChannel::peer_gone() {
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || complete_) return;
    gone_ = true;
    call.swap(on_disconnect_);
  }
  if (call) call();
}

bool ReplyChannel::over() const {
  const std::lock_guard lock(mutex_);
  return gone_ || complete_;
}

}  // namespace ponder
