// Sends records from every process to the process that is to have them, in rounds of bounded size.
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "data/run/peers.hpp"

namespace ponder {

// Bytes that one process sends in a round.
inline constexpr size_t kRoundBytes = 4 << 20;

// Collects bytes for each rank. `produce(shuffle)` is called once by every rank and puts records;
// `consume(bytes)` gets what ranks sent to this one, in pieces of whole records, rank after rank
// within a round.
class Shuffle {
 public:
  using Consume = std::function<Result<void>(std::string_view bytes)>;

  Shuffle(Peers& peers, Consume consume)
      : peers_(peers),
        consume_(std::move(consume)),
        outgoing_(static_cast<size_t>(peers.world())) {}

  int world() const { return peers_.world(); }

  template <typename Record>
  Result<void> put(int to, const Record& record) {
    static_assert(std::is_trivially_copyable_v<Record>);
    return put_bytes(to, {reinterpret_cast<const char*>(&record), sizeof(Record)});
  }
  Result<void> put_bytes(int to, std::string_view record) {
    outgoing_[static_cast<size_t>(to)] += record;
    waiting_ += record.size();
    if (waiting_ >= kRoundBytes) PONDER_TRY(round(true));
    return {};
  }
  // To every rank.
  Result<void> put_all(std::string_view record) {
    for (int to = 0; to < world(); ++to) PONDER_TRY(put_bytes(to, record));
    return {};
  }

  // Sends the rest, and goes on until no rank has more.
  Result<void> finish() {
    while (PONDER_TRY(round(false))) {
    }
    return {};
  }

 private:
  // One round; each message begins with a byte that says whether its sender has more. Whether any
  // has.
  Result<bool> round(bool more) {
    std::vector<std::string> messages(outgoing_.size());
    for (size_t to = 0; to < outgoing_.size(); ++to) {
      messages[to] = (more ? '\1' : '\0') + outgoing_[to];
      outgoing_[to].clear();
    }
    waiting_ = 0;
    bool any = false;
    for (const std::string& message : PONDER_TRY(peers_.exchange(std::move(messages)))) {
      if (message.empty()) return Failure{{.what = "an empty message came from another process"}};
      any = any || message[0] != 0;
      PONDER_TRY(consume_(std::string_view(message).substr(1)));
    }
    return any;
  }

  Peers& peers_;
  Consume consume_;
  std::vector<std::string> outgoing_;
  size_t waiting_ = 0;
};

}  // namespace ponder
