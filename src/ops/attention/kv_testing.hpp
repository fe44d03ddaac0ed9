// Memory for a KvView in tests and benchmarks: pages of exactly the bytes they need, apart from
// each other.
#pragma once

#include <cstddef>
#include <vector>

#include "ops/attention/kv_view.hpp"

namespace ponder::testing {

struct KvMemory {
  // A cache like `shape` (of which pages, page_count and offsets are set) for `positions`.
  KvMemory(const KvView& shape, int64_t positions, std::byte fill) : view(shape) {
    view.page_count = (positions + view.page_positions - 1) / view.page_positions;
    view.key_offset = 0;
    view.value_offset = view.layout == KvLayout::kLatent ? 0 : kv_key_bytes(view);
    const auto bytes = static_cast<size_t>(kv_key_bytes(view) + kv_value_bytes(view));
    memory.assign(static_cast<size_t>(view.page_count), std::vector<std::byte>(bytes, fill));
    for (std::vector<std::byte>& page : memory) pages.push_back(page.data());
    view.pages = pages.data();
  }
  KvMemory(const KvMemory&) = delete;
  KvMemory& operator=(const KvMemory&) = delete;

  std::vector<std::vector<std::byte>> memory;
  std::vector<std::byte*> pages;
  KvView view;
};

}  // namespace ponder::testing
