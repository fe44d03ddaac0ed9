// Which documents are duplicates of which: pairs found anywhere become components, of which the
// smallest id stays.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/thread_pool.hpp"
#include "data/dedup/notes.hpp"
#include "data/run/peers.hpp"
#include "data/run/run_folder.hpp"

namespace ponder {

// Components of documents joined by pairs.
class Components {
 public:
  void join(Ordinal a, Ordinal b);
  // Every document that was joined with another, ascending; `root` is the least of its component.
  struct Member {
    Ordinal document, root;
  };
  std::vector<Member> members();

 private:
  uint32_t index_of(Ordinal ordinal);
  uint32_t find(uint32_t index);

  std::unordered_map<Ordinal, uint32_t> index_;
  std::vector<Ordinal> ordinals_;
  std::vector<uint32_t> parents_;
};

// For each document to remove, the id of the one that stays.
class DuplicateMap {
 public:
  void add(Ordinal document, std::string_view kept);
  const std::string* find(Ordinal document) const;  // nullptr: it stays
  size_t size() const { return kept_.size(); }

 private:
  std::unordered_map<Ordinal, uint32_t> kept_;
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<std::string> ids_;
};

struct MatchOptions {
  size_t keys = 1;        // of each document's notes
  size_t key_bytes = 16;  // 8 or 16
  uint64_t memory = 1 << 30;
  ProgressSink progress;
};

// Finds documents that share a key, among the notes of all shards; every process reads those of its
// own. The same result everywhere, for any number of shards, processes and threads. Pairs and ids
// of documents that have a duplicate are held in memory; all else is sorted within `memory`.
Result<DuplicateMap> match_duplicates(const RunFolder& folder, Peers& peers,
                                      const MatchOptions& options, ThreadPool& pool);

}  // namespace ponder
