// Readers of ponder data: the first byte chooses what the rest is: a corpus file (JSON lines, text,
// gzip, zstd or Parquet, told by its first bytes) or a recipe.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

#include "data/io/document.hpp"
#include "data/io/record_reader.hpp"
#include "data/steps/recipe.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLongest = 4096;

// A file that is in memory only.
std::string memory_file(std::string_view bytes) {
  static const int descriptor = ::memfd_create("fuzz", 0);
  PONDER_CHECK(::ftruncate(descriptor, 0) == 0);
  PONDER_CHECK(::pwrite(descriptor, bytes.data(), bytes.size(), 0) ==
               static_cast<ssize_t>(bytes.size()));
  return "/proc/self/fd/" + std::to_string(descriptor);
}

void use_record(const Record& record, RecordFormat format) {
  if (!record.bad.empty()) return;
  Document document;
  document.record.assign(record.bytes);
  DocumentParser parser;
  const std::string text = document.record;
  const std::string bad =
      is_json(format) ? parser.parse({}, "f", document) : document_of_text(text, "f", {}, document);
  if (!bad.empty()) return;
  // What is written for a document is a document with the same text again.
  document.text += "!";
  document.text_changed = true;
  document.added.emplace_back("extra", "1");
  Document again;
  again.record = output_record(document, {});
  PONDER_CHECK(parser.parse({}, "f", again).empty());
  PONDER_CHECK(again.text == document.text);
}

// All records, each from the position that the one before left.
void read_all(const std::string& path, RecordFormat format) {
  auto opened = RecordReader::open(path, format, kLongest, {});
  if (!opened.ok()) return;
  RecordReader reader = std::move(opened).value();
  Record record;
  uint64_t next = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto more = reader.next(record);
    if (!more.ok() || !more.value()) break;
    PONDER_CHECK(record.number >= next);
    next = record.number + 1;
    PONDER_CHECK(record.bytes.size() <= kLongest);
    use_record(record, format);
  }
}

}  // namespace
}  // namespace ponder

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ponder;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 4 == 3) {
    const auto recipe = parse_recipe(bytes, "recipe");
    PONDER_CHECK(!recipe.ok() || !recipe.value().steps.empty());
    return 0;
  }
  const std::string path = memory_file(bytes);
  if (bytes.starts_with("PAR1")) {
    read_all(path, RecordFormat::kParquet);
  } else {
    constexpr RecordFormat kFormats[] = {RecordFormat::kJsonLines, RecordFormat::kTextLines,
                                         RecordFormat::kWholeText};
    read_all(path, kFormats[data[0] % 4]);
  }
  return 0;
}
