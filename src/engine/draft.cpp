#include "engine/draft.hpp"

#include <algorithm>

namespace ponder {
namespace {

constexpr int64_t kPatience = 2;      // misses before the first pause
constexpr int64_t kMaxDoublings = 4;  // of the pause

}  // namespace

void DraftLength::learn(int64_t drafted, int64_t accepted) {
  PONDER_CHECK(drafted > 0 && accepted >= 0 && accepted <= drafted);
  if (accepted > 0) {
    misses_ = 0;
    // A draft may have been short for want of room.
    length_ = accepted == drafted ? std::min(most_, std::max(length_, 2 * drafted)) : accepted + 1;
    return;
  }
  length_ = 1;
  ++misses_;
  if (misses_ >= kPatience) pause_ = int64_t{2} << std::min(misses_ - kPatience, kMaxDoublings);
}

Result<std::unique_ptr<Drafter>> make_drafter(const Context& context, const Model& model,
                                              const DrafterOptions& options) {
  if (options.speculation == Speculation::kMtp) return make_mtp_drafter(context, model, options);
  return options.speculation == Speculation::kLookup ? make_lookup_drafter() : nullptr;
}

}  // namespace ponder
