// How fast a model runs on this machine: prompts and decoding, for `ponder bench`.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "device/profile.hpp"
#include "model/model.hpp"
#include "ops/roofline/roofline.hpp"

namespace ponder {

// Either a prompt of so many tokens, of one sequence from an empty cache, or so many tokens
// generated one by one by each of `batch` sequences that have `depth` tokens before.
struct SpeedTest {
  int64_t prompt = 0, gen = 0;
  int64_t batch = 1, depth = 0;  // of gen

  std::string name() const;                                                // "pp512", "tg64"
  int64_t tokens() const { return prompt > 0 ? prompt : gen * batch; }     // that are timed
  int64_t positions() const { return prompt > 0 ? prompt : depth + gen; }  // of a sequence
};

struct SpeedOptions {
  int repeats = 3;
  DType kv_dtype = DType::kF16;
  const std::atomic<bool>* stop = nullptr;  // looked at before each layer
  ProgressSink progress = {};               // unit "runs"; may stop the work
};

struct SpeedResult {
  std::vector<double> seconds;  // of each repeat, ascending
  double median = 0;            // of them
  Cost cost;                    // of one repeat
  Profile profile;              // of all repeats
};

// Runs the test once to warm up, then `repeats` times. Tokens are random from a fixed seed,
// whatever the model says, so that sequences do not fall into the same words; each generated one is
// preceded by the greedy choice from the logits, as in an answer. Filling the cache to `depth` is
// not timed. Errors: those of KvCache::create() and forward_batch(), "stopped".
Result<SpeedResult> measure_speed(const Context& context, const Model& model, const SpeedTest& test,
                                  const SpeedOptions& options = {});

// The least time for a cost: its bytes of memory at the speed of reading, or its multiply-adds at
// the speed of multiplying, whichever takes longer.
struct SpeedLimit {
  double memory_seconds = 0;    // memory_bytes / bytes_per_second
  double multiply_seconds = 0;  // int8_products / int8 rate + float_products / float rate
  double seconds() const { return std::max(memory_seconds, multiply_seconds); }
};
SpeedLimit speed_limit(const Cost& cost, const Roofline& roofline);

}  // namespace ponder
