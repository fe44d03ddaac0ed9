// Whether problems of a suite stand in the texts that a model was trained on: words of theirs in
// the same order, ten at a time, as DeepSeek-R1's authors and others looked for them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "judge/problem.hpp"

namespace ponder {

// What a problem shares with the training set.
struct Overlap {
  int64_t ngrams = 0;  // different ones of the problem and its solution
  int64_t found = 0;   // of them, somewhere in the training set
  std::string where;   // the first place: file and line or record
  std::string words;   // of that place

  Json json() const;
};
// Of Overlap::json(): null, {"ngrams", "found", "where", "words"}.
bool is_contaminated(const Json& overlap);

class ContaminationCheck {
 public:
  // A text of fewer than `n` words counts as one n-gram of all its words, if it has at least five.
  explicit ContaminationCheck(const std::vector<Problem>& problems, size_t n = 10);

  // A file of a training set: .jsonl (each text of each record), .gz of these, or plain text.
  // Errors: broken records, "stopped".
  Result<void> read(const std::filesystem::path& file, const ProgressSink& progress);
  void add(std::string_view document, const std::string& where);

  // One for each problem.
  const std::vector<Overlap>& overlaps() const { return overlaps_; }

 private:
  struct Place {
    size_t problem = 0;
    bool found = false;
  };
  using Table = std::unordered_multimap<uint64_t, Place>;

  void learn(std::string_view text, size_t problem);

  size_t n_;
  std::unordered_map<size_t, Table> tables_;  // by length
  std::vector<Overlap> overlaps_;
};

}  // namespace ponder
