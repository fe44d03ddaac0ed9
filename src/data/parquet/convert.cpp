#include "data/parquet/convert.hpp"

#include "data/io/record_reader.hpp"

namespace ponder {
namespace {

constexpr uint64_t kAnyLength = uint64_t{1} << 40;

template <typename Take>
Result<void> each_line(const std::filesystem::path& lines, Take&& take) {
  RecordReader reader =
      PONDER_TRY(RecordReader::open(lines, RecordFormat::kJsonLines, kAnyLength, {}));
  Record record;
  while (PONDER_TRY(reader.next(record))) {
    if (!record.bad.empty()) return Failure{{.what = record.bad, .where = lines.string()}};
    PONDER_TRY(take(record.bytes));
  }
  return {};
}

}  // namespace

Result<void> lines_to_parquet(const std::filesystem::path& lines,
                              const std::filesystem::path& target, bool gzip) {
  const auto writer = PONDER_TRY(parquet_module())->write(target, gzip);
  PONDER_TRY(each_line(lines, [&](std::string_view line) { return writer->learn(line); }));
  PONDER_TRY(writer->begin());
  PONDER_TRY(each_line(lines, [&](std::string_view line) { return writer->add(line); }));
  return writer->finish();
}

}  // namespace ponder
