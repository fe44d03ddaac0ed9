// Guesses at the tokens that come next. Session checks them all in one forward pass, so a guess
// changes how long an answer takes, never what it is. H: width of the hidden states.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "device/context.hpp"
#include "model/kv_pool.hpp"
#include "model/model.hpp"

namespace ponder {

class Drafter {
 public:
  virtual ~Drafter() = default;

  // Appends up to `most` (> 0) guesses at what follows `tokens` to `out`; none is fine. Every token
  // but the last has been observed.
  virtual Result<void> draft(std::span<const int32_t> tokens, int64_t most,
                             std::vector<int32_t>& out) = 0;

  // Whether observe() is to be called.
  virtual bool wants_hidden() const { return false; }
  // The model's hidden states (after the final norm) of the next `rows` positions of `tokens`.
  // Positions come in order, each once. hidden: (rows, H). After an error they count as observed.
  virtual Result<void> observe(std::span<const int32_t> /*tokens*/, const float* /*hidden*/,
                               int64_t /*rows*/) {
    return {};
  }
  // The sequence will differ from position `length` on, which is at most the number of observed
  // positions. Returns how many positions stay observed: `length`, or less if the hidden states of
  // some are needed again.
  virtual int64_t keep(int64_t length) { return length; }

  // A new sequence, of whose first `length` positions the states will never come.
  virtual void begin(int64_t /*length*/) {}

  virtual uint64_t bytes() const { return 0; }  // of its cache
};

enum class Speculation {
  kOff,
  kLookup,  // the tokens that followed the last time that the same ones were seen
  kMtp,     // the model's multi-token-prediction block
};

struct DrafterOptions {
  Speculation speculation = Speculation::kOff;
  int64_t context = 4096;                  // as in SessionOptions
  DType kv_dtype = DType::kF16;            // likewise
  std::shared_ptr<KvPool> pool = nullptr;  // of one layer, for its cache; null: one of its own
};

// The drafter for a Session of `model`, which must outlive it; null for kOff. Errors: the model was
// opened without its multi-token-prediction block, no memory for its cache.
Result<std::unique_ptr<Drafter>> make_drafter(const Context& context, const Model& model,
                                              const DrafterOptions& options);

std::unique_ptr<Drafter> make_lookup_drafter();
Result<std::unique_ptr<Drafter>> make_mtp_drafter(const Context& context, const Model& model,
                                                  const DrafterOptions& options);

// How many tokens the next draft should have: more after drafts that were right to the end, fewer
// after others, and none for a while when they are wrong again and again. Counts tokens, not time,
// so that a run can be repeated.
class DraftLength {
 public:
  explicit DraftLength(int64_t most) : most_(most), length_(std::min<int64_t>(most, 4)) {}

  // 0: do not draft this time.
  int64_t next() {
    if (pause_ > 0) --pause_;
    return pause_ > 0 ? 0 : length_;
  }
  // Of `drafted` (> 0) tokens the first `accepted` were right.
  void learn(int64_t drafted, int64_t accepted);

 private:
  int64_t most_;
  int64_t length_;
  int64_t misses_ = 0;  // drafts in a row of which nothing was right
  int64_t pause_ = 0;   // calls of next() until there is a draft again
};

}  // namespace ponder
