// Sorts more records than fit into memory: sorted runs go to files, which are then merged.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <queue>
#include <string>
#include <type_traits>
#include <vector>

#include "base/file.hpp"
#include "data/io/shard_file.hpp"

namespace ponder {

// Record: plain data with an operator< that is a total order.
template <typename Record>
class SpillSorter {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  // Holds at most `memory` bytes of records; files are named after `name`, in `folder`.
  SpillSorter(std::filesystem::path folder, std::string name, uint64_t memory)
      : folder_(std::move(folder)),
        name_(std::move(name)),
        most_(std::max<size_t>(static_cast<size_t>(memory / sizeof(Record)), 1024)) {}
  ~SpillSorter() {
    std::error_code ignored;
    for (const auto& file : runs_) std::filesystem::remove(file, ignored);
  }
  SpillSorter(const SpillSorter&) = delete;
  SpillSorter& operator=(const SpillSorter&) = delete;

  Result<void> add(const Record& record) {
    if (records_.size() == records_.capacity())
      records_.reserve(std::min(most_, std::max<size_t>(2 * records_.size(), 1024)));
    records_.push_back(record);
    return records_.size() < most_ ? Result<void>{} : spill();
  }

  // Calls visit(record) for every record in ascending order.
  template <typename Visit>
  Result<void> for_each(Visit&& visit) {
    if (runs_.empty()) {
      std::sort(records_.begin(), records_.end());
      for (const Record& record : records_) visit(record);
      return {};
    }
    if (!records_.empty()) PONDER_TRY(spill());
    records_ = {};
    return merge(visit);
  }

  size_t runs() const { return runs_.size(); }

 private:
  struct Cursor {
    const Record* at;
    const Record* end;
    bool operator<(const Cursor& other) const { return *other.at < *at; }  // for a heap of least
  };

  Result<void> spill() {
    std::sort(records_.begin(), records_.end());
    const auto path = folder_ / (name_ + "-run" + std::to_string(runs_.size()));
    runs_.push_back(path);
    ShardFile file = PONDER_TRY(ShardFile::open(path, Packing::kNone, 0));
    PONDER_TRY(file.write(
        {reinterpret_cast<const char*>(records_.data()), records_.size() * sizeof(Record)}));
    PONDER_TRY(file.flush_all());
    records_.clear();
    return {};
  }

  template <typename Visit>
  Result<void> merge(Visit& visit) {
    std::vector<MappedFile> files;
    std::priority_queue<Cursor> heap;
    for (const auto& path : runs_) {
      files.push_back(PONDER_TRY(MappedFile::open(path)));
      const auto bytes = files.back().bytes();
      const auto* begin = reinterpret_cast<const Record*>(bytes.data());
      if (!bytes.empty()) heap.push({begin, begin + bytes.size() / sizeof(Record)});
    }
    while (!heap.empty()) {
      Cursor least = heap.top();
      heap.pop();
      visit(*least.at);
      if (++least.at < least.end) heap.push(least);
    }
    return {};
  }

  std::filesystem::path folder_;
  std::string name_;
  size_t most_;
  std::vector<Record> records_;
  std::vector<std::filesystem::path> runs_;
};

}  // namespace ponder
