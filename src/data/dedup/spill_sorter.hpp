// Sorts more records than fit into memory: sorted runs go to files, which are then merged.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <queue>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.hpp"
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
  // A sorted file, read a block at a time: mapped pages would count as memory too.
  class Run {
   public:
    explicit Run(const std::filesystem::path& path) : file_(path, std::ios::binary) {}

    // The next record; nullptr at the end.
    const Record* next() {
      if (++at_ < block_.size()) return &block_[at_];
      block_.resize(kBlock);
      file_.read(reinterpret_cast<char*>(block_.data()), kBlock * sizeof(Record));
      block_.resize(static_cast<size_t>(file_.gcount()) / sizeof(Record));
      at_ = 0;
      return block_.empty() ? nullptr : &block_[0];
    }
    bool failed() const { return file_.bad() || !file_.is_open(); }

   private:
    static constexpr size_t kBlock = (256 << 10) / sizeof(Record);
    std::ifstream file_;
    std::vector<Record> block_;
    size_t at_ = 0;
  };

  struct Cursor {
    Record record;
    size_t run;
    bool operator<(const Cursor& other) const { return other.record < record; }  // heap of least
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
    std::vector<Run> runs;
    std::priority_queue<Cursor> heap;
    const auto push_next = [&](size_t run) -> Result<void> {
      const Record* record = runs[run].next();
      if (record != nullptr) heap.push({*record, run});
      if (!runs[run].failed()) return {};
      return Failure{{.what = "a sorted file cannot be read back", .where = runs_[run].string()}};
    };
    for (size_t run = 0; run < runs_.size(); ++run) {
      runs.emplace_back(runs_[run]);
      PONDER_TRY(push_next(run));
    }
    while (!heap.empty()) {
      const Cursor least = heap.top();
      heap.pop();
      visit(least.record);
      PONDER_TRY(push_next(least.run));
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
