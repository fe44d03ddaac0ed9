// A step looks at documents one by one: keeps, changes or removes them, or only notes things.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "data/io/document.hpp"
#include "data/io/inputs.hpp"
#include "data/io/shard_file.hpp"
#include "io/json.hpp"

namespace ponder {

// What a step says about a document.
struct Decision {
  bool keep = true;
  std::string rule;     // why it was removed
  std::string details;  // members of its entry in removed.jsonl, as JSON: "\"value\": 3"
  std::string notes;    // bytes for the notes of the shard
};

struct DocumentPlace {
  size_t shard = 0;                        // number of the input file
  int thread = 0;                          // in [0, threads)
  const DocumentParser* record = nullptr;  // what parsed the document; null for plain text
};

class DocumentStep {
 public:
  virtual ~DocumentStep() = default;
  virtual std::string_view name() const = 0;
  // From many threads at once, each document once; the decision depends on the document and the
  // place's shard only.
  virtual void process(Document& document, const DocumentPlace& place, Decision& decision) = 0;
  // Whether documents are written, or only notes.
  virtual bool writes_documents() const { return true; }
  virtual bool writes_notes() const { return false; }
};

struct StepRun {
  std::string folder;  // "-": documents go to standard output, and nothing else is written
  Packing packing = Packing::kNone;
  bool parquet = false;  // documents are written as Parquet, not as JSON lines
  int threads = 1;
  int rank = 0, world = 1;               // this process takes the shards with shard % world == rank
  uint64_t checkpoint_bytes = 64 << 20;  // of input between two checkpoints
  bool stop_at_bad = false;              // bad input is an error instead of going to quarantine
  int samples = 20;                      // removed documents shown for each rule
  std::string notes_file;                // without a folder: notes are added to this file
  OrderedJson settings;  // what else decides about the output: a folder goes on only with the same
  OrderedJson reading;   // the same of how records are read: reading_settings()
  ProgressSink progress;
};

}  // namespace ponder
