// A classifier of quality: fastText (Joulin et al. 2016) trained on good and bad examples, as
// DeepSeekMath did (arXiv:2402.03300, section 2.1), and a step that keeps what it likes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/thread_pool.hpp"
#include "data/run/run_step.hpp"
#include "data/text/fasttext_model.hpp"

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
// examples give the same model. Returns how many there were.
Result<uint64_t> train_quality(const QualityTraining& training, const InputOptions& good,
                               const InputOptions& bad, const std::string& model, ThreadPool& pool);

// A line of a file of examples in fastText's form.
std::string fasttext_example(std::string_view label, std::string_view text);
// Adds the documents of `input` to such a file; how many there are.
Result<uint64_t> write_examples(const InputOptions& input, const std::string& label,
                                const std::string& path, ThreadPool& pool);
// Trains on such a file. The model appears when it is whole.
Result<void> train_on_examples(const QualityTraining& training, const std::string& examples,
                               const std::string& model);

// The least score of the best `fraction` of the scores; 2 if that is none.
double best_threshold(std::vector<float> scores, double fraction);

class QualityStep : public DocumentStep {
 public:
  std::string_view name() const override { return "classifying"; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override;
  // Probability of the label, as an f32.
  float score(std::string_view text) const;

 private:
  friend Result<QualityStep> quality_step(const QualityOptions&, const std::string&,
                                          const InputOptions&, const std::vector<CorpusFile>&,
                                          const StepRun&, ThreadPool&);
  std::optional<FastTextModel> model_;
  std::string label_;
  double threshold_ = 0;
};

// Loads the model; with keep_fraction reads all documents once to find the threshold.
Result<QualityStep> quality_step(const QualityOptions& options, const std::string& model,
                                 const InputOptions& input, const std::vector<CorpusFile>& inputs,
                                 const StepRun& run, ThreadPool& pool);

OrderedJson quality_settings(const QualityOptions& options, const std::string& model);

}  // namespace ponder
