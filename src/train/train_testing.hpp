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
inline void write_tiny_recipe(const TempFolder& folder, const std::string& more = "") {
  folder.write("config.json", R"({"model_type": "deepseek_v3", "vocab_size": 519,
    "hidden_size": 32, "intermediate_size": 48, "moe_intermediate_size": 16,
    "num_hidden_layers": 2, "first_k_dense_replace": 1, "num_attention_heads": 2,
    "num_key_value_heads": 2, "q_lora_rank": null, "kv_lora_rank": 16, "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 8, "v_head_dim": 8, "n_routed_experts": 4, "num_experts_per_tok": 2,
    "n_shared_experts": 1, "n_group": 1, "topk_group": 1, "topk_method": "noaux_tc",
    "scoring_func": "sigmoid", "norm_topk_prob": true, "routed_scaling_factor": 1.0,
    "num_nextn_predict_layers": 1, "rope_theta": 10000, "max_position_embeddings": 256,
    "rms_norm_eps": 1e-6, "tie_word_embeddings": false, "initializer_range": 0.05})");
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
  folder.write("recipe.toml", R"(seed = 3
[model]
config = "config.json"
mtp = true
[data]
train = "train.jsonl"
eval = "eval.jsonl"
template = "none"
length = 32
group = 48
[train]
steps = 6
batch = 5
eval_every = 3
balance = 1e-3
mtp = 0.1
[optimizer]
rate = 3e-3
warmup = 2
router_speed = 1e-3
[checkpoints]
every = 2
keep = 2
)" + more);
}

}  // namespace ponder::testing
