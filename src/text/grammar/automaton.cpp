#include "text/grammar/automaton.hpp"

#include <algorithm>
#include <map>

#include "text/grammar/automaton_checks.hpp"

namespace ponder {
namespace {

constexpr int kMostNodeDepth = 2000;  // of nodes in nodes: lowering calls itself as often
constexpr int64_t kInlineSize = 8;    // what is larger and repeated becomes a rule of its own

class Lowering {
 public:
  explicit Lowering(const Grammar& grammar) : grammar_(grammar) {}

  // False: it is too large.
  bool run(RuleId root) {
    machine_of(root);
    for (size_t i = 0; i < waiting_.size(); ++i) {
      const NodeId body = waiting_[i];
      const int32_t start = starts_[i];
      const int32_t end = ends_[i];
      if (body < 0) continue;
      if (grammar_.node(body).depth > kMostNodeDepth) return false;
      lower(body, start, end);
      if (full_) return false;
    }
    return true;
  }

  Automaton take() {
    Automaton out;
    std::ranges::sort(tokens_);
    tokens_.erase(std::unique(tokens_.begin(), tokens_.end()), tokens_.end());
    out.tokens = tokens_;
    out.starts = starts_;
    out.ends.assign(static_cast<size_t>(states_), 0);
    for (const int32_t end : ends_) out.ends[end] = 1;
    out.first_edge.assign(static_cast<size_t>(states_) + 1, 0);
    for (const auto& [from, edge] : edges_) ++out.first_edge[from + 1];
    for (int32_t s = 0; s < states_; ++s) out.first_edge[s + 1] += out.first_edge[s];
    out.all_edges.resize(edges_.size());
    std::vector<uint32_t> next(out.first_edge.begin(), out.first_edge.end() - 1);
    for (auto [from, edge] : edges_) {
      if (edge.step == Automaton::Step::kToken)
        edge.value =
            static_cast<int32_t>(std::ranges::lower_bound(tokens_, edge.value) - tokens_.begin());
      out.all_edges[next[from]++] = edge;
    }
    return out;
  }

  // The rules of the grammar behind the machines' numbers; -1 for parts that were made rules.
  const std::vector<RuleId>& rules() const { return rules_; }

 private:
  int32_t new_state() {
    if (states_ >= static_cast<int32_t>(Automaton::kMostStates)) full_ = true;
    return states_++;
  }

  void add(int32_t from, Automaton::Edge edge) {
    if (edges_.size() >= 4 * Automaton::kMostStates) full_ = true;
    if (!full_) edges_.emplace_back(from, edge);
  }

  // The machine of a rule, or of a part that is repeated. It is filled later.
  int32_t machine(NodeId body, RuleId rule) {
    waiting_.push_back(body);
    rules_.push_back(rule);
    starts_.push_back(new_state());
    ends_.push_back(new_state());
    return static_cast<int32_t>(waiting_.size() - 1);
  }
  int32_t machine_of(RuleId rule) {
    const auto [found, fresh] = by_rule_.try_emplace(rule, 0);
    if (fresh) found->second = machine(grammar_.rules()[static_cast<size_t>(rule)].body, rule);
    return found->second;
  }
  int32_t machine_of_part(NodeId part) {
    const auto [found, fresh] = by_part_.try_emplace(part, 0);
    if (fresh) found->second = machine(part, -1);
    return found->second;
  }

  void lower(NodeId id, int32_t from, int32_t to) {
    if (full_) return;
    const Grammar::Node& node = grammar_.node(id);
    using Kind = Grammar::Kind;
    using Step = Automaton::Step;
    switch (node.kind) {
      case Kind::kEmpty:
        return add(from, {.step = Step::kFree, .to = to});
      case Kind::kText:
        return lower_text(node.text, from, to);
      case Kind::kChars:
        return lower_chars(grammar_.set(node), from, to);
      case Kind::kToken:
        tokens_.push_back(node.value);
        return add(from, {.step = Step::kToken, .value = node.value, .to = to});
      case Kind::kSequence:
        for (size_t i = 0; i < node.parts.size(); ++i) {
          const int32_t next = i + 1 < node.parts.size() ? new_state() : to;
          lower(node.parts[i], from, next);
          from = next;
        }
        return;
      case Kind::kAnyOf:
        for (const NodeId part : node.parts) lower(part, from, to);
        return;
      case Kind::kRepeat:
        return lower_repeat(node, from, to);
      case Kind::kCall:
        return add(from, {.step = Step::kCall, .value = machine_of(node.value), .to = to});
    }
  }

  void lower_text(std::string_view text, int32_t from, int32_t to) {
    for (size_t i = 0; i < text.size() && !full_; ++i) {
      const int32_t next = i + 1 < text.size() ? new_state() : to;
      const auto byte = static_cast<uint8_t>(text[i]);
      add(from, {.step = Automaton::Step::kBytes, .first = byte, .last = byte, .to = next});
      from = next;
    }
  }

  // Neighbours that begin alike share that; all share the ends that take any character's rest.
  void lower_chars(const CharSet& set, int32_t from, int32_t to) {
    constexpr Utf8Range::Bounds kRest = {0x80, 0xbf};
    std::array<int32_t, 4> rest = {to, -1, -1, -1};  // by how many more bytes of any kind follow
    const auto rest_state = [&](int more) {
      for (int i = 1; i <= more; ++i) {
        if (rest[i] >= 0) continue;
        rest[i] = new_state();
        add(rest[i], {.step = Automaton::Step::kBytes,
                      .first = kRest.first,
                      .last = kRest.last,
                      .to = rest[i - 1]});
      }
      return rest[more];
    };
    Utf8Range before;
    std::array<int32_t, 4> path = {from, -1, -1, -1};  // the states before each byte of `before`
    for (const Utf8Range& range : utf8_ranges(set)) {
      int free = range.length;  // bytes from there on may be any
      while (free > 1 && range.bytes[free - 1] == kRest) --free;
      int same = 0;
      while (same < free - 1 && range.length == before.length && path[same + 1] >= 0 &&
             range.bytes[same] == before.bytes[same])
        ++same;
      for (int i = same; i < free; ++i) {
        const int32_t next = i + 1 == free ? rest_state(range.length - free) : new_state();
        add(path[i], {.step = Automaton::Step::kBytes,
                      .first = range.bytes[i].first,
                      .last = range.bytes[i].last,
                      .to = next});
        for (int k = i + 1; k < 4; ++k) path[k] = -1;
        if (i + 1 < free) path[i + 1] = next;
      }
      before = range;
      if (full_) return;
    }
  }

  void lower_repeat(const Grammar::Node& node, int32_t from, int32_t to) {
    const NodeId part = node.parts[0];
    const bool once =
        node.least <= 1 && node.most == Grammar::kUnbounded ? node.least == 0 : node.most == 1;
    const bool apart = !once && grammar_.node(part).size > kInlineSize &&
                       grammar_.node(part).kind != Grammar::Kind::kCall;
    const auto unit = [&](int32_t start, int32_t end) {
      if (apart)
        add(start, {.step = Automaton::Step::kCall, .value = machine_of_part(part), .to = end});
      else
        lower(part, start, end);
    };
    for (int64_t i = 0; i < node.least && !full_; ++i) {
      const int32_t next = new_state();
      unit(from, next);
      from = next;
    }
    if (node.most == Grammar::kUnbounded) {
      const int32_t loop = new_state();
      add(from, {.step = Automaton::Step::kFree, .to = loop});
      unit(loop, loop);
      from = loop;
    } else {
      for (int64_t i = node.least; i < node.most && !full_; ++i) {
        const int32_t next = new_state();
        add(from, {.step = Automaton::Step::kFree, .to = to});
        unit(from, next);
        from = next;
      }
    }
    add(from, {.step = Automaton::Step::kFree, .to = to});
  }

  const Grammar& grammar_;
  int32_t states_ = 0;
  bool full_ = false;
  std::vector<std::pair<int32_t, Automaton::Edge>> edges_;
  std::vector<NodeId> waiting_;  // by machine: what it matches
  std::vector<RuleId> rules_;
  std::vector<int32_t> starts_, ends_;
  std::map<RuleId, int32_t> by_rule_;
  std::map<NodeId, int32_t> by_part_;
  std::vector<int32_t> tokens_;
};

// A call whose rule ends right behind it is a jump.
void find_jumps(Automaton& automaton) {
  constexpr int kMostHops = 64;
  for (Automaton::Edge& edge : automaton.all_edges) {
    if (edge.step != Automaton::Step::kCall) continue;
    int32_t state = edge.to;
    for (int hop = 0; hop < kMostHops && !automaton.ends[state]; ++hop) {
      const auto edges = automaton.edges(state);
      if (edges.size() != 1 || edges[0].step != Automaton::Step::kFree) break;
      state = edges[0].to;
    }
    if (automaton.ends[state]) edge.step = Automaton::Step::kJump;
  }
}

void find_classes(Automaton& automaton) {
  std::array<bool, 257> cut = {};
  for (const Automaton::Edge& edge : automaton.all_edges) {
    if (edge.step != Automaton::Step::kBytes) continue;
    cut[edge.first] = true;
    cut[edge.last + 1] = true;
  }
  int32_t current = 0;
  for (int byte = 0; byte < 256; ++byte) {
    if (byte > 0 && cut[byte]) ++current;
    automaton.class_of[byte] = static_cast<uint8_t>(current);
    automaton.byte_of[current] = static_cast<uint8_t>(byte);
  }
  automaton.classes = current + 1;
}

}  // namespace

Result<Automaton> build_automaton(const Grammar& grammar, RuleId root) {
  Lowering lowering(grammar);
  if (grammar.too_large() || !lowering.run(root))
    return Failure{{.what = "the grammar needs more than " +
                            std::to_string(Automaton::kMostStates) + " states",
                    .mend = "use smaller counts of repetition, and fewer alternatives"}};
  Automaton automaton = lowering.take();
  std::vector<std::string> names;
  for (const RuleId rule : lowering.rules())
    names.push_back(rule < 0 ? std::string() : grammar.rules()[static_cast<size_t>(rule)].name);
  PONDER_TRY(check_left_recursion(automaton, names));
  find_jumps(automaton);
  find_classes(automaton);
  find_needs(automaton);
  const int needs = automaton.needs[automaton.starts[0]];
  if (needs > Automaton::kMostDepth)
    return Failure{{.what = "no text satisfies it, or only such as nests deeper than " +
                            std::to_string(Automaton::kMostDepth),
                    .mend = "give every recursion a way to end, and every class a character"}};
  return automaton;
}

}  // namespace ponder
