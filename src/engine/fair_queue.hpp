// Works that wait for their turn: higher priority first, then the client that was served least,
// then who came first. (Virtual token counters: Sheng et al. 2024, "Fairness in serving large
// language models", arXiv 2401.00588.)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/work.hpp"

namespace ponder {

class FairQueue {
 public:
  // A work that was here before keeps its place among its client's.
  void push(std::unique_ptr<Work> work);
  // The first in order for which `ready` holds; null if there is none. Not taken out.
  Work* first(const std::function<bool(const Work&)>& ready) const;
  std::unique_ptr<Work> take(const Work* work);
  // All for which `wanted` holds leave the queue.
  std::vector<std::unique_ptr<Work>> take_all(const std::function<bool(const Work&)>& wanted);
  // So many tokens were computed for a client.
  void served(const std::string& client, int64_t tokens);
  int64_t size() const { return std::ssize(works_); }

 private:
  bool before(const Work& a, const Work& b) const;
  bool waits(const std::string& client) const;
  uint64_t service(const std::string& client) const;
  void forget_some();

  std::vector<std::unique_ptr<Work>> works_;
  std::unordered_map<std::string, uint64_t> service_;  // tokens
  uint64_t floor_ = 0;  // what a client who was away has been served, at least
  uint64_t arrivals_ = 0;
};

}  // namespace ponder
