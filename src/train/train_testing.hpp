// What the tests of training share: a recipe with a tiny model from nothing, its data, and ranks
// that are threads of one process.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "testing/temp_folder.hpp"
#include "train/communicator.hpp"
#include "train/run.hpp"

namespace ponder::testing {

// Ranks as threads: what one hands over the others read between two barriers.
class ThreadRanks {
 public:
  explicit ThreadRanks(int size)
      : size_(size), barrier_(size), handed_(static_cast<size_t>(size)) {}

  // body(communicator) on each rank at once.
  void run(const std::function<void(Communicator&)>& body) {
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size_; ++rank)
      threads.emplace_back([this, rank, &body] {
        Rank communicator(*this, rank);
        body(communicator);
      });
    for (std::thread& thread : threads) thread.join();
  }

 private:
  class Rank : public Communicator {
   public:
    Rank(ThreadRanks& all, int rank) : all_(all), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return all_.size_; }
    void sum(std::span<float> values) override { add(values); }
    void sum(std::span<double> values) override { add(values); }
    void sum(std::span<int64_t> values) override { add(values); }
    std::vector<std::string> gather(const std::string& bytes) override {
      hand(bytes);
      std::vector<std::string> result = all_.handed_;
      barrier();
      return result;
    }
    void broadcast(std::string& bytes) override { bytes = gather(bytes)[0]; }
    void barrier() override { all_.barrier_.arrive_and_wait(); }
    void abort(int) override {}

   private:
    void hand(const std::string& bytes) {
      all_.handed_[static_cast<size_t>(rank_)] = bytes;
      barrier();
    }
    template <typename T>
    void add(std::span<T> values) {
      for (int distance = 1; distance < all_.size_; distance *= 2) {
        hand(std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes()));
        std::vector<T> theirs(values.size());
        const std::string& bytes = all_.handed_[static_cast<size_t>(rank_ ^ distance)];
        EXPECT_EQ(bytes.size(), values.size_bytes());
        std::copy_n(bytes.data(), values.size_bytes(), reinterpret_cast<char*>(theirs.data()));
        barrier();
        for (size_t i = 0; i < values.size(); ++i) values[i] += theirs[i];
      }
    }
    ThreadRanks& all_;
    int rank_;
  };

  int size_;
  std::barrier<> barrier_;
  std::vector<std::string> handed_;
};

// A folder with config.json, tokenizer.json, data and recipe.toml.
inline void write_tiny_recipe(const TempFolder& folder) {
  const std::string files = "tests/golden/train/";
  folder.write("config.json", content_of(files + "config.json"));
  folder.write("tokenizer.json", content_of("tests/golden/text/qwen2.tokenizer.json"));
  folder.write("tokenizer_config.json", R"({"eos_token": "<｜end▁of▁sentence｜>"})");
  std::string train, held_out;
  for (int i = 0; i < 60; ++i) {
    const std::string a = std::to_string(i % 10), b = std::to_string(i / 10);
    const std::string line = R"({"prompt": ")" + a + "+" + b + R"(=", "answer": ")" +
                             std::to_string(i % 10 + i / 10) + "\"}\n";
    (i % 6 == 5 ? held_out : train) += line;
  }
  folder.write("train.jsonl", train);
  folder.write("eval.jsonl", held_out);
  folder.write("recipe.toml", content_of(files + "recipe.toml"));
}

}  // namespace ponder::testing
