// Sorts more records than fit into memory: sorted runs go to files, which are then merged.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.hpp"
#include "base/thread_pool.hpp"
#include "data/io/shard_file.hpp"

namespace ponder {

// Record: plain data with an operator< that is a total order, so what comes out does not depend on
// how many threads and runs there were.
template <typename Record>
class SpillSorter {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  // Holds at most `memory` bytes of records, on top of up to 16 MB while it merges; files are named
  // after `name`, in `folder`.
  SpillSorter(std::filesystem::path folder, std::string name, uint64_t memory, ThreadPool& pool)
      : folder_(std::move(folder)),
        name_(std::move(name)),
        most_(std::max<size_t>(static_cast<size_t>(memory / sizeof(Record)), 1024)),
        pool_(pool) {}
  ~SpillSorter() {
    for (const Run& run : runs_) remove(run);
  }
  SpillSorter(const SpillSorter&) = delete;
  SpillSorter& operator=(const SpillSorter&) = delete;

  Result<void> add(const Record& record) {
    if (records_.size() == records_.capacity()) grow();
    records_.push_back(record);
    return records_.size() < most_ ? Result<void>{} : spill();
  }

  // Calls visit(record) for every record in ascending order.
  template <typename Visit>
  Result<void> for_each(Visit&& visit) {
    if (!runs_.empty()) {
      if (!records_.empty()) PONDER_TRY(spill());
      give_back();
      return merge_files(runs_, visit);
    }
    std::vector<Source> sources;
    const auto pieces = this->pieces();
    pool_.run(static_cast<int64_t>(pieces.size()), [&](int64_t piece, int) {
      const std::span<Record> records = pieces[static_cast<size_t>(piece)];
      std::sort(records.begin(), records.end());
    });
    for (const std::span<Record> piece : pieces) sources.emplace_back(piece);
    return merge(sources, visit);
  }

  size_t runs() const { return runs_.size(); }

 private:
  // As many files are merged at once; more are merged to longer ones first, since a process may
  // have 1024 files open. Their blocks together take 16 MB.
  static constexpr size_t kFanIn = 64;
  static constexpr size_t kBlock = (256 << 10) / sizeof(Record);
  static constexpr size_t kLeastPiece = 1 << 16;  // records, for which a thread is worth its while

  // A sorted file. Its records come from spills (level 0), or from kFanIn files of the level below.
  struct Run {
    std::filesystem::path path;
    int level = 0;
  };

  // Sorted records in memory, or in a file that is read a block at a time: mapped pages would count
  // as memory too.
  class Source {
   public:
    explicit Source(std::span<const Record> records) : records_(records) {}
    explicit Source(const Run& run) : file_(run.path, std::ios::binary), in_file_(true) {}

    // The next record; nullptr at the end.
    const Record* next() {
      if (at_ == records_.size() && in_file_) read_block();
      return at_ == records_.size() ? nullptr : &records_[at_++];
    }
    bool failed() const { return in_file_ && (file_.bad() || !file_.is_open()); }

   private:
    void read_block() {
      block_.resize(kBlock);
      file_.read(reinterpret_cast<char*>(block_.data()), kBlock * sizeof(Record));
      records_ = std::span(block_).first(static_cast<size_t>(file_.gcount()) / sizeof(Record));
      at_ = 0;
    }

    std::span<const Record> records_;
    size_t at_ = 0;
    std::ifstream file_;
    bool in_file_ = false;
    std::vector<Record> block_;
  };

  struct Cursor {
    Record record;
    size_t source;
  };

  static void remove(const Run& run) {
    std::error_code ignored;
    std::filesystem::remove(run.path, ignored);
  }

  void give_back() { std::vector<Record>().swap(records_); }  // `= {}` would keep the memory

  // By doubling; at the last step old and new memory together are not more than the limit.
  void grow() {
    const size_t twice = std::max<size_t>(2 * records_.size(), 1024);
    records_.reserve(twice <= most_ / 2 ? twice : most_);
  }

  // The records cut in a piece for each thread.
  std::vector<std::span<Record>> pieces() {
    const size_t count =
        std::clamp<size_t>(records_.size() / kLeastPiece, 1, static_cast<size_t>(pool_.size()));
    std::vector<std::span<Record>> pieces;
    for (size_t i = 0; i < count; ++i) {
      const size_t begin = records_.size() * i / count;
      pieces.push_back(
          std::span(records_).subspan(begin, records_.size() * (i + 1) / count - begin));
    }
    return pieces;
  }

  Run new_run(int level) { return {folder_ / (name_ + "-run" + std::to_string(made_++)), level}; }

  static Result<void> write_sorted(const Run& run, std::span<Record> records) {
    std::sort(records.begin(), records.end());
    ShardFile file = PONDER_TRY(ShardFile::open(run.path, Packing::kNone, 0));
    PONDER_TRY(file.write(
        {reinterpret_cast<const char*>(records.data()), records.size() * sizeof(Record)}));
    return file.flush_all();
  }

  // Each thread sorts and writes a run of its own.
  Result<void> spill() {
    const auto pieces = this->pieces();
    std::vector<Run> runs;
    for (size_t i = 0; i < pieces.size(); ++i) runs.push_back(new_run(0));
    std::vector<Result<void>> written(pieces.size());
    pool_.run(static_cast<int64_t>(pieces.size()), [&](int64_t piece, int) {
      const auto i = static_cast<size_t>(piece);
      written[i] = write_sorted(runs[i], pieces[i]);
    });
    runs_.insert(runs_.end(), runs.begin(), runs.end());
    for (Result<void>& result : written) PONDER_TRY(std::move(result));
    records_.clear();
    return lengthen();
  }

  // While the last kFanIn files are of one level they become one of the next.
  Result<void> lengthen() {
    while (runs_.size() >= kFanIn && runs_[runs_.size() - kFanIn].level == runs_.back().level) {
      give_back();
      const std::vector<Run> merged(runs_.end() - kFanIn, runs_.end());
      const Run longer = new_run(merged[0].level + 1);
      ShardFile file = PONDER_TRY(ShardFile::open(longer.path, Packing::kNone, 0));
      Result<void> written;
      PONDER_TRY(merge_files(merged, [&](const Record& record) {
        if (written.ok())
          written = file.write({reinterpret_cast<const char*>(&record), sizeof(Record)});
      }));
      PONDER_TRY(std::move(written));
      PONDER_TRY(file.flush_all());
      for (const Run& run : merged) remove(run);
      runs_.resize(runs_.size() - kFanIn);
      runs_.push_back(longer);
    }
    return {};
  }

  template <typename Visit>
  static Result<void> merge_files(const std::vector<Run>& runs, Visit&& visit) {
    std::vector<Source> sources;
    for (const Run& run : runs) {
      sources.emplace_back(run);
      if (sources.back().failed()) return unreadable(run);
    }
    PONDER_TRY(merge(sources, visit));
    for (size_t i = 0; i < runs.size(); ++i)
      if (sources[i].failed()) return unreadable(runs[i]);
    return {};
  }

  static Failure unreadable(const Run& run) {
    return Failure{{.what = "a sorted file cannot be read back", .where = run.path.string()}};
  }

  template <typename Visit>
  static Result<void> merge(std::vector<Source>& sources, Visit&& visit) {
    const auto goes_behind = [](const Cursor& a, const Cursor& b) { return b.record < a.record; };
    std::vector<Cursor> heap;  // the least in front
    for (size_t i = 0; i < sources.size(); ++i)
      if (const Record* record = sources[i].next()) heap.push_back({*record, i});
    std::make_heap(heap.begin(), heap.end(), goes_behind);
    while (!heap.empty()) {
      visit(heap.front().record);
      if (const Record* record = sources[heap.front().source].next()) {
        heap.front().record = *record;
      } else {
        heap.front() = heap.back();
        heap.pop_back();
      }
      sink(heap);
    }
    return {};
  }

  // Moves the front down to where it belongs.
  static void sink(std::vector<Cursor>& heap) {
    for (size_t at = 0, below = 1; below < heap.size(); at = below, below = 2 * at + 1) {
      if (below + 1 < heap.size() && heap[below + 1].record < heap[below].record) ++below;
      if (!(heap[below].record < heap[at].record)) return;
      std::swap(heap[at], heap[below]);
    }
  }

  std::filesystem::path folder_;
  std::string name_;
  size_t most_;
  ThreadPool& pool_;
  std::vector<Record> records_;
  std::vector<Run> runs_;
  size_t made_ = 0;  // files so far, for their names
};

}  // namespace ponder
