// A file that grows, packed or not, and that can go on where it was after the process was killed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ponder {

enum class Packing { kNone, kGzip, kZstd };
Result<Packing> parse_packing(std::string_view name);  // "none", "gz", "zst"
std::string_view packing_suffix(Packing packing);      // "", ".gz", ".zst"

class ShardFile {
 public:
  // "-" is standard output. Else opens or creates the file and cuts it to `size` bytes, which an
  // earlier checkpoint() gave.
  static Result<ShardFile> open(const std::filesystem::path& path, Packing packing, uint64_t size);

  ShardFile(ShardFile&& other) noexcept;
  ShardFile& operator=(ShardFile&&) = delete;
  ~ShardFile();

  Result<void> write(std::string_view text);
  // Everything written so far is on the disk; gives the file's size. What follows begins a new
  // member (gzip) or frame (zstd), so the bytes of a file depend on where its checkpoints were.
  Result<uint64_t> checkpoint();
  // Everything written so far is in the file, if not on the disk.
  Result<void> flush_all() { return pack(); }

 private:
  ShardFile() = default;
  Result<void> pack();  // buffer_ → packed_ → file
  Result<void> put(std::string_view bytes);

  int descriptor_ = -1;
  std::filesystem::path path_;
  Packing packing_ = Packing::kNone;
  std::string buffer_, packed_;
  uint64_t size_ = 0;
};

}  // namespace ponder
