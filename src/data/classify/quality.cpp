#include "data/classify/quality.hpp"

#include <fasttext/fasttext.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <sstream>

#include "base/file.hpp"
#include "data/steps/filter_step.hpp"

namespace ponder {
namespace {

// fastText takes one example a line.
std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (c == '\n' || c == '\r' || c == '\0') c = ' ';
  return line;
}

// Writes examples in the order of the input.
class ExampleWriter : public DocumentStep {
 public:
  explicit ExampleWriter(std::string label) : label_(std::move(label)) {}
  std::string_view name() const override { return "reading examples"; }
  bool writes_documents() const override { return false; }
  bool writes_notes() const override { return true; }
  void process(Document& document, const DocumentPlace&, Decision& decision) override {
    decision.notes = "__label__" + label_ + " " + one_line(document.text) + "\n";
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
    const auto score = static_cast<float>(quality_.score(document.text));
    const std::scoped_lock lock(mutex_);
    scores_.push_back(score);
  }

  // The score that `fraction` of the documents reach.
  double threshold(double fraction) {
    const auto kept =
        static_cast<size_t>(std::llround(fraction * static_cast<double>(scores_.size())));
    if (kept == 0 || scores_.empty()) return 2;
    std::nth_element(scores_.begin(), scores_.begin() + static_cast<long>(kept - 1), scores_.end(),
                     std::greater<>());
    return scores_[kept - 1];
  }

 private:
  const QualityStep& quality_;
  std::mutex mutex_;
  std::vector<float> scores_;
};

Result<uint64_t> write_examples(const InputOptions& input, const std::string& label,
                                const std::string& path, ThreadPool& pool) {
  const auto inputs = PONDER_TRY(find_inputs(input));
  ExampleWriter step(label);
  StepRun run;
  run.samples = 0;
  run.notes_file = path;
  return PONDER_TRY(run_to_output(step, input, inputs, run, pool)).kept;
}

}  // namespace

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
    trained.saveModel(model);
  } catch (const std::exception& failure) {
    return Failure{{.what = failure.what(), .where = model}};
  }
  std::filesystem::remove(examples, error);
  return goods + bads;
}

double QualityStep::score(const std::string& text) const {
  std::istringstream line(one_line(text) + "\n");
  std::vector<std::pair<fasttext::real, std::string>> predicted;
  if (!model_->predictLine(line, predicted, -1, 0)) return 0;
  for (const auto& [probability, label] : predicted)
    if (label == label_) return std::min(1.0, static_cast<double>(probability));
  return 0;
}

void QualityStep::process(Document& document, const DocumentPlace&, Decision& decision) {
  const double value = static_cast<double>(static_cast<float>(score(document.text)));
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
  step.label_ = "__label__" + options.label;
  step.threshold_ = options.threshold;
  try {
    auto loaded = std::make_shared<fasttext::FastText>();
    loaded->loadModel(model);
    const auto labels = loaded->getDictionary()->getCounts(fasttext::entry_type::label);
    bool known = false;
    for (int32_t i = 0; i < static_cast<int32_t>(labels.size()); ++i)
      known = known || loaded->getDictionary()->getLabel(i) == step.label_;
    if (!known) return Failure{{.what = "the model knows no label " + step.label_, .where = model}};
    step.model_ = std::move(loaded);
  } catch (const std::exception& failure) {
    return Failure{{.what = failure.what(), .where = model}};
  }
  if (options.keep_fraction > 0) {
    ScoreCollector scores(step);
    PONDER_TRY(run_to_output(scores, input, inputs, run, pool));
    step.threshold_ = scores.threshold(options.keep_fraction);
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
