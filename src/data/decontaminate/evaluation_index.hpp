// The n-grams of evaluation items, to find training documents that hold them.
//
// DeepSeek-R1 (arXiv:2501.12948) drops training texts that share a 10-gram with a question or
// solution; DeepSeekMath (arXiv:2402.03300) adds whole matches of items of 3 to 9 words; GPT-3
// (arXiv:2005.14165, appendix C) cuts 13-grams with 200 characters on both sides.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "data/ngrams.hpp"

namespace ponder {

struct EvaluationItem {
  std::string id;     // "FILE:NUMBER", or the item's own id with the file before it
  std::string field;  // where its text stands
};

class EvaluationIndex {
 public:
  // n: words of a run; shorter texts of at least `shortest` words are looked for as a whole.
  EvaluationIndex(int n, int shortest) : n_(n), shortest_(shortest) {}

  // All texts of a file: JSONL (each field that is a text, or those named in `fields`), or plain
  // text, which is one item. Bad lines are errors: a hole in the index would be silent.
  Result<void> add_file(const std::string& path, const std::vector<std::string>& fields);
  void add_text(std::string_view text, EvaluationItem item);

  struct Hit {
    size_t word = 0, words = 0;  // of the document
    uint32_t item = 0;
  };
  // The first run of words, from word `from` on, that an item holds; words = 0: none.
  Hit find(const std::vector<NormalWord>& words, size_t from) const;

  const EvaluationItem& item(uint32_t number) const { return items_[number]; }
  size_t items() const { return items_.size(); }
  size_t runs() const { return runs_.size(); }

 private:
  int n_, shortest_;
  std::vector<EvaluationItem> items_;
  std::unordered_map<uint64_t, uint32_t> runs_;  // hash of n words → the first item with them
  // For each length below n: whole items of that length.
  std::vector<std::unordered_map<uint64_t, uint32_t>> whole_;
};

}  // namespace ponder
