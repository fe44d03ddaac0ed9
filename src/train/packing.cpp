#include "train/packing.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/rng.hpp"

namespace ponder {
namespace {

// Streams of random numbers that belong to the order of data.
constexpr uint64_t kStream = 0x6461'7461'0000'0000;

template <typename T>
void shuffle(std::vector<T>& values, Rng rng) {
  for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[rng.next_below(i)]);
}

}  // namespace

GroupOrder::GroupOrder(std::vector<int64_t> lengths, const PackingOptions& options)
    : lengths_(std::move(lengths)), options_(options) {
  pack(0);
  groups_ = static_cast<int64_t>(packed_.size());
}

std::span<const int64_t> GroupOrder::group(int64_t index) {
  if (index / groups_ != epoch_) pack(index / groups_);
  return packed_[static_cast<size_t>(index % groups_)];
}

// Best fit, longest first: an example goes into the group that it leaves the least room in. How
// many groups there are follows from the lengths alone; which of equally long examples meet is
// shuffled.
void GroupOrder::pack(int64_t epoch) {
  epoch_ = epoch;
  packed_.clear();
  std::vector<int64_t> order(lengths_.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const uint64_t stream = kStream + 2 * static_cast<uint64_t>(epoch);
  if (options_.shuffle) shuffle(order, Rng(options_.seed, stream));
  const auto length = [&](int64_t i) { return lengths_[static_cast<size_t>(i)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return length(a) > length(b); });
  std::multimap<int64_t, size_t> room;  // tokens that still fit → group
  for (const int64_t example : order) {
    auto best = room.lower_bound(length(example));
    size_t group = packed_.size();
    int64_t left = options_.group_tokens - length(example);
    if (best != room.end()) {
      group = best->second;
      left = best->first - length(example);
      room.erase(best);
    } else {
      packed_.emplace_back();
    }
    packed_[group].push_back(example);
    if (left > 0) room.emplace(left, group);
  }
  if (options_.shuffle) shuffle(packed_, Rng(options_.seed, stream + 1));
}

}  // namespace ponder
