// A classifier of quality: fastText (Joulin et al. 2016) trained on good and bad examples, as
// DeepSeekMath did (arXiv:2402.03300, section 2.1), and a step that keeps what it likes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.hpp"
#include "data/run/run_step.hpp"

namespace fasttext {
class FastText;
}

namespace ponder {

struct QualityTraining {
  int dimension = 256;
  double learning_rate = 0.1;
  int word_ngrams = 3;
  int least_count = 3;
  int epochs = 3;
  int buckets = 2'000'000;
  int seed = 1;
};

struct QualityOptions {
  std::string label = "good";
  double threshold = 0.5;    // least probability of the label
  double keep_fraction = 0;  // > 0: the threshold is chosen so that this share is kept
};

// Trains on the documents of two sets of files and writes the model. One thread, so that the same
// examples give the same model. `work`: folder for the examples in fastText's form.
Result<uint64_t> train_quality(const QualityTraining& training, const InputOptions& good,
                               const InputOptions& bad, const std::string& model, ThreadPool& pool);

class QualityStep : public DocumentStep {
 public:
  std::string_view name() const override { return "classifying"; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override;
  // Probability of the label.
  double score(const std::string& text) const;

 private:
  friend Result<QualityStep> quality_step(const QualityOptions&, const std::string&,
                                          const InputOptions&, const std::vector<CorpusFile>&,
                                          const StepRun&, ThreadPool&);
  std::shared_ptr<const fasttext::FastText> model_;
  std::string label_;
  double threshold_ = 0;
};

// Loads the model; with keep_fraction reads all documents once to find the threshold.
Result<QualityStep> quality_step(const QualityOptions& options, const std::string& model,
                                 const InputOptions& input, const std::vector<CorpusFile>& inputs,
                                 const StepRun& run, ThreadPool& pool);

OrderedJson quality_settings(const QualityOptions& options, const std::string& model);

}  // namespace ponder
