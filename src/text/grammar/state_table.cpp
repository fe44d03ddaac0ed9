#include "text/grammar/state_table.hpp"

#include <algorithm>

namespace ponder {
namespace {

uint64_t mixed(uint64_t key) {
  key ^= key >> 32;
  key *= 0x9e3779b97f4a7c15u;
  return key ^ key >> 29;
}

}  // namespace

void KeySet::clear() {
  count_ = 0;
  if (++round_ != 0) return;
  std::ranges::fill(rounds_, 0u);
  round_ = 1;
}

bool KeySet::insert(uint64_t key) {
  if (2 * count_ >= keys_.size()) grow();
  const size_t mask = keys_.size() - 1;
  size_t slot = mixed(key) & mask;
  for (; rounds_[slot] == round_; slot = (slot + 1) & mask)
    if (keys_[slot] == key) return false;
  keys_[slot] = key;
  rounds_[slot] = round_;
  ++count_;
  return true;
}

void KeySet::grow() {
  std::vector<uint64_t> kept;
  for (size_t i = 0; i < keys_.size(); ++i)
    if (rounds_[i] == round_) kept.push_back(keys_[i]);
  keys_.assign(2 * keys_.size(), 0);
  rounds_.assign(keys_.size(), 0);
  round_ = 1;
  count_ = 0;
  for (const uint64_t key : kept) insert(key);
}

StateTable::StateTable(const Automaton& automaton)
    : automaton_(&automaton), frames_(1), frame_index_(64, 0), state_index_(64, 0) {
  states_.emplace_back();  // the dead one
  visit(automaton.starts[0], 0);
  close();
  start_ = intern_reached();
}

size_t StateTable::bytes() const {
  return states_.size() * sizeof(State) + places_.size() * sizeof(Place) +
         frames_.size() * sizeof(Frame) +
         (rows_.size() + frame_index_.size() + state_index_.size()) * sizeof(int32_t);
}

int32_t StateTable::pushed(int32_t stack, int32_t back) {
  if (2 * frames_.size() >= frame_index_.size()) {
    frame_index_.assign(2 * frame_index_.size(), 0);
    const size_t mask = frame_index_.size() - 1;
    for (size_t i = 1; i < frames_.size(); ++i) {
      size_t slot = mixed(place(frames_[i].back, frames_[i].below)) & mask;
      while (frame_index_[slot] != 0) slot = (slot + 1) & mask;
      frame_index_[slot] = static_cast<int32_t>(i);
    }
  }
  const size_t mask = frame_index_.size() - 1;
  size_t slot = mixed(place(back, stack)) & mask;
  for (; frame_index_[slot] != 0; slot = (slot + 1) & mask) {
    const Frame& frame = frames_[frame_index_[slot]];
    if (frame.back == back && frame.below == stack) return frame_index_[slot];
  }
  frame_index_[slot] = static_cast<int32_t>(frames_.size());
  frames_.push_back({.below = stack, .back = back, .depth = frames_[stack].depth + 1});
  return frame_index_[slot];
}

// A place from which the end cannot be reached any more, as the stack would grow too deep, is none.
void StateTable::visit(int32_t state, int32_t stack) {
  if (frames_[stack].depth + automaton_->needs[state] > Automaton::kMostDepth) return;
  if (seen_.size() >= kMostVisits || reached_.size() >= kMostPlaces) return;
  if (seen_.insert(place(state, stack))) work_.push_back(place(state, stack));
}

void StateTable::close() {
  using Step = Automaton::Step;
  while (!work_.empty()) {
    const auto state = static_cast<int32_t>(work_.back() & 0xffffffffu);
    const auto stack = static_cast<int32_t>(work_.back() >> 32);
    work_.pop_back();
    bool reads = false;
    for (const Automaton::Edge& edge : automaton_->edges(state)) {
      switch (edge.step) {
        case Step::kBytes:
        case Step::kToken:
          reads = true;
          break;
        case Step::kFree:
          visit(edge.to, stack);
          break;
        case Step::kJump:
          visit(automaton_->starts[edge.value], stack);
          break;
        case Step::kCall:
          if (frames_[stack].depth + automaton_->needs[edge.to] <= Automaton::kMostDepth)
            visit(automaton_->starts[edge.value], pushed(stack, edge.to));
          break;
      }
    }
    if (automaton_->ends[state]) {
      if (stack == 0)
        reached_.push_back(kEnd);
      else
        visit(frames_[stack].back, frames_[stack].below);
    }
    if (reads && reached_.size() < kMostPlaces) reached_.push_back(place(state, stack));
  }
  seen_.clear();
}

uint64_t StateTable::hash_of(const Place* places, size_t count) const {
  uint64_t hash = count;
  for (size_t i = 0; i < count; ++i) hash = mixed(hash + places[i]) + 0x2545f4914f6cdd1du;
  return mixed(hash);
}

void StateTable::grow_index() {
  state_index_.assign(2 * state_index_.size(), 0);
  const size_t mask = state_index_.size() - 1;
  for (size_t i = 1; i < states_.size(); ++i) {
    size_t slot = hash_of(&places_[states_[i].first], states_[i].places) & mask;
    while (state_index_[slot] != 0) slot = (slot + 1) & mask;
    state_index_[slot] = static_cast<int32_t>(i);
  }
}

int32_t StateTable::intern_reached() {
  if (reached_.empty()) return kDead;
  std::ranges::sort(reached_);
  reached_.erase(std::unique(reached_.begin(), reached_.end()), reached_.end());
  if (2 * states_.size() >= state_index_.size()) grow_index();
  const size_t mask = state_index_.size() - 1;
  size_t slot = hash_of(reached_.data(), reached_.size()) & mask;
  for (; state_index_[slot] != 0; slot = (slot + 1) & mask) {
    const State& state = states_[state_index_[slot]];
    if (state.places == reached_.size() &&
        std::equal(reached_.begin(), reached_.end(),
                   places_.begin() + static_cast<ptrdiff_t>(state.first))) {
      reached_.clear();
      return state_index_[slot];
    }
  }
  state_index_[slot] = static_cast<int32_t>(states_.size());
  states_.push_back({.first = places_.size(),
                     .places = static_cast<uint32_t>(reached_.size()),
                     .accepts = reached_.back() == kEnd});
  places_.insert(places_.end(), reached_.begin(), reached_.end());
  reached_.clear();
  return static_cast<int32_t>(states_.size() - 1);
}

int32_t StateTable::find_step(int32_t state, int32_t symbol) {
  if (state == kDead) return kDead;
  using Step = Automaton::Step;
  const bool is_byte = symbol < automaton_->classes;
  const uint8_t byte = is_byte ? automaton_->byte_of[symbol] : 0;
  for (uint32_t i = 0; i < states_[state].places; ++i) {
    const Place from = places_[states_[state].first + i];
    if (from == kEnd) continue;
    const auto stack = static_cast<int32_t>(from >> 32);
    for (const Automaton::Edge& edge :
         automaton_->edges(static_cast<int32_t>(from & 0xffffffffu))) {
      const bool taken =
          is_byte ? edge.step == Step::kBytes && edge.first <= byte && byte <= edge.last
                  : edge.step == Step::kToken && edge.value == symbol - automaton_->classes;
      if (taken) visit(edge.to, stack);
    }
  }
  close();
  const int32_t next = intern_reached();
  if (states_[state].row == kNoRow) {
    states_[state].row = rows_.size();
    rows_.resize(rows_.size() + static_cast<size_t>(automaton_->symbols()), kUnknown);
  }
  rows_[states_[state].row + symbol] = next;
  return next;
}

int32_t StateTable::adopt(const StateTable& other, int32_t state) {
  if (state == kDead) return kDead;
  std::vector<int32_t> backs;
  for (uint32_t i = 0; i < other.states_[state].places; ++i) {
    const Place from = other.places_[other.states_[state].first + i];
    if (from == kEnd) {
      reached_.push_back(kEnd);
      continue;
    }
    backs.clear();
    for (auto stack = static_cast<int32_t>(from >> 32); stack != 0;
         stack = other.frames_[stack].below)
      backs.push_back(other.frames_[stack].back);
    int32_t stack = 0;
    for (auto back = backs.rbegin(); back != backs.rend(); ++back) stack = pushed(stack, *back);
    reached_.push_back(place(static_cast<int32_t>(from & 0xffffffffu), stack));
  }
  return intern_reached();
}

}  // namespace ponder
