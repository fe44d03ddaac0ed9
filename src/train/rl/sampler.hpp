// From problems to judged answers: prompts are sampled by the ranks that own them, judged there,
// and then known to all.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "train/communicator.hpp"
#include "train/rl/prompt_format.hpp"
#include "train/rl/reward.hpp"
#include "train/rl/rollout.hpp"
#include "train/rl/store.hpp"

namespace ponder {

struct NumberedProblem {
  int64_t index = 0;  // in its stream
  Problem problem;
};

struct SampleRequest {
  std::vector<NumberedProblem> problems = {};  // of one call, with different indices
  uint64_t seed = 0, step = 0;                 // with the index: of what is drawn
  int samples = 1;
  float temperature = 1.0f;  // 0: greedy
  std::string begun = {};    // what each answer begins with
};

// What works on a sampler's behalf; all of it outlives the sampler.
struct SamplerParts {
  const Tokenizer* tokenizer = nullptr;
  const PromptFormat* format = nullptr;
  RolloutEngine* engine = nullptr;
  Rewarder* rewarder = nullptr;
  Communicator* ranks = nullptr;
  ThreadPool* pool = nullptr;
  std::function<bool()> stop = {};
  std::function<void(int64_t done, int64_t total)> progress = {};  // answers
};

class Sampler {
 public:
  explicit Sampler(SamplerParts parts) : parts_(std::move(parts)) {}

  // Ordered by problem, as given, and sample; the same on all ranks, bit for bit, however many
  // there are. Errors of any rank, "stopped" among them, are all ranks' errors.
  Result<std::vector<Rollout>> sample(const SampleRequest& request);

 private:
  Result<std::vector<Rollout>> sample_own(const SampleRequest& request);
  Result<void> judge(std::vector<Rollout>& rollouts);
  Result<std::vector<Rollout>> exchange(Result<std::vector<Rollout>> own);

  SamplerParts parts_;
};

// What was done on this rank, if all ranks have done it; else an error on all.
Result<void> agreed(Communicator& ranks, const Result<void>& done);

// The tokens of an answer without its end token, as text.
std::string answer_text(const Tokenizer& tokenizer, const RolloutAnswer& answer);

}  // namespace ponder
