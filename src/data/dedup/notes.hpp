// Notes about the documents of a shard, as the first pass of a deduplication writes them: for each
// document its number, its id, and the keys by which it is compared.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "base/result.hpp"

namespace ponder {

// A document among those of all shards: in the order of the input.
using Ordinal = uint64_t;
inline constexpr int kNumberBits = 40;
inline Ordinal ordinal_of(size_t shard, uint64_t number) {
  return static_cast<uint64_t>(shard) << kNumberBits | number;
}
inline size_t shard_of(Ordinal ordinal) { return static_cast<size_t>(ordinal >> kNumberBits); }

void append_note(std::string& notes, uint64_t number, std::string_view id,
                 std::string_view payload);

struct Note {
  uint64_t number = 0;
  std::string_view id, payload;
};

// Reads them back, one after the other.
class NotesReader {
 public:
  static Result<NotesReader> open(const std::filesystem::path& path);
  Result<bool> next(Note& note);  // false at the end

 private:
  MappedFile file_;
  std::string_view rest_;
  size_t released_ = 0;  // bytes of the file that are read, and need no memory any more
};

}  // namespace ponder
