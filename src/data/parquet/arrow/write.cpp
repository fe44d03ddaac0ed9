// Writing: the columns are those of all records; a row group takes about 32 MB of JSON.
#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <fcntl.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "data/parquet/arrow/columns.hpp"
#include "data/parquet/arrow/module.hpp"

namespace ponder {
namespace {

constexpr size_t kGroupBytes = 32 << 20;
constexpr int64_t kGroupRows = 1 << 17;

class Writer : public ParquetWriter {
 public:
  Writer(std::filesystem::path path, bool gzip) : path_(std::move(path)), gzip_(gzip) {}

  Result<void> learn(std::string_view record) override {
    shape_.see(PONDER_TRY(parse(record)));
    if (shape_.kind == Shape::kStruct) return {};
    return failed("there are more than a thousand different fields");
  }

  Result<void> begin() override {
    if (shape_.names.empty()) {  // no record, or none with a field
      shape_.kind = Shape::kStruct;
      shape_.names = {"text"};
      shape_.parts.resize(1);
    }
    for (Shape& part : shape_.parts) part.close();
    return checked(guarded([&] { return open(); }));
  }

  Result<void> add(std::string_view record) override {
    const simdjson::dom::object members = PONDER_TRY(parse(record)).get_object().value_unsafe();
    const arrow::Status status = guarded([&]() -> arrow::Status {
      for (size_t i = 0; i < builders_.size(); ++i)
        ARROW_RETURN_NOT_OK(
            append_member(*builders_[i], shape_.parts[i], members, shape_.names[i]));
      ++rows_;
      bytes_ += record.size();
      return bytes_ < kGroupBytes && rows_ < kGroupRows ? arrow::Status::OK() : flush();
    });
    return checked(status);
  }

  Result<void> finish() override {
    const arrow::Status status = guarded([&]() -> arrow::Status {
      if (rows_ > 0) ARROW_RETURN_NOT_OK(flush());
      ARROW_RETURN_NOT_OK(writer_->Close());
      return file_->Flush();
    });
    PONDER_TRY(checked(status));
    if (::fsync(file_->file_descriptor()) != 0) return failed(std::strerror(errno));
    return checked(file_->Close());
  }

 private:
  Result<simdjson::dom::element> parse(std::string_view record) {
    simdjson::dom::element root;
    if (parser_.parse(record.data(), record.size()).get(root) != simdjson::SUCCESS ||
        !root.is_object())
      return failed("a record is no JSON object");
    return root;
  }

  arrow::Status open() {
    arrow::FieldVector fields;
    for (size_t i = 0; i < shape_.names.size(); ++i) {
      fields.push_back(arrow::field(shape_.names[i], shape_.parts[i].type()));
      ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(fields.back()->type()));
      builders_.push_back(std::move(builder));
    }
    schema_ = arrow::schema(std::move(fields));
    ARROW_ASSIGN_OR_RAISE(file_, arrow::io::FileOutputStream::Open(path_.string()));
    const auto properties =
        parquet::WriterProperties::Builder()
            .compression(gzip_ ? arrow::Compression::GZIP : arrow::Compression::ZSTD)
            ->created_by("ponder")
            ->build();
    ARROW_ASSIGN_OR_RAISE(writer_, parquet::arrow::FileWriter::Open(
                                       *schema_, arrow::default_memory_pool(), file_, properties));
    return arrow::Status::OK();
  }

  arrow::Status flush() {
    arrow::ArrayVector arrays(builders_.size());
    for (size_t i = 0; i < builders_.size(); ++i)
      ARROW_RETURN_NOT_OK(builders_[i]->Finish(&arrays[i]));
    const auto table = arrow::Table::Make(schema_, std::move(arrays), rows_);
    ARROW_RETURN_NOT_OK(writer_->WriteTable(*table, rows_));
    rows_ = 0;
    bytes_ = 0;
    return arrow::Status::OK();
  }

  Result<void> checked(const arrow::Status& status) const {
    return status.ok() ? Result<void>{} : failed(arrow_message(status));
  }
  Failure failed(const std::string& what) const {
    const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return Failure{
        {.what = what,
         .where = path_.string(),
         .mend = full ? "make room and give the same command again: it goes on where it was" : ""}};
  }

  std::filesystem::path path_;
  bool gzip_;
  simdjson::dom::parser parser_;
  Shape shape_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;  // one a column
  std::shared_ptr<arrow::io::FileOutputStream> file_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t rows_ = 0;  // in the builders
  size_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<ParquetWriter> write_parquet(const std::filesystem::path& path, bool gzip) {
  return std::make_unique<Writer>(path, gzip);
}

}  // namespace ponder
