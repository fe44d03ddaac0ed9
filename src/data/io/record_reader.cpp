#include "data/io/record_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ponder {
namespace {

constexpr size_t kBlock = 1 << 20;
constexpr size_t kExcerpt = 200;  // bytes of a record that is too long

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

Result<void> check_readable(const std::filesystem::path& path) {
  if (::access(path.c_str(), R_OK) == 0) return {};
  return Failure{
      {.what = std::string("cannot be opened: ") + std::strerror(errno), .where = path.string()}};
}

}  // namespace

RecordFormat format_by_name(const std::filesystem::path& path) {
  if (path == "-") return RecordFormat::kJsonLines;
  std::filesystem::path name = path.filename();
  if (name.extension() == ".gz" || name.extension() == ".zst") name = name.stem();
  const std::string extension = name.extension().string();
  if (extension == ".parquet") return RecordFormat::kParquet;
  return extension == ".jsonl" || extension == ".ndjson" || extension == ".json"
             ? RecordFormat::kJsonLines
             : RecordFormat::kWholeText;
}

Result<RecordReader> RecordReader::open(const std::filesystem::path& path, RecordFormat format,
                                        uint64_t longest, Position from) {
  RecordReader reader;
  reader.format_ = format;
  reader.where_ = path.string();
  reader.longest_ = longest;
  reader.offset_ = from.offset;
  reader.number_ = from.number;
  if (format == RecordFormat::kParquet) {
    if (path == "-")
      return Failure{{.what = "Parquet cannot be read from a pipe", .mend = "name the file"}};
    PONDER_TRY(check_readable(path));
    const ParquetModule* module = PONDER_TRY(parquet_module());
    reader.rows_ = PONDER_TRY(module->read(path, {.first_row = from.number, .longest = longest}));
    return reader;
  }
  reader.source_ = PONDER_TRY(ByteSource::open(path));
  if (from.offset > 0) PONDER_TRY(reader.source_->skip(from.offset));
  return reader;
}

Result<bool> RecordReader::more() {
  if (ended_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    offset_ += begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kBlock) buffer_.resize(std::max(end_ + kBlock, 2 * end_));
  auto got = source_->read({buffer_.data() + end_, kBlock});
  if (!got.ok()) {
    damage_ = got.error().what;
    ended_ = true;
    return false;
  }
  if (got.value() == 0) {
    ended_ = true;
    return false;
  }
  end_ += got.value();
  return true;
}

// Gives `length` bytes from begin_ on and goes `behind` bytes further.
bool RecordReader::take(Record& record, size_t length, size_t behind) {
  record.bytes = {buffer_.data() + begin_, length};
  record.offset = offset_ + begin_;
  record.number = number_++;
  begin_ += behind;
  return true;
}

Result<bool> RecordReader::skip_rest(Record& record) {
  const bool whole = format_ == RecordFormat::kWholeText;
  record.bad = whole ? "the file is longer than the limit" : "the line is longer than the limit";
  excerpt_.assign(buffer_.data() + begin_, std::min(kExcerpt, end_ - begin_));
  take(record, 0, end_ - begin_);
  record.bytes = excerpt_;
  while (PONDER_TRY(more())) {
    const std::string_view block(buffer_.data() + begin_, end_ - begin_);
    const size_t end = whole ? block.npos : block.find('\n');
    begin_ = end == block.npos ? end_ : begin_ + end + 1;
    if (end != block.npos) break;
  }
  return true;
}

Result<bool> RecordReader::next_row(Record& record) {
  if (!PONDER_TRY(rows_->next(row_))) return false;
  record.bytes = row_.json;
  record.bad = row_.bad;
  record.offset = row_.offset;
  record.number = row_.number;
  number_ = row_.behind;
  offset_ += row_.json.size() + 1;
  return true;
}

Result<bool> RecordReader::next(Record& record) {
  record.bad.clear();
  if (rows_ != nullptr) return next_row(record);
  size_t searched = 0;
  while (true) {
    const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
    size_t end = rest.npos;
    if (format_ != RecordFormat::kWholeText) end = rest.find('\n', searched);
    if (end != rest.npos) {
      const std::string_view line = rest.substr(0, end);
      searched = 0;
      if (is_blank(line)) {
        begin_ += end + 1;
        continue;
      }
      if (end > longest_) {
        record.bad = "the line is longer than the limit";
        return take(record, std::min(kExcerpt, end), end + 1);
      }
      return take(record, end - (line.back() == '\r' ? 1 : 0), end + 1);
    }
    searched = rest.size();
    if (rest.size() > longest_) return skip_rest(record);
    if (PONDER_TRY(more())) continue;
    const std::string_view last(buffer_.data() + begin_, end_ - begin_);
    if (!damage_.empty()) {
      record.bad = std::exchange(damage_, {});
      return take(record, std::min(last.size(), kExcerpt), last.size());
    }
    if (last.empty() || (format_ != RecordFormat::kWholeText && is_blank(last))) return false;
    return take(record, last.size(), last.size());
  }
}

}  // namespace ponder
