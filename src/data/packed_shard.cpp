#include "data/packed_shard.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "base/checked_math.hpp"

namespace ponder {
namespace {

struct Trailer {
  uint64_t sequences, pieces, tokens;
  uint32_t length, vocabulary;
  char reserved[24];
  char magic[8];
};
static_assert(sizeof(Trailer) == 64);
constexpr char kMagic[9] = "PONDPCK1";

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

}  // namespace

Result<PackedShard> PackedShard::open(const std::filesystem::path& path) {
  const auto broken = [&](const std::string& what) {
    return Failure{{.what = what, .where = path.string(), .mend = "pack the documents again"}};
  };
  PackedShard shard;
  shard.file_ = PONDER_TRY(MappedFile::open(path));
  const auto bytes = shard.file_.bytes();
  Trailer trailer;
  if (bytes.size() < sizeof(trailer)) return broken("this is no packed shard");
  std::memcpy(&trailer, bytes.data() + bytes.size() - sizeof(trailer), sizeof(trailer));
  if (std::memcmp(trailer.magic, kMagic, 8) != 0) return broken("this is no packed shard");
  // Bounded by the file's size before anything is multiplied.
  const uint64_t size = bytes.size() - sizeof(trailer);
  if (trailer.length == 0 || trailer.length > (1u << 24) || trailer.sequences > size ||
      trailer.pieces > size || trailer.vocabulary > (1u << 30))
    return broken("the trailer holds impossible numbers");
  const auto ids = checked_mul(trailer.sequences, uint64_t{4} * trailer.length);
  // Tables of 8 bytes begin at a multiple of 8.
  const uint64_t ids_size = ids ? (*ids + 7) / 8 * 8 : 0;
  const uint64_t tables = (trailer.sequences + 1) * 8 + trailer.pieces * sizeof(PackedPiece);
  if (!ids || ids_size > size || tables != size - ids_size)
    return broken("the file is not as long as its trailer says");
  shard.sequences_ = trailer.sequences;
  shard.tokens_ = trailer.tokens;
  shard.length_ = trailer.length;
  shard.vocabulary_ = trailer.vocabulary;
  shard.ids_ = reinterpret_cast<const int32_t*>(bytes.data());
  shard.first_piece_ = reinterpret_cast<const uint64_t*>(bytes.data() + ids_size);
  shard.pieces_ = reinterpret_cast<const PackedPiece*>(shard.first_piece_ + trailer.sequences + 1);
  if (shard.first_piece_[0] != 0 || shard.first_piece_[trailer.sequences] != trailer.pieces)
    return broken("the table of pieces is damaged");
  for (uint64_t i = 0; i < trailer.sequences; ++i) {
    if (shard.first_piece_[i + 1] < shard.first_piece_[i] ||
        shard.first_piece_[i + 1] > trailer.pieces)
      return broken("the table of pieces is damaged");
    uint64_t end = 0;
    for (const PackedPiece& piece : shard.pieces(i)) {
      if (piece.begin != end || piece.length == 0 || end + piece.length > trailer.length)
        return broken("a piece lies outside its sequence");
      end += piece.length;
    }
    for (const int32_t id : shard.sequence(i))
      if (id < 0 || static_cast<uint32_t>(id) >= trailer.vocabulary)
        return broken("a token lies outside the vocabulary");
  }
  return shard;
}

std::span<const PackedPiece> PackedShard::pieces(uint64_t sequence) const {
  return {pieces_ + first_piece_[sequence], first_piece_[sequence + 1] - first_piece_[sequence]};
}

std::span<const int32_t> PackedShard::sequence(uint64_t sequence) const {
  const auto all = pieces(sequence);
  const size_t used = all.empty() ? 0 : all.back().begin + all.back().length;
  return {ids_ + sequence * length_, used};
}

Result<PackedShardWriter> PackedShardWriter::create(const std::filesystem::path& path,
                                                    uint32_t length, uint32_t vocabulary) {
  PackedShardWriter writer(PONDER_TRY(AtomicFile::create(path)));
  writer.length_ = length;
  writer.vocabulary_ = vocabulary;
  return writer;
}

Result<void> PackedShardWriter::add(std::span<const std::span<const int32_t>> pieces) {
  row_.clear();
  for (const auto piece : pieces) {
    pieces_.push_back({static_cast<uint32_t>(row_.size()), static_cast<uint32_t>(piece.size())});
    row_.insert(row_.end(), piece.begin(), piece.end());
  }
  PONDER_CHECK(row_.size() <= length_);
  tokens_ += row_.size();
  row_.resize(length_, -1);
  first_piece_.push_back(pieces_.size());
  return file_.write(bytes_of(row_));
}

Result<void> PackedShardWriter::commit() {
  if (file_.offset() % 8 != 0) PONDER_TRY(file_.write(std::string_view("\0\0\0\0", 4)));
  PONDER_TRY(file_.write(bytes_of(first_piece_)));
  PONDER_TRY(file_.write(bytes_of(pieces_)));
  Trailer trailer{sequences(), pieces_.size(), tokens_, length_, vocabulary_, {}, {}};
  std::memcpy(trailer.magic, kMagic, 8);
  PONDER_TRY(file_.write(std::as_bytes(std::span(&trailer, 1))));
  return file_.commit();
}

std::vector<std::vector<uint32_t>> best_fit(std::span<const uint32_t> lengths, uint32_t length) {
  std::vector<uint32_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<uint32_t>> sequences;
  std::set<std::pair<uint32_t, uint32_t>> room;  // {tokens free, number of the sequence}
  for (const uint32_t piece : order) {
    const auto fit = room.lower_bound({lengths[piece], 0});
    uint32_t free = length;
    auto number = static_cast<uint32_t>(sequences.size());
    if (fit == room.end()) {
      sequences.emplace_back();
    } else {
      std::tie(free, number) = *fit;
      room.erase(fit);
    }
    sequences[number].push_back(piece);
    if (free > lengths[piece]) room.insert({free - lengths[piece], number});
  }
  for (auto& pieces : sequences) std::sort(pieces.begin(), pieces.end());
  std::sort(sequences.begin(), sequences.end());
  return sequences;
}

}  // namespace ponder
