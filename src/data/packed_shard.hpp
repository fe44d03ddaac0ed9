// Training sequences of one length, made of whole documents or pieces of long ones, in a file that
// is mapped into memory: what `ponder data pack` writes and training reads.
//
// Layout, all little-endian: tokens (sequences × length of int32; behind the last piece of a
// sequence −1), then for each sequence the number of its first piece (sequences + 1 of uint64),
// then the pieces (begin and length in their sequence, uint32 each), then a trailer of 64 bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "base/file.hpp"
#include "base/result.hpp"

namespace ponder {

// A document, or a piece of one, in a sequence. Tokens attend to their own piece only.
struct PackedPiece {
  uint32_t begin = 0;
  uint32_t length = 0;
};

class PackedShard {
 public:
  // Checks the whole layout: pieces lie one behind the other in their sequence, and tokens are less
  // than `vocabulary`.
  static Result<PackedShard> open(const std::filesystem::path& path);

  uint64_t sequences() const { return sequences_; }
  uint32_t length() const { return length_; }          // tokens of a sequence
  uint32_t vocabulary() const { return vocabulary_; }  // of the tokenizer
  uint64_t tokens() const { return tokens_; }          // without padding

  std::span<const PackedPiece> pieces(uint64_t sequence) const;
  // Tokens of all pieces of the sequence, without padding.
  std::span<const int32_t> sequence(uint64_t sequence) const;

 private:
  MappedFile file_;
  const int32_t* ids_ = nullptr;           // (sequences, length)
  const uint64_t* first_piece_ = nullptr;  // (sequences + 1)
  const PackedPiece* pieces_ = nullptr;
  uint64_t sequences_ = 0, tokens_ = 0;
  uint32_t length_ = 0, vocabulary_ = 0;
};

class PackedShardWriter {
 public:
  static Result<PackedShardWriter> create(const std::filesystem::path& path, uint32_t length,
                                          uint32_t vocabulary);

  // A sequence of these pieces, in their order; together at most `length` tokens.
  Result<void> add(std::span<const std::span<const int32_t>> pieces);
  Result<void> commit();

  uint64_t sequences() const { return first_piece_.size() - 1; }
  uint64_t tokens() const { return tokens_; }

 private:
  explicit PackedShardWriter(AtomicFile file) : file_(std::move(file)) {}

  AtomicFile file_;
  uint32_t length_ = 0, vocabulary_ = 0;
  uint64_t tokens_ = 0;
  std::vector<uint64_t> first_piece_{0};
  std::vector<PackedPiece> pieces_;
  std::vector<int32_t> row_;
};

// Which pieces, by their lengths (each at most `length`), go into which sequence: best fit of the
// longest first, so that little is padding. Sequences are ordered by their first piece, and pieces
// in them by number.
std::vector<std::vector<uint32_t>> best_fit(std::span<const uint32_t> lengths, uint32_t length);

}  // namespace ponder
