#include "train/memory.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace ponder {
namespace {

std::string amount(uint64_t bytes) {
  char text[32];
  const bool large = bytes >= 1'000'000'000;
  std::snprintf(text, sizeof text, large ? "%.2f GB" : "%.1f MB",
                static_cast<double>(bytes) / (large ? 1e9 : 1e6));
  return text;
}

// The number in the first line of `path`, or behind "Name:" in kB.
uint64_t number_in(const char* path, std::string_view name = {}) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (name.empty()) return std::strtoull(line.c_str(), nullptr, 10);
    if (line.starts_with(name) && line.substr(name.size(), 1) == ":")
      return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace

uint64_t MemoryTable::total() const {
  uint64_t sum = 0;
  for (const Row& row : rows) sum += row.bytes;
  return sum * static_cast<uint64_t>(ranks);
}

std::string MemoryTable::text() const {
  size_t width = 5;
  for (const Row& row : rows) width = std::max(width, row.what.size());
  std::string text;
  const auto line = [&](std::string what, const std::string& number) {
    what.resize(width, ' ');
    text +=
        "  " + what + std::string(12 - std::min<size_t>(11, number.size()), ' ') + number + "\n";
  };
  for (const Row& row : rows) line(row.what, amount(row.bytes * static_cast<uint64_t>(ranks)));
  line("sum", amount(total()));
  if (available > 0) line("free", amount(available));
  return text;
}

Result<void> MemoryTable::check() const {
  if (available == 0 || total() <= available || rows.empty()) return {};
  const auto largest = std::max_element(
      rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.bytes < b.bytes; });
  std::string mend = largest->mend;
  if (ranks > 1) mend += (mend.empty() ? "" : "; or ") + std::string("start fewer ranks");
  return Failure{{.what = "this needs " + amount(total()) + " of memory, most of it for " +
                          largest->what + ", and " + amount(available) + " are free",
                  .where = "memory",
                  .mend = mend}};
}

// The logits and their gradient, a (T, V) matrix each, dwarf everything else of a small model; of a
// layer that is computed again every op's output is kept, and the gradient of about as much.
uint64_t activation_bytes(const Config& config, int64_t tokens, bool recompute) {
  const AttentionConfig& a = config.attention;
  int64_t attention = a.heads * a.head_dim * 2 + a.kv_heads * a.head_dim * 2;
  if (a.mla) {
    const MlaConfig& m = *a.mla;
    attention = a.heads * (2 * a.head_dim + m.nope_dim + 2 * m.value_dim) + 2 * m.q_rank +
                2 * (m.kv_rank + m.rope_dim);
  }
  int64_t feed_forward = 3 * config.ffn_width;
  if (config.moe) {
    const MoeConfig& moe = *config.moe;
    const int64_t sparse = 3 * moe.gate.chosen * moe.width + 3 * moe.shared_width +
                           2 * moe.gate.experts + moe.gate.chosen * config.hidden;
    feed_forward = std::max(moe.first_layer > 0 ? feed_forward : 0, sparse);
  }
  const int64_t layer = 2 * (6 * config.hidden + attention + feed_forward);
  const int64_t layers = config.layers + config.mtp_layers;
  const int64_t kept = (layers + 2) * config.hidden + (recompute ? 0 : layers * layer / 2);
  return static_cast<uint64_t>(tokens) * static_cast<uint64_t>(layer + kept + 2 * config.vocab) *
         sizeof(float);
}

uint64_t available_memory() {
  uint64_t available = number_in("/proc/meminfo", "MemAvailable");
  const uint64_t limit = number_in("/sys/fs/cgroup/memory.max");  // 0 for "max"
  const uint64_t used = number_in("/sys/fs/cgroup/memory.current");
  if (limit > 0) available = std::min(available, limit - std::min(limit, used));
  return available;
}

}  // namespace ponder
