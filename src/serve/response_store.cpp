#include "serve/response_store.hpp"

#include "serve/answer_format.hpp"

namespace ponder {
namespace {

size_t size_of(const StoredResponse& response) {
  size_t bytes = json_line(response.body).size();
  for (const ChatMessage& message : response.messages) {
    bytes += sizeof message + message.content.size() + message.reasoning.size();
    for (const ToolCall& call : message.tool_calls)
      bytes += sizeof call + call.name.size() + call.arguments.size();
  }
  return bytes;
}

}  // namespace

void ResponseStore::put(const std::string& id, StoredResponse response) {
  const size_t bytes = size_of(response);
  if (bytes > most_bytes_) return;
  const std::lock_guard lock(mutex_);
  while (!entries_.empty() && (entries_.size() >= most_ || bytes_ + bytes > most_bytes_))
    drop(entries_.begin());
  entries_.push_back({.id = id, .response = std::move(response), .bytes = bytes});
  by_id_[id] = std::prev(entries_.end());
  bytes_ += bytes;
}

std::optional<StoredResponse> ResponseStore::get(const std::string& id,
                                                 const std::string& client) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->response.client != client) return std::nullopt;
  return found->second->response;
}

bool ResponseStore::remove(const std::string& id, const std::string& client) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->response.client != client) return false;
  drop(found->second);
  return true;
}

void ResponseStore::drop(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  by_id_.erase(entry->id);
  entries_.erase(entry);
}

}  // namespace ponder
