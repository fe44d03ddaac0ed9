#include "text/grammar/automaton_checks.hpp"

#include <algorithm>

#include "io/printable.hpp"

namespace ponder {
namespace {

using Step = Automaton::Step;

bool is_call(const Automaton::Edge& edge) {
  return edge.step == Step::kCall || edge.step == Step::kJump;
}

// The edges that lead into each state, and the calls of each rule.
class Backwards {
 public:
  struct Way {
    int32_t from;
    const Automaton::Edge* edge;
  };

  explicit Backwards(const Automaton& automaton)
      : states_(automaton.ends.size()), into_(states_ + 1, 0), of_rule_(automaton.starts.size()) {
    for (const Automaton::Edge& edge : automaton.all_edges) ++into_[edge.to + 1];
    for (size_t s = 0; s < states_; ++s) into_[s + 1] += into_[s];
    ways_.resize(automaton.all_edges.size());
    std::vector<uint32_t> next(into_.begin(), into_.end() - 1);
    for (size_t s = 0; s < states_; ++s)
      for (const Automaton::Edge& edge : automaton.edges(static_cast<int32_t>(s))) {
        const Way way = {static_cast<int32_t>(s), &edge};
        ways_[next[edge.to]++] = way;
        if (is_call(edge)) of_rule_[edge.value].push_back(way);
      }
    rule_of_start_.assign(states_, -1);
    for (size_t r = 0; r < automaton.starts.size(); ++r)
      rule_of_start_[automaton.starts[r]] = static_cast<int32_t>(r);
  }

  std::span<const Way> into(int32_t state) const {
    return std::span(ways_).subspan(into_[state], into_[state + 1] - into_[state]);
  }
  // The calls of the rule that starts at this state.
  std::span<const Way> calls(int32_t state) const {
    const int32_t rule = rule_of_start_[state];
    return rule < 0 ? std::span<const Way>() : std::span(of_rule_[rule]);
  }

 private:
  size_t states_;
  std::vector<uint32_t> into_;
  std::vector<Way> ways_;
  std::vector<std::vector<Way>> of_rule_;
  std::vector<int32_t> rule_of_start_;
};

// By state: whether the end of the rule can be reached without reading anything.
std::vector<uint8_t> find_empty(const Automaton& automaton) {
  const Backwards backwards(automaton);
  std::vector<uint8_t> empty(automaton.ends.size(), 0);
  std::vector<int32_t> work;
  const auto mark = [&](int32_t state) {
    if (empty[state]) return;
    empty[state] = 1;
    work.push_back(state);
  };
  for (size_t s = 0; s < empty.size(); ++s)
    if (automaton.ends[s]) mark(static_cast<int32_t>(s));
  while (!work.empty()) {
    const int32_t state = work.back();
    work.pop_back();
    for (const Backwards::Way& way : backwards.into(state)) {
      const bool free = way.edge->step == Step::kFree ||
                        (is_call(*way.edge) && empty[automaton.starts[way.edge->value]]);
      if (free) mark(way.from);
    }
    for (const Backwards::Way& way : backwards.calls(state))
      if (empty[way.edge->to]) mark(way.from);
  }
  return empty;
}

// By rule: the rules that it can call before it has read anything.
std::vector<std::vector<int32_t>> first_calls(const Automaton& automaton) {
  const std::vector<uint8_t> empty = find_empty(automaton);
  std::vector<std::vector<int32_t>> calls(automaton.starts.size());
  std::vector<uint8_t> seen(automaton.ends.size(), 0);
  std::vector<int32_t> work;
  for (size_t rule = 0; rule < calls.size(); ++rule) {
    work = {automaton.starts[rule]};
    seen[work[0]] = 1;
    while (!work.empty()) {
      const int32_t state = work.back();
      work.pop_back();
      for (const Automaton::Edge& edge : automaton.edges(state)) {
        if (is_call(edge)) calls[rule].push_back(edge.value);
        const bool free =
            edge.step == Step::kFree || (is_call(edge) && empty[automaton.starts[edge.value]]);
        if (!free || seen[edge.to]) continue;
        seen[edge.to] = 1;
        work.push_back(edge.to);
      }
    }
  }
  return calls;
}

}  // namespace

Result<void> check_left_recursion(const Automaton& automaton, std::span<const std::string> names) {
  const auto calls = first_calls(automaton);
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> seen(calls.size(), kNew);
  std::vector<std::pair<int32_t, size_t>> path;  // rules, and how many of their calls were followed
  for (size_t first = 0; first < calls.size(); ++first) {
    if (seen[first] != kNew) continue;
    path.emplace_back(static_cast<int32_t>(first), 0);
    seen[first] = kOpen;
    while (!path.empty()) {
      auto& [rule, followed] = path.back();
      if (followed == calls[rule].size()) {
        seen[rule] = kDone;
        path.pop_back();
        continue;
      }
      const int32_t next = calls[rule][followed++];
      if (seen[next] == kOpen) {
        auto at = path.size() - 1;  // of the rules in the circle, one has a name
        while (at > 0 && path[at].first != next && names[path[at].first].empty()) --at;
        const std::string& name =
            names[path[at].first].empty() ? names[next] : names[path[at].first];
        return Failure{{.what = "a rule begins with itself",
                        .where = name.empty() ? std::string() : "rule " + printable(name),
                        .mend = "let something come before the recursion, or write a repetition"}};
      }
      if (seen[next] == kNew) {
        seen[next] = kOpen;
        path.emplace_back(next, 0);
      }
    }
  }
  return {};
}

// The least value spreads first, as in Dijkstra's shortest paths: what a state needs is the least
// over its edges of the most that an edge asks for.
void find_needs(Automaton& automaton) {
  const Backwards backwards(automaton);
  std::vector<uint8_t>& needs = automaton.needs;
  needs.assign(automaton.ends.size(), Automaton::kNever);
  std::vector<std::vector<int32_t>> buckets(Automaton::kMostDepth + 2);
  const auto offer = [&](int32_t state, int need) {
    if (need > Automaton::kMostDepth || need >= needs[state]) return;
    needs[state] = static_cast<uint8_t>(need);
    buckets[need].push_back(state);
  };
  const auto offer_call = [&](const Backwards::Way& way) {
    const int inside = needs[automaton.starts[way.edge->value]];
    const int behind = needs[way.edge->to];
    if (inside == Automaton::kNever || behind == Automaton::kNever) return;
    offer(way.from, std::max(inside + (way.edge->step == Step::kCall ? 1 : 0), behind));
  };
  for (size_t s = 0; s < needs.size(); ++s)
    if (automaton.ends[s]) offer(static_cast<int32_t>(s), 0);
  for (int need = 0; need <= Automaton::kMostDepth; ++need) {
    for (size_t i = 0; i < buckets[need].size(); ++i) {
      const int32_t state = buckets[need][i];
      if (needs[state] != need) continue;
      for (const Backwards::Way& way : backwards.into(state)) {
        if (is_call(*way.edge))
          offer_call(way);
        else
          offer(way.from, need);
      }
      for (const Backwards::Way& way : backwards.calls(state)) offer_call(way);
    }
  }
}

}  // namespace ponder
