// A grammar as a pushdown automaton over bytes: states with edges, one start and one end for each
// rule. A call of a rule remembers where to go on; all else needs no memory.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "text/grammar/grammar.hpp"

namespace ponder {

struct Automaton {
  // Calls that are open at a time. What would need more cannot be written.
  static constexpr int kMostDepth = 64;
  static constexpr size_t kMostStates = 300'000;
  static constexpr int kNever = 255;

  enum class Step : uint8_t {
    kBytes,  // a byte from first to last
    kToken,  // the token tokens[value]
    kFree,   // nothing
    kCall,   // what rule `value` matches
    kJump    // the same, and the calling rule ends with it: nothing has to be remembered
  };
  struct Edge {
    Step step = Step::kFree;
    uint8_t first = 0, last = 0;
    int32_t value = 0;
    int32_t to = 0;
  };

  std::span<const Edge> edges(int32_t state) const {
    return std::span(all_edges).subspan(first_edge[state],
                                        first_edge[state + 1] - first_edge[state]);
  }

  std::vector<Edge> all_edges;
  std::vector<uint32_t> first_edge;  // by state, and one more
  std::vector<uint8_t> ends;         // by state: whether a rule ends there
  // By state: how many calls must be open at a time to come to the end of its rule; kNever: there
  // is no way.
  std::vector<uint8_t> needs;
  std::vector<int32_t> starts;  // by rule
  std::vector<int32_t> tokens;  // that the grammar names, sorted
  // Bytes of one class take the same edges everywhere. Symbols are classes, then tokens.
  std::array<uint8_t, 256> class_of = {};
  std::array<uint8_t, 256> byte_of = {};  // by class: one of its bytes
  int32_t classes = 0;

  int32_t symbols() const { return classes + static_cast<int32_t>(tokens.size()); }
};

// `root` is where texts start. Errors name the part at fault: left recursion, rules that never
// come to an end, and what is too large.
Result<Automaton> build_automaton(const Grammar& grammar, RuleId root);

}  // namespace ponder
