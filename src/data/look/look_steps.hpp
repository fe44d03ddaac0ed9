// Steps that only look: statistics of a corpus, and a sample of it.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "data/run/step.hpp"
#include "data/run/tally.hpp"

namespace ponder {

// Sums over documents; the same for any number of threads.
class CorpusStats : public DocumentStep {
 public:
  // With `languages` each text's language is found too, which takes most of the time then.
  explicit CorpusStats(bool languages) : languages_(languages) {}

  std::string_view name() const override { return "counting"; }
  bool writes_documents() const override { return false; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override;

  OrderedJson to_json() const;

 private:
  bool languages_;
  std::mutex mutex_;
  uint64_t documents_ = 0, bytes_ = 0, chars_ = 0, words_ = 0, lines_ = 0;
  std::array<uint64_t, 40> by_size_ = {};  // documents with 2^i ≤ characters < 2^(i+1)
  std::map<std::string, uint64_t> by_language_;
};

// Keeps documents by a hash of seed and id, so that the same ones are chosen whatever the shards.
// Which of them depends on nothing else: a smaller fraction keeps a part of what a larger one
// keeps.
class SampleStep : public DocumentStep {
 public:
  SampleStep(uint64_t seed, uint64_t limit) : seed_(seed), limit_(limit) {}

  std::string_view name() const override { return "sampling"; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override;

  static uint64_t order_of(uint64_t seed, std::string_view id);
  static uint64_t limit_of(double fraction);

 private:
  uint64_t seed_, limit_;  // documents with order_of() ≤ limit stay
};

// Finds the limit for a number of documents.
class SampleLimit : public DocumentStep {
 public:
  SampleLimit(uint64_t seed, size_t count) : seed_(seed), count_(count) {}

  std::string_view name() const override { return "choosing"; }
  bool writes_documents() const override { return false; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override;

  uint64_t limit() const { return least_.size() < count_ ? UINT64_MAX : least_.front(); }

 private:
  uint64_t seed_;
  size_t count_;
  std::mutex mutex_;
  std::vector<uint64_t> least_;  // a heap, the largest first
};

}  // namespace ponder
