// Which tokens may follow in each state of an automaton. W words of a mask.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "text/grammar/state_table.hpp"
#include "text/grammar/token_vocabulary.hpp"

namespace ponder {

using TokenMask = std::vector<uint64_t>;  // (W)

// Finds masks and keeps those used last. Not for several threads at a time.
class TokenMasks {
 public:
  static constexpr size_t kMostMasks = 192;
  static constexpr size_t kMostBytes = 8 << 20;  // of the table of states

  // Both outlive it.
  TokenMasks(const Automaton& automaton, const TokenVocabulary& vocabulary)
      : automaton_(&automaton), vocabulary_(&vocabulary), table_(automaton) {}

  StateTable& table() { return table_; }
  const StateTable& table() const { return table_; }
  bool full() const { return table_.bytes() > kMostBytes; }

  std::shared_ptr<const TokenMask> mask(int32_t state);
  // The state behind a token.
  int32_t step(int32_t state, int32_t token);

 private:
  // How much may be done for one mask: places looked at on the way through the trie. Of what is
  // left then only the tokens of one byte are tried, so that something is always allowed.
  static constexpr size_t kMostWork = 8 << 20;
  static constexpr int kMixed = -1;

  // How many plain characters may follow, if all are alike: the plain tokens with as many at most
  // may come, and no others of them. kMixed if they are not alike.
  int plain_run(int32_t state);
  // The state behind each plain character; kMixed if they lead to several.
  int32_t behind_plain(int32_t state);
  void walk(std::span<const TokenVocabulary::Node> trie, int32_t state, TokenMask& mask);
  TokenMask find(int32_t state);

  struct Kept {
    int32_t state;
    std::shared_ptr<const TokenMask> mask;
  };
  const Automaton* automaton_;
  const TokenVocabulary* vocabulary_;
  StateTable table_;
  std::list<Kept> kept_;  // used last first
  std::unordered_map<int32_t, std::list<Kept>::iterator> by_state_;
};

}  // namespace ponder
