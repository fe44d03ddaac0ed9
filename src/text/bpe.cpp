#include "text/bpe.hpp"

#include <bit>
#include <limits>
#include <queue>

namespace ponder {
namespace {

constexpr size_t kShortPiece = 48;  // bytes; up to here looking at all pairs beats a heap
constexpr uint32_t kNoRank = std::numeric_limits<uint32_t>::max();

uint64_t pair_hash(int32_t left, int32_t right) {
  uint64_t key =
      static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  key ^= key >> 32;
  key *= 0x9e3779b97f4a7c15u;
  key ^= key >> 29;
  return key * 0xbf58476d1ce4e5b9u;
}

struct Candidate {
  uint32_t rank;
  uint32_t left;  // index of the left symbol
  int32_t merged;
  // For a heap whose top is the lowest rank, leftmost.
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

}  // namespace

struct Bpe::Symbol {
  int32_t token;  // -1 once merged into its left neighbour
  uint32_t previous, next;
};

Bpe::Bpe(const std::array<int32_t, 256>& byte_tokens, size_t merges) : byte_tokens_(byte_tokens) {
  slots_.resize(std::bit_ceil(2 * merges + 2));
  shift_ = 64 - std::countr_zero(slots_.size());
}

bool Bpe::add(const BpeMerge& merge) {
  size_t i = pair_hash(merge.left, merge.right) >> shift_;
  for (; slots_[i].left >= 0; i = (i + 1) & (slots_.size() - 1))
    if (slots_[i].left == merge.left && slots_[i].right == merge.right) return false;
  slots_[i] = {merge.left, merge.right, count_++, merge.merged};
  return true;
}

const Bpe::Slot* Bpe::find(int32_t left, int32_t right) const {
  for (size_t i = pair_hash(left, right) >> shift_;; i = (i + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[i];
    if (slot.left == left && slot.right == right) return &slot;
    if (slot.left < 0) return nullptr;
  }
}

void Bpe::encode(std::string_view piece, std::vector<int32_t>& tokens) const {
  if (piece.size() == 1)
    tokens.push_back(byte_tokens_[static_cast<uint8_t>(piece[0])]);
  else if (piece.size() <= kShortPiece)
    encode_short(piece, tokens);
  else
    encode_long(piece, tokens);
}

void Bpe::encode_short(std::string_view piece, std::vector<int32_t>& tokens) const {
  std::array<int32_t, kShortPiece> token;
  std::array<const Slot*, kShortPiece> merge;  // of token i with token i + 1
  size_t count = piece.size();
  for (size_t i = 0; i < count; ++i) token[i] = byte_tokens_[static_cast<uint8_t>(piece[i])];
  for (size_t i = 0; i + 1 < count; ++i) merge[i] = find(token[i], token[i + 1]);
  for (;;) {
    uint32_t best = kNoRank;
    size_t at = 0;
    for (size_t i = 0; i + 1 < count; ++i) {
      if (merge[i] && merge[i]->rank < best) {
        best = merge[i]->rank;
        at = i;
      }
    }
    if (best == kNoRank) break;
    token[at] = merge[at]->merged;
    --count;
    for (size_t i = at + 1; i < count; ++i) token[i] = token[i + 1];
    for (size_t i = at + 1; i + 1 < count; ++i) merge[i] = merge[i + 1];
    if (at > 0) merge[at - 1] = find(token[at - 1], token[at]);
    if (at + 1 < count) merge[at] = find(token[at], token[at + 1]);
  }
  tokens.insert(tokens.end(), token.begin(), token.begin() + count);
}

void Bpe::encode_long(std::string_view piece, std::vector<int32_t>& tokens) const {
  constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  const auto count = static_cast<uint32_t>(piece.size());
  std::vector<Symbol> symbols(count);
  for (uint32_t i = 0; i < count; ++i)
    symbols[i] = {byte_tokens_[static_cast<uint8_t>(piece[i])], i == 0 ? kNone : i - 1,
                  i + 1 == count ? kNone : i + 1};
  std::priority_queue<Candidate> queue;
  const auto offer = [&](uint32_t left) {
    if (left == kNone || symbols[left].next == kNone) return;
    if (const Slot* slot = find(symbols[left].token, symbols[symbols[left].next].token))
      queue.push({slot->rank, left, slot->merged});
  };
  for (uint32_t i = 0; i < count; ++i) offer(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol& left = symbols[top.left];
    if (left.token < 0 || left.next == kNone) continue;
    Symbol& right = symbols[left.next];
    // Either may have changed since this was offered; what they are now was offered too.
    const Slot* slot = find(left.token, right.token);
    if (!slot || slot->rank != top.rank) continue;
    left.token = top.merged;
    right.token = -1;
    left.next = right.next;
    if (left.next != kNone) symbols[left.next].previous = top.left;
    offer(left.previous);
    offer(top.left);
  }
  for (uint32_t i = 0; i != kNone; i = symbols[i].next) tokens.push_back(symbols[i].token);
}

}  // namespace ponder
