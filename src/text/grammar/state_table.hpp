// The states that a text can bring an automaton into, found when they are first reached: each is a
// set of places, with the calls that are open at each of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text/grammar/automaton.hpp"

namespace ponder {

// A set of 64-bit keys that is emptied often.
class KeySet {
 public:
  void clear();
  bool insert(uint64_t key);  // false: it was there
  size_t size() const { return count_; }

 private:
  void grow();
  std::vector<uint64_t> keys_ = std::vector<uint64_t>(64);
  std::vector<uint32_t> rounds_ = std::vector<uint32_t>(64, 0);  // when a slot was last filled
  uint32_t round_ = 1;
  size_t count_ = 0;
};

// Not for several threads at a time. `automaton` outlives the table.
class StateTable {
 public:
  // Places that a state may have. A grammar with more readings at a time loses the rest of them:
  // what it allows is then less than what it says, never more.
  static constexpr size_t kMostPlaces = 512;
  static constexpr int32_t kDead = 0;  // the state that no text comes back from

  explicit StateTable(const Automaton& automaton);

  int32_t start() const { return start_; }
  int32_t step(int32_t state, int32_t symbol) {
    const State& entry = states_[state];
    const int32_t next = entry.row == kNoRow ? kUnknown : rows_[entry.row + symbol];
    return next != kUnknown ? next : find_step(state, symbol);
  }
  bool accepts(int32_t state) const { return states_[state].accepts; }
  // Whether the text can only end here.
  bool finished(int32_t state) const {
    return states_[state].accepts && states_[state].places == 1;
  }
  size_t places(int32_t state) const { return states_[state].places; }
  size_t states() const { return states_.size(); }
  size_t bytes() const;  // that the table takes, about

  // The same state of another table of the same automaton.
  int32_t adopt(const StateTable& other, int32_t state);

 private:
  static constexpr int32_t kUnknown = -1;
  static constexpr size_t kNoRow = SIZE_MAX;
  static constexpr size_t kMostVisits = 1 << 14;  // on the way to the places of one state

  // A place: a state of the automaton above a stack. The end of the text has a place of its own.
  using Place = uint64_t;
  static constexpr Place kEnd = ~uint64_t{0};
  struct State {
    size_t first = 0;  // of its places
    uint32_t places = 0;
    bool accepts = false;
    size_t row = kNoRow;
  };
  struct Frame {
    int32_t below = 0, back = 0;  // the stack under it; where the call comes back to
    int32_t depth = 0;
  };

  static Place place(int32_t state, int32_t stack) {
    return static_cast<uint64_t>(stack) << 32 | static_cast<uint32_t>(state);
  }
  int32_t find_step(int32_t state, int32_t symbol);
  int32_t pushed(int32_t stack, int32_t back);
  void visit(int32_t state, int32_t stack);
  void close();              // reached_ from work_
  int32_t intern_reached();  // the state with the places in reached_
  void grow_index();
  uint64_t hash_of(const Place* places, size_t count) const;

  const Automaton* automaton_;
  std::vector<State> states_;
  std::vector<Place> places_;
  std::vector<int32_t> rows_;
  std::vector<Frame> frames_;         // number 0: the empty stack
  std::vector<int32_t> frame_index_;  // open addressing, 0 where there is none
  std::vector<int32_t> state_index_;
  std::vector<Place> work_, reached_;
  KeySet seen_;
  int32_t start_ = 0;
};

}  // namespace ponder
