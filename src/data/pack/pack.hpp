// Documents to packed shards: tokens as notes, then best fit.
#pragma once

#include "base/thread_pool.hpp"
#include "data/run/run_step.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

struct PackOptions {
  uint32_t length = 2048;      // tokens of a sequence
  bool end_token = true;       // behind each document, if the tokenizer has one
  uint64_t window = 16 << 20;  // tokens that are packed together
};

struct PackCounts {
  StepTally tally;  // nothing is removed
  uint64_t tokens = 0, sequences = 0;
};

// One part-NNNNN.pack for each input file of this process, and the manifest when all are there.
// What is done already is kept. A document longer than a sequence is cut into pieces; nothing is
// dropped.
Result<PackCounts> pack_documents(const PackOptions& options, const Tokenizer& tokenizer,
                                  const InputOptions& input, const std::vector<CorpusFile>& inputs,
                                  const StepRun& run, ThreadPool& pool);

OrderedJson pack_settings(const PackOptions& options, const std::string& tokenizer_name,
                          const Tokenizer& tokenizer);

}  // namespace ponder
