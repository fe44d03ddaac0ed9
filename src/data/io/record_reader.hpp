// Records of an input file, one after the other: lines of JSONL, lines of text, or the whole file.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/byte_source.hpp"
#include "data/parquet/parquet.hpp"

namespace ponder {

enum class RecordFormat {
  kJsonLines,
  kTextLines,  // each line is a document
  kWholeText,  // the file is a document
  kParquet,    // each row is a record of JSON
};

// Whether records are JSON objects.
inline bool is_json(RecordFormat format) {
  return format == RecordFormat::kJsonLines || format == RecordFormat::kParquet;
}

// By the file's name without .gz or .zst: .jsonl, .ndjson, .json and standard input are JSON lines,
// .parquet is Parquet, everything else is one text.
RecordFormat format_by_name(const std::filesystem::path& path);

struct Record {
  std::string_view bytes;  // without the end of the line; valid until the next call
  uint64_t offset = 0;     // of its first byte in the (unpacked) file; of its row group in Parquet
  uint64_t number = 0;     // of the record in its file, from 0; blank lines do not count
  std::string bad;         // why it cannot be read ("too long", "truncated"); empty if it can
};

class RecordReader {
 public:
  struct Position {
    uint64_t offset = 0;  // bytes given so far
    uint64_t number = 0;
  };

  // Starts at `from`, a position() of an earlier reader of the same file.
  static Result<RecordReader> open(const std::filesystem::path& path, RecordFormat format,
                                   uint64_t longest, Position from);

  // The next record; false at the end. What is longer than `longest` bytes, and what damage of the
  // file cuts off, is a record with `bad` set: its bytes are then the beginning of it.
  Result<bool> next(Record& record);

  Position position() const { return {offset_ + begin_, number_}; }
  bool packed() const { return source_ == nullptr || source_->packed(); }

 private:
  RecordReader() = default;
  Result<bool> more();                     // reads another block; false at the end
  Result<bool> skip_rest(Record& record);  // of a record that is too long
  bool take(Record& record, size_t length, size_t behind);
  Result<bool> next_row(Record& record);

  std::unique_ptr<ByteSource> source_;  // null: rows_ are read
  std::unique_ptr<ParquetRows> rows_;
  ParquetRow row_;
  RecordFormat format_ = RecordFormat::kJsonLines;
  std::string where_, damage_, excerpt_;
  uint64_t longest_ = 0;
  std::vector<char> buffer_;  // [begin_, end_) is not yet given
  size_t begin_ = 0, end_ = 0;
  uint64_t offset_ = 0;  // of buffer_[0] in the file
  uint64_t number_ = 0;
  bool ended_ = false;
};

}  // namespace ponder
