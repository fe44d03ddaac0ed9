// Prompt lookup (Saxena 2023, "Prompt lookup decoding"): text that is quoted, edited or repeated
// goes on as it did before.
#include <algorithm>

#include "engine/draft.hpp"

namespace ponder {
namespace {

constexpr size_t kShortest = 3;  // tokens that must agree; two agree by chance too often
constexpr size_t kLongest = 16;  // more than that are as good as certain

// How many tokens before `end` agree with the last ones, at most kLongest.
size_t common_end(std::span<const int32_t> tokens, size_t end) {
  const size_t most = std::min(end, kLongest);
  size_t count = 0;
  while (count < most && tokens[end - 1 - count] == tokens[tokens.size() - 1 - count]) ++count;
  return count;
}

class LookupDrafter : public Drafter {
 public:
  // What followed the place that agrees with the end for longest; of several the last.
  Result<void> draft(std::span<const int32_t> tokens, int64_t most,
                     std::vector<int32_t>& out) override {
    size_t best = kShortest - 1, place = 0;
    for (size_t end = tokens.size() - 1; end > best && best < kLongest; --end) {
      const size_t length = common_end(tokens, end);
      if (length <= best) continue;
      best = length;
      place = end;
    }
    if (place == 0) return {};
    const size_t begin = out.size();
    for (int64_t i = 0; i < most; ++i, ++place) {
      // Behind the end the guesses themselves go on: a repetition repeats.
      out.push_back(place < tokens.size() ? tokens[place] : out[begin + place - tokens.size()]);
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Drafter> make_lookup_drafter() { return std::make_unique<LookupDrafter>(); }

}  // namespace ponder
