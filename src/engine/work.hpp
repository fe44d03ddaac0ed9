// A request and its choices, as the scheduler holds them. Private to this module.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine.hpp"
#include "engine/sequence.hpp"

namespace ponder {

// What was submitted: a generation with its sink, or an embedding with its own.
struct Job {
  uint64_t id = 0;
  GenerationRequest request;  // of an embedding: its tokens, client and priority
  std::shared_ptr<GenerationSink> sink;
  EmbeddingSink embedding = {};
  Pooling pooling = Pooling::kLast;
  std::chrono::steady_clock::time_point submitted = {};
  int open = 0;               // choices that have not ended
  bool prompt_known = false;  // the first choice's prompt went through the model
  bool failed = false;

  bool embeds() const { return static_cast<bool>(embedding); }
};

// A chosen token that the sink has not seen.
struct Chosen {
  int32_t token = 0;
  bool end = false;  // ends the choice and is not part of it
  float log_probability = 0.0f;
  std::vector<LikelyToken> likely = {};
};

// One choice of a request.
struct Work {
  std::shared_ptr<Job> job;
  int choice = 0;
  uint64_t arrival = 0;                          // the order in which works came; 0: not known yet
  std::unique_ptr<Sequence> sequence = nullptr;  // while it runs
  std::vector<int32_t> tokens = {};              // while it does not: prompt and generated
  std::unique_ptr<TokenGuide> guide = nullptr;
  int64_t generated = 0;
  int64_t cached = -1;  // tokens of the prompt that the cache had; −1: has not run
  DraftCounts drafts = {};
  int64_t allowed = 0;  // tokens in this step
  uint64_t step = 0;    // the last one that it was part of
  bool done = false;
  std::vector<Chosen> chosen = {};       // of this step
  std::vector<Chosen> prompt_rows = {};  // if asked for, so far
  std::vector<double> sum = {};          // (H) of hidden states, of an embedding
  std::chrono::steady_clock::time_point started = {}, first_token = {};

  const GenerationRequest& request() const { return job->request; }
  int64_t prompt() const { return std::ssize(job->request.prompt); }
  int64_t most_tokens() const {
    return request().max_tokens < 0 ? INT64_MAX : request().max_tokens;
  }
};

// Chooses the next tokens of `work` from the logits of its last step, one after the other while
// guesses turn out right, into work.chosen. logits: (rows, V), scratch.
void choose_tokens(Work& work, std::span<float> logits, int64_t vocab);

// Tokens that a guide does not allow can not be drawn any more; some allowed one always can. A word
// of 64 tokens at a time: most words allow all or nothing. An empty mask allows everything.
// logits: (V); allowed: (ceil(V / 64)), one at least.
void mask_logits(std::span<float> logits, std::span<const uint64_t> allowed);

// A row's log-probabilities: of `token`, and of the `likely` likeliest (ties: the lower id first).
Chosen log_probabilities(std::span<const float> logits, int32_t token, int likely);

}  // namespace ponder
