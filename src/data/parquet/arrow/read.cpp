// Reading: one row group after the other, a batch of rows at a time.
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>

#include "data/parquet/arrow/json_rows.hpp"
#include "data/parquet/arrow/module.hpp"

namespace ponder {
namespace {

constexpr int64_t kMostRows = 1024;  // of a batch
constexpr int64_t kBatchBytes = 8 << 20;
constexpr int64_t kRead = 1 << 20;  // bytes of a column that are read together
constexpr int kMostGroups = 1'000'000;

// What the pages, the batch and the footer may take; a file that asks for more is damaged.
int64_t most_memory(uint64_t longest) {
  return static_cast<int64_t>(std::min<uint64_t>(longest, 1ull << 40)) * 4 + (64 << 20);
}

class Rows : public ParquetRows {
 public:
  explicit Rows(const ParquetReading& options)
      : options_(options),
        pool_(arrow::MemoryPool::CreateDefault()),
        capped_(pool_.get(), most_memory(options.longest)) {}

  // Without a readable footer there is one bad row, and no other.
  void open(const std::filesystem::path& path) {
    const arrow::Status status = guarded([&] { return open_file(path); });
    if (status.ok()) return;
    if (options_.first_row == 0)  // else it has been told already
      failure_ = "the Parquet file is truncated or damaged: " + arrow_message(status);
    reader_.reset();
    groups_ = 0;
  }

  Result<bool> next(ParquetRow& row) override {
    row.json.clear();
    row.bad.clear();
    while (true) {
      if (!failure_.empty()) return give_failure(row);
      if (batch_ != nullptr && at_ < batch_->num_rows()) return give(row);
      if (rows_ == nullptr && !begin_group()) {
        if (failure_.empty()) return false;
        continue;
      }
      read_batch();
    }
  }

 private:
  arrow::Status open_file(const std::filesystem::path& path) {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path.string(), &capped_));
    parquet::ReaderProperties properties(&capped_);
    properties.enable_buffered_stream();
    properties.set_buffer_size(kRead);
    parquet::ArrowReaderProperties to_arrow(false);
    to_arrow.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file), properties));
    builder.memory_pool(&capped_)->properties(to_arrow);
    ARROW_ASSIGN_OR_RAISE(reader_, builder.Build());
    metadata_ = reader_->parquet_reader()->metadata();
    groups_ = metadata_->num_row_groups();
    if (groups_ > kMostGroups)
      return arrow::Status::Invalid("more than ", kMostGroups, " row groups");
    for (int i = 0; i < groups_; ++i) {
      const int64_t count = metadata_->RowGroup(i)->num_rows();
      if (count < 0 || count > (int64_t{1} << 40) || metadata_->RowGroup(i)->num_columns() < 1)
        return arrow::Status::Invalid("row group ", i, " says that it has ", count, " rows");
    }
    return arrow::Status::OK();
  }

  // Goes to the next row group that has rows behind the first wanted one; false at the end.
  bool begin_group() {
    while (++group_ < groups_) {
      const auto about = metadata_->RowGroup(group_);
      const auto count = static_cast<uint64_t>(about->num_rows());
      first_ = end_;
      end_ = first_ + count;
      if (count == 0 || end_ <= options_.first_row) continue;
      next_ = first_;
      offset_ = static_cast<uint64_t>(std::max<int64_t>(about->file_offset(), 0));
      const int64_t bytes = std::max<int64_t>(about->total_byte_size(), 1);
      const int64_t of_row = bytes / std::max<int64_t>(about->num_rows(), 1) + 1;
      const arrow::Status status = guarded([&]() -> arrow::Status {
        reader_->set_batch_size(std::clamp<int64_t>(kBatchBytes / of_row, 1, kMostRows));
        ARROW_ASSIGN_OR_RAISE(rows_, reader_->GetRecordBatchReader({group_}));
        if (const auto column = about->ColumnChunk(0))
          offset_ = static_cast<uint64_t>(std::max<int64_t>(column->has_dictionary_page()
                                                                ? column->dictionary_page_offset()
                                                                : column->data_page_offset(),
                                                            0));
        return arrow::Status::OK();
      });
      if (!status.ok()) lose_group(arrow_message(status));
      return status.ok();
    }
    return false;
  }

  void read_batch() {
    batch_.reset();
    at_ = 0;
    const arrow::Status status = guarded([&]() -> arrow::Status {
      ARROW_RETURN_NOT_OK(rows_->ReadNext(&batch_));
      return batch_ == nullptr ? arrow::Status::OK() : batch_->Validate();
    });
    if (!status.ok()) return lose_group(arrow_message(status));
    if (batch_ == nullptr) {
      if (next_ < end_) return lose_group("it has fewer rows than it says");
      rows_.reset();
      return;
    }
    if (next_ + static_cast<uint64_t>(batch_->num_rows()) > end_)
      return lose_group("it has more rows than it says");
    if (batch_->num_rows() == 0) return lose_group("a batch without rows");
    if (next_ < options_.first_row) {
      at_ = static_cast<int64_t>(std::min<uint64_t>(options_.first_row - next_,
                                                    static_cast<uint64_t>(batch_->num_rows())));
      next_ += static_cast<uint64_t>(at_);
    }
  }

  void lose_group(const std::string& why) {
    next_ = std::max(next_, options_.first_row);
    failure_ = "row group " + std::to_string(group_) + " cannot be read, rows " +
               std::to_string(next_) + " to " + std::to_string(end_ - 1) + " are lost: " + why;
    rows_.reset();
    batch_.reset();
  }

  bool give_failure(ParquetRow& row) {
    row.bad = std::exchange(failure_, {});
    row.number = next_;
    row.offset = offset_;
    row.behind = next_ = std::max(end_, next_ + 1);
    return true;
  }

  bool give(ParquetRow& row) {
    if (!append_row(row.json, *batch_, at_)) row.bad = "the row is nested too deep";
    if (row.json.size() > options_.longest) row.bad = "the row is longer than the limit";
    if (!row.bad.empty()) row.json.resize(std::min<size_t>(row.json.size(), 200));
    ++at_;
    row.number = next_++;
    row.behind = next_;
    row.offset = offset_;
    return true;
  }

  ParquetReading options_;
  std::unique_ptr<arrow::MemoryPool> pool_;
  arrow::CappedMemoryPool capped_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::shared_ptr<arrow::RecordBatchReader> rows_;  // of the row group
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t at_ = 0;  // row of the batch that comes next
  int group_ = -1, groups_ = 0;
  uint64_t first_ = 0, end_ = 0;  // rows of the row group: [first_, end_)
  uint64_t next_ = 0;             // number of the row that comes next
  uint64_t offset_ = 0;
  std::string failure_;  // to be told before anything else
};

}  // namespace

Result<std::unique_ptr<ParquetRows>> read_parquet(const std::filesystem::path& path,
                                                  const ParquetReading& options) {
  auto rows = std::make_unique<Rows>(options);
  rows->open(path);
  return std::unique_ptr<ParquetRows>(std::move(rows));
}

}  // namespace ponder
