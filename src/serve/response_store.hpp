// Answers of /v1/responses that later requests may go on from. Bounded: the oldest go first. In
// memory only.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/json.hpp"
#include "text/chat_template.hpp"

namespace ponder {

struct StoredResponse {
  std::string client;                 // nobody else sees it
  std::vector<ChatMessage> messages;  // without instructions; the answer is the last
  OrderedJson body;                   // as it was given
};

class ResponseStore {
 public:
  explicit ResponseStore(size_t most = 1024, size_t most_bytes = 64 << 20)
      : most_(most), most_bytes_(most_bytes) {}

  void put(const std::string& id, StoredResponse response);
  std::optional<StoredResponse> get(const std::string& id, const std::string& client) const;
  bool remove(const std::string& id, const std::string& client);

 private:
  struct Entry {
    std::string id;
    StoredResponse response;
    size_t bytes;
  };
  void drop(std::list<Entry>::iterator entry);

  size_t most_, most_bytes_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // oldest first
  std::map<std::string, std::list<Entry>::iterator> by_id_;
  size_t bytes_ = 0;
};

}  // namespace ponder
