#include "data/classify/quality.hpp"

#include <fasttext/fasttext.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>

#include "base/file.hpp"
#include "data/steps/filter_step.hpp"

namespace ponder {
namespace {

// Writes examples in the order of the input.
class ExampleWriter : public DocumentStep {
 public:
  explicit ExampleWriter(std::string label) : label_(std::move(label)) {}
  std::string_view name() const override { return "reading examples"; }
  bool writes_documents() const override { return false; }
  bool writes_notes() const override { return true; }
  void process(Document& document, const DocumentPlace&, Decision& decision) override {
    decision.notes = fasttext_example(label_, document.text);
  }

 private:
  std::string label_;
};

class ScoreCollector : public DocumentStep {
 public:
  explicit ScoreCollector(const QualityStep& quality) : quality_(quality) {}
  std::string_view name() const override { return "scoring"; }
  bool writes_documents() const override { return false; }
  void process(Document& document, const DocumentPlace&, Decision&) override {
    const float score = quality_.score(document.text);
    const std::scoped_lock lock(mutex_);
    scores_.push_back(score);
  }

  std::vector<float> take() { return std::move(scores_); }

 private:
  const QualityStep& quality_;
  std::mutex mutex_;
  std::vector<float> scores_;
};

}  // namespace

std::string fasttext_example(std::string_view label, std::string_view text) {
  return "__label__" + std::string(label) + " " + one_line(text) + "\n";
}

Result<uint64_t> write_examples(const InputOptions& input, const std::string& label,
                                const std::string& path, ThreadPool& pool) {
  const auto inputs = PONDER_TRY(find_inputs(input));
  ExampleWriter step(label);
  StepRun run;
  run.samples = 0;
  run.notes_file = path;
  return PONDER_TRY(run_to_output(step, input, inputs, run, pool)).kept;
}

Result<uint64_t> train_quality(const QualityTraining& training, const InputOptions& good,
                               const InputOptions& bad, const std::string& model,
                               ThreadPool& pool) {
  const std::string examples = model + ".examples";
  std::error_code error;
  std::filesystem::remove(examples, error);
  const uint64_t goods = PONDER_TRY(write_examples(good, "good", examples, pool));
  const uint64_t bads = PONDER_TRY(write_examples(bad, "bad", examples, pool));
  if (goods == 0 || bads == 0)
    return Failure{{.what = "there must be good and bad examples", .where = "classify train"}};
  PONDER_TRY(train_on_examples(training, examples, model));
  std::filesystem::remove(examples, error);
  return goods + bads;
}

Result<void> train_on_examples(const QualityTraining& training, const std::string& examples,
                               const std::string& model) {
  const std::string whole = model + ".new";
  try {
    fasttext::Args args;
    args.input = examples;
    args.output = model;
    args.model = fasttext::model_name::sup;
    args.loss = fasttext::loss_name::softmax;
    args.dim = training.dimension;
    args.lr = training.learning_rate;
    args.wordNgrams = training.word_ngrams;
    args.minCount = training.least_count;
    args.epoch = training.epochs;
    args.bucket = training.buckets;
    args.seed = training.seed;
    args.minn = args.maxn = 0;
    args.thread = 1;
    args.verbose = 0;
    fasttext::FastText trained;
    trained.train(args);
    trained.saveModel(whole);
  } catch (const std::exception& failure) {
    return Failure{{.what = failure.what(), .where = model}};
  }
  std::error_code error;
  std::filesystem::rename(whole, model, error);
  return error ? Result<void>(Failure{{.what = error.message(), .where = model}}) : Result<void>{};
}

double best_threshold(std::vector<float> scores, double fraction) {
  const auto kept =
      static_cast<size_t>(std::llround(fraction * static_cast<double>(scores.size())));
  if (kept == 0 || scores.empty()) return 2;
  std::nth_element(scores.begin(), scores.begin() + static_cast<long>(kept - 1), scores.end(),
                   std::greater<>());
  return scores[kept - 1];
}

float QualityStep::score(std::string_view text) const {
  return static_cast<float>(model_->probability(text, label_));
}

void QualityStep::process(Document& document, const DocumentPlace&, Decision& decision) {
  const double value = static_cast<double>(score(document.text));
  document.added.emplace_back("quality", json_number(value));
  if (value >= threshold_) return;
  decision.keep = false;
  decision.rule = "quality";
  decision.details =
      "\"value\": " + json_number(value) + ", \"threshold\": " + json_number(threshold_);
}

Result<QualityStep> quality_step(const QualityOptions& options, const std::string& model,
                                 const InputOptions& input, const std::vector<CorpusFile>& inputs,
                                 const StepRun& run, ThreadPool& pool) {
  QualityStep step;
  step.label_ = options.label;
  step.threshold_ = options.threshold;
  step.model_ = PONDER_TRY(FastTextModel::load(model));
  const auto& labels = step.model_->labels();
  if (std::find(labels.begin(), labels.end(), options.label) == labels.end())
    return Failure{{.what = "the model knows no label " + options.label, .where = model}};
  if (options.keep_fraction > 0) {
    ScoreCollector scores(step);
    PONDER_TRY(run_to_output(scores, input, inputs, run, pool));
    step.threshold_ = best_threshold(scores.take(), options.keep_fraction);
  }
  return step;
}

OrderedJson quality_settings(const QualityOptions& options, const std::string& model) {
  return {{"step", "classify"},
          {"model", model},
          {"label", options.label},
          {"threshold", options.threshold},
          {"keep_fraction", options.keep_fraction}};
}

}  // namespace ponder
