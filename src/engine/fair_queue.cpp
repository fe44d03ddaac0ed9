#include "engine/fair_queue.hpp"

#include <algorithm>
#include <iterator>

namespace ponder {
namespace {

constexpr size_t kMostClients = 4096;  // whose service is remembered

}  // namespace

uint64_t FairQueue::service(const std::string& client) const {
  const auto found = service_.find(client);
  return found == service_.end() ? floor_ : std::max(found->second, floor_);
}

bool FairQueue::waits(const std::string& client) const {
  return std::any_of(works_.begin(), works_.end(),
                     [&](const auto& work) { return work->request().client == client; });
}

bool FairQueue::before(const Work& a, const Work& b) const {
  if (a.request().priority != b.request().priority)
    return a.request().priority > b.request().priority;
  const uint64_t service_a = service(a.request().client), service_b = service(b.request().client);
  return service_a != service_b ? service_a < service_b : a.arrival < b.arrival;
}

void FairQueue::push(std::unique_ptr<Work> work) {
  if (work->arrival == 0) work->arrival = ++arrivals_;
  // Time away earns no credit: whoever comes back is served as the least of those who wait.
  if (!waits(work->request().client)) {
    uint64_t least = UINT64_MAX;
    for (const auto& other : works_) least = std::min(least, service(other->request().client));
    if (!works_.empty()) floor_ = std::max(floor_, least);
    service_[work->request().client] = service(work->request().client);
    forget_some();
  }
  works_.push_back(std::move(work));
}

Work* FairQueue::first(const std::function<bool(const Work&)>& ready) const {
  Work* best = nullptr;
  for (const auto& work : works_)
    if (ready(*work) && (best == nullptr || before(*work, *best))) best = work.get();
  return best;
}

std::unique_ptr<Work> FairQueue::take(const Work* work) {
  const auto found = std::find_if(works_.begin(), works_.end(),
                                  [&](const auto& other) { return other.get() == work; });
  PONDER_CHECK(found != works_.end());
  std::unique_ptr<Work> taken = std::move(*found);
  works_.erase(found);
  return taken;
}

std::vector<std::unique_ptr<Work>> FairQueue::take_all(
    const std::function<bool(const Work&)>& wanted) {
  const auto rest = std::stable_partition(works_.begin(), works_.end(),
                                          [&](const auto& work) { return !wanted(*work); });
  std::vector<std::unique_ptr<Work>> taken(std::make_move_iterator(rest),
                                           std::make_move_iterator(works_.end()));
  works_.erase(rest, works_.end());
  return taken;
}

void FairQueue::served(const std::string& client, int64_t tokens) {
  service_[client] = service(client) + static_cast<uint64_t>(tokens);
}

void FairQueue::forget_some() {
  if (service_.size() <= kMostClients) return;
  std::erase_if(service_,
                [&](const auto& entry) { return entry.second <= floor_ && !waits(entry.first); });
  if (service_.size() > kMostClients)
    std::erase_if(service_, [&](const auto& entry) { return !waits(entry.first); });
}

}  // namespace ponder
