// Parquet files, through a module of its own (libponder_parquet.so) that is loaded when the first
// is met: Arrow's libraries are large, and a program without them must start all the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ponder {

// A row, or what stands for rows that cannot be read.
struct ParquetRow {
  std::string json;     // one line: an object with a member for each column
  std::string bad;      // why this row, or the rest of its row group, cannot be read
  uint64_t number = 0;  // of the row in the file
  uint64_t offset = 0;  // of its row group in the file, bytes
  uint64_t behind = 0;  // number of the row that comes next
};

class ParquetRows {
 public:
  virtual ~ParquetRows() = default;
  // False at the end. Damage is no error but a row with `bad` set; the next row group follows.
  virtual Result<bool> next(ParquetRow& row) = 0;
};

// Writes records of JSON as rows. All records are shown twice: first to learn which columns there
// are and of which types, then to be written. Members that are numbers here and texts there become
// their JSON text.
class ParquetWriter {
 public:
  virtual ~ParquetWriter() = default;
  virtual Result<void> learn(std::string_view record) = 0;
  // Creates the file, not under its final name: it is no Parquet file before finish().
  virtual Result<void> begin() = 0;
  virtual Result<void> add(std::string_view record) = 0;
  // Everything is on the disk.
  virtual Result<void> finish() = 0;
};

struct ParquetReading {
  uint64_t first_row = 0;
  uint64_t longest = 64 << 20;  // bytes of a row as JSON; longer ones are bad
};

struct ParquetModule {
  int version;
  Result<std::unique_ptr<ParquetRows>> (*read)(const std::filesystem::path& path,
                                               const ParquetReading& options);
  // `gzip`: pages are packed by it instead of zstd.
  std::unique_ptr<ParquetWriter> (*write)(const std::filesystem::path& path, bool gzip);
};
// Of the struct above and the classes in it.
inline constexpr int kParquetVersion = 1;

// Loads the module; an error that says how to get it if it is not there.
Result<const ParquetModule*> parquet_module();

}  // namespace ponder
