// What steers one sequence, token by token: which tokens may come next, or which one must.
// V vocabulary.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace ponder {

// One guide belongs to one sequence and is used by one thread at a time. The order of calls for
// each token: forced(), and if there is none allowed(); then accept() with what was chosen.
class TokenGuide {
 public:
  virtual ~TokenGuide() = default;

  // The token that comes next whatever the model says, or none.
  virtual std::optional<int32_t> forced() { return std::nullopt; }

  // The tokens that may come next: bit i % 64 of word i / 64, ⌈V/64⌉ words. Empty: all may. At
  // least one bit is set. Valid until accept().
  virtual std::span<const uint64_t> allowed() = 0;

  // The sequence goes on with `token`, which was forced or allowed.
  virtual void accept(int32_t token) = 0;

  // Nothing can follow: the sequence ends here, as if the model had ended it.
  virtual bool finished() const { return false; }
};

}  // namespace ponder
