#include "data/run/memory_budget.hpp"

#include <algorithm>

namespace ponder {
namespace {

constexpr uint64_t kFirstThread = 112 << 20, kFurtherThread = 24 << 20;
constexpr uint64_t kOfRecord = 32;  // times its length, all that a record takes

}  // namespace

int threads_within(uint64_t memory, int wanted) {
  const uint64_t further = memory < kFirstThread ? 0 : (memory - kFirstThread) / kFurtherThread;
  return static_cast<int>(
      std::min<uint64_t>(static_cast<uint64_t>(std::max(wanted, 1)), further + 1));
}

uint64_t longest_record_within(uint64_t memory) { return memory / kOfRecord; }

}  // namespace ponder
