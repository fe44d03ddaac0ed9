#include "text/grammar/token_masks.hpp"

#include <algorithm>
#include <array>

namespace ponder {

std::shared_ptr<const TokenMask> TokenMasks::mask(int32_t state) {
  if (const auto found = by_state_.find(state); found != by_state_.end()) {
    kept_.splice(kept_.begin(), kept_, found->second);
    return kept_.front().mask;
  }
  if (kept_.size() >= kMostMasks) {
    by_state_.erase(kept_.back().state);
    kept_.pop_back();
  }
  kept_.push_front({state, std::make_shared<const TokenMask>(find(state))});
  by_state_[state] = kept_.begin();
  return kept_.front().mask;
}

int32_t TokenMasks::step(int32_t state, int32_t token) {
  const auto& named = automaton_->tokens;
  const auto found = std::ranges::lower_bound(named, token);
  if (found != named.end() && *found == token)
    return table_.step(state, automaton_->classes + static_cast<int32_t>(found - named.begin()));
  if (vocabulary_->tokenizer().is_added(token)) return StateTable::kDead;
  const std::string bytes = vocabulary_->tokenizer().token_bytes(token);
  if (bytes.empty()) return StateTable::kDead;
  for (const char byte : bytes)
    state = table_.step(state, automaton_->class_of[static_cast<uint8_t>(byte)]);
  return state;
}

int32_t TokenMasks::behind_plain(int32_t state) {
  int32_t behind = -1;
  for (const Utf8Range& range : vocabulary_->plain_ranges()) {
    int32_t at = state;
    for (int i = 0; i < range.length; ++i) {
      const int32_t next = table_.step(at, automaton_->class_of[range.bytes[i].first]);
      for (int byte = range.bytes[i].first + 1; byte <= range.bytes[i].last; ++byte)
        if (table_.step(at, automaton_->class_of[byte]) != next) return kMixed;
      at = next;
    }
    if (behind >= 0 && at != behind) return kMixed;
    behind = at;
  }
  return behind;
}

int TokenMasks::plain_run(int32_t state) {
  for (int run = 0; run < TokenVocabulary::kMostRun; ++run) {
    const int32_t next = behind_plain(state);
    if (next == kMixed) return kMixed;
    if (next == StateTable::kDead) return run;
    if (next == state) break;
    state = next;
  }
  return TokenVocabulary::kMostRun;
}

void TokenMasks::walk(std::span<const TokenVocabulary::Node> trie, int32_t state, TokenMask& mask) {
  std::array<int32_t, 257> path;  // by depth: the state before the byte there
  path[0] = state;
  size_t work = 0;
  for (size_t i = 0; i < trie.size();) {
    const TokenVocabulary::Node& node = trie[i];
    if (work > kMostWork && node.depth > 0) {
      i = static_cast<size_t>(node.end);
      continue;
    }
    const int32_t from = path[node.depth];
    work += table_.places(from);
    const int32_t next = table_.step(from, automaton_->class_of[node.byte]);
    if (next == StateTable::kDead) {
      i = static_cast<size_t>(node.end);
      continue;
    }
    if (node.token >= 0)
      mask[static_cast<size_t>(node.token) / 64] |= uint64_t{1} << (node.token % 64);
    path[node.depth + 1] = next;
    ++i;
  }
}

TokenMask TokenMasks::find(int32_t state) {
  TokenMask mask(vocabulary_->words());
  if (const int run = plain_run(state); run != kMixed) {
    const auto plain = vocabulary_->plain_tokens(run);
    mask.assign(plain.begin(), plain.end());
    walk(vocabulary_->odd_trie(), state, mask);
  } else {
    walk(vocabulary_->trie(), state, mask);
  }
  for (size_t i = 0; i < automaton_->tokens.size(); ++i) {
    const int32_t token = automaton_->tokens[i];
    if (table_.step(state, automaton_->classes + static_cast<int32_t>(i)) != StateTable::kDead)
      mask[static_cast<size_t>(token) / 64] |= uint64_t{1} << (token % 64);
  }
  if (table_.accepts(state))
    for (size_t i = 0; i < mask.size(); ++i) mask[i] |= vocabulary_->ends()[i];
  return mask;
}

}  // namespace ponder
