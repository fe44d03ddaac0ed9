// Recall by rounds, as DeepSeekMath gathered its corpus (arXiv:2402.03300, section 2.1): a
// classifier is trained on a seed and on random documents, scores the corpus, and the best are
// recalled; sites of which a good share was recalled give their other documents to the positive
// examples of the next round. Where the authors had people look at the addresses of such sites,
// here the share decides.
#pragma once

#include "data/classify/quality.hpp"

namespace ponder {

struct RecallOptions {
  std::vector<std::string> seed_files;  // documents to find more of
  double fraction = 0.1;                // of the corpus, that is recalled
  int rounds = 4;                       // at most
  double enough = 0.98;     // ends when so much of what is recalled was recalled a round before
  double site_share = 0.1;  // of a site's documents; more of them recalled: the others are examples
  int site_documents = 10;  // sites with fewer documents are no sites
  uint64_t negatives = 500'000;  // random documents of the corpus
  uint64_t seed = 1;             // of the choice of negatives
  QualityTraining training;
};

struct RecallRound {
  uint64_t positives = 0, negatives = 0;  // examples
  double threshold = 0;
  uint64_t recalled = 0;  // documents
  double known = 0;       // share of them that the round before recalled
  uint64_t sites = 0;     // that give examples for the next round
};

struct Recall {
  std::vector<RecallRound> rounds;
  std::string model;     // of the last round
  double threshold = 0;  // its own
};

// Trains in `folder` the models recall-N.bin; a round whose model is there already is not trained
// again, so a killed call goes on. Holds 24 bytes a document and the names of the sites. The same
// result for any number of threads and cuts of the input into files.
Result<Recall> recall_rounds(const RecallOptions& options, const std::string& folder,
                             const InputOptions& input, const std::vector<CorpusFile>& inputs,
                             const StepRun& run, ThreadPool& pool);

// The whole as a step: the rounds, then what the last one recalled is written to run.folder, with
// the rounds in the manifest, which are returned. run.settings are set.
Result<OrderedJson> recall_step(const RecallOptions& options, const InputOptions& input,
                                const std::vector<CorpusFile>& inputs, StepRun& run,
                                ThreadPool& pool);

OrderedJson recall_settings(const RecallOptions& options);
OrderedJson recall_rounds_json(const Recall& recall);

}  // namespace ponder
