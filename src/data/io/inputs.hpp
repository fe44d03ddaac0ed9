// The input files of a step, from what the user wrote.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "data/io/document.hpp"
#include "data/io/record_reader.hpp"
#include "io/json.hpp"

namespace ponder {

struct CorpusFile {
  std::string path;    // "-": standard input
  std::string origin;  // its name without folders, for ids
  RecordFormat format = RecordFormat::kJsonLines;
};

struct InputOptions {
  std::vector<std::string> paths;  // files, patterns like data/*.jsonl.zst, folders, "-"
  std::string format = "auto";     // or "jsonl", "parquet", "lines", "text"
  FieldNames fields;
  uint64_t longest_record = 64 << 20;  // bytes; what is longer is bad input
};

// How records are read, as far as it decides about the output of a step.
OrderedJson reading_settings(const InputOptions& options);

// Files in the order given; those of a pattern or folder sorted by name. A folder that an earlier
// step wrote gives its part-* files; another one its files of JSON lines and plain text. Fails if a
// name is no file, or there is none at all.
Result<std::vector<CorpusFile>> find_inputs(const InputOptions& options);

}  // namespace ponder
