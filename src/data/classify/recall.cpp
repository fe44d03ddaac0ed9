#include "data/classify/recall.hpp"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <unordered_map>

#include "data/dedup/notes.hpp"
#include "data/look/look_steps.hpp"
#include "data/text/site.hpp"

namespace ponder {
namespace {

namespace fs = std::filesystem;

// What is known of a document of the corpus.
struct Known {
  Ordinal ordinal;
  uint64_t order;  // in which negatives are drawn
  uint32_t site;   // 0: none
  float score;
};

// All documents of the corpus, in the order of the input.
class Corpus {
 public:
  void add(Ordinal ordinal, uint64_t order, const std::string& site) {
    const std::scoped_lock lock(mutex_);
    const auto number =
        site.empty()
            ? 0
            : sites_.try_emplace(site, static_cast<uint32_t>(sites_.size() + 1)).first->second;
    documents_.push_back({ordinal, order, number, 0});
  }
  void sort() {
    std::sort(documents_.begin(), documents_.end(),
              [](const Known& a, const Known& b) { return a.ordinal < b.ordinal; });
  }
  std::vector<Known>& documents() { return documents_; }
  size_t sites() const { return sites_.size() + 1; }

  size_t index_of(Ordinal ordinal) const {
    const auto at = std::lower_bound(
        documents_.begin(), documents_.end(), ordinal,
        [](const Known& document, Ordinal wanted) { return document.ordinal < wanted; });
    PONDER_CHECK(at != documents_.end() && at->ordinal == ordinal);
    return static_cast<size_t>(at - documents_.begin());
  }

 private:
  std::mutex mutex_;
  std::vector<Known> documents_;
  std::unordered_map<std::string, uint32_t> sites_;
};

class ListCorpus : public DocumentStep {
 public:
  ListCorpus(Corpus& corpus, uint64_t seed) : corpus_(corpus), seed_(seed) {}
  std::string_view name() const override { return "listing"; }
  bool writes_documents() const override { return false; }
  void process(Document& document, const DocumentPlace& place, Decision&) override {
    corpus_.add(ordinal_of(place.shard, document.number), SampleStep::order_of(seed_, document.id),
                site_of(document.url));
  }

 private:
  Corpus& corpus_;
  uint64_t seed_;
};

class Score : public DocumentStep {
 public:
  Score(Corpus& corpus, const FastTextModel& model) : corpus_(corpus), model_(model) {}
  std::string_view name() const override { return "scoring"; }
  bool writes_documents() const override { return false; }
  void process(Document& document, const DocumentPlace& place, Decision&) override {
    const size_t at = corpus_.index_of(ordinal_of(place.shard, document.number));
    corpus_.documents()[at].score = static_cast<float>(model_.probability(document.text, "good"));
  }

 private:
  Corpus& corpus_;
  const FastTextModel& model_;
};

// Writes the chosen documents of the corpus as examples.
class WriteChosen : public DocumentStep {
 public:
  WriteChosen(const Corpus& corpus, const std::vector<char>& positive,
              const std::vector<char>& negative)
      : corpus_(corpus), positive_(positive), negative_(negative) {}
  std::string_view name() const override { return "writing examples"; }
  bool writes_documents() const override { return false; }
  bool writes_notes() const override { return true; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override {
    const size_t at = corpus_.index_of(ordinal_of(place.shard, document.number));
    if (positive_[at] != 0 || negative_[at] != 0)
      decision.notes = fasttext_example(positive_[at] != 0 ? "good" : "bad", document.text);
  }

 private:
  const Corpus& corpus_;
  const std::vector<char>&positive_, &negative_;
};

class Recaller {
 public:
  Recaller(const RecallOptions& options, std::string folder, const InputOptions& input,
           const std::vector<CorpusFile>& inputs, const StepRun& run, ThreadPool& pool)
      : options_(options), folder_(std::move(folder)), input_(input), inputs_(inputs), pool_(pool) {
    run_.progress = run.progress;
    run_.stop_at_bad = run.stop_at_bad;
    run_.checkpoint_bytes = run.checkpoint_bytes;
    run_.samples = 0;
  }

  Result<Recall> run() {
    ListCorpus list(corpus_, options_.seed);
    PONDER_TRY(run_to_output(list, input_, inputs_, run_, pool_));
    corpus_.sort();
    if (corpus_.documents().empty()) return Failure{{.what = "the corpus holds no documents"}};
    positive_.assign(corpus_.documents().size(), 0);
    recalled_.assign(corpus_.documents().size(), 0);
    Recall recall;
    for (int number = 1; number <= options_.rounds; ++number) {
      recall.model = (fs::path(folder_) / ("recall-" + std::to_string(number) + ".bin")).string();
      RecallRound round;
      PONDER_TRY(train(recall.model, round));
      const FastTextModel model = PONDER_TRY(FastTextModel::load(recall.model));
      Score score(corpus_, model);
      PONDER_TRY(run_to_output(score, input_, inputs_, run_, pool_));
      take_best(round);
      add_sites(round);
      recall.threshold = round.threshold;
      recall.rounds.push_back(round);
      if (number > 1 && round.known >= options_.enough) break;
    }
    return recall;
  }

 private:
  // Random documents of the corpus that are no positive examples.
  std::vector<char> draw_negatives(RecallRound& round) {
    const auto& documents = corpus_.documents();
    std::vector<size_t> order;
    for (size_t i = 0; i < documents.size(); ++i)
      if (positive_[i] == 0) order.push_back(i);
    const auto count = static_cast<size_t>(std::min<uint64_t>(options_.negatives, order.size()));
    std::partial_sort(order.begin(), order.begin() + static_cast<long>(count), order.end(),
                      [&](size_t a, size_t b) {
                        return documents[a].order != documents[b].order
                                   ? documents[a].order < documents[b].order
                                   : a < b;
                      });
    std::vector<char> negative(documents.size(), 0);
    for (size_t i = 0; i < count; ++i) negative[order[i]] = 1;
    round.negatives = count;
    return negative;
  }

  Result<void> train(const std::string& model, RecallRound& round) {
    const std::vector<char> negative = draw_negatives(round);
    round.positives = static_cast<uint64_t>(std::count(positive_.begin(), positive_.end(), 1));
    InputOptions seeds = input_;
    seeds.paths = options_.seed_files;
    seeds.format = "auto";
    const std::string examples = model + ".examples";
    std::error_code error;
    fs::remove(examples, error);
    round.positives += PONDER_TRY(write_examples(seeds, "good", examples, pool_));
    if (round.positives == 0 || round.negatives == 0)
      return Failure{{.what = "there are no seed documents, or nothing else in the corpus",
                      .where = "classify recall"}};
    if (!fs::exists(model, error)) {
      WriteChosen write(corpus_, positive_, negative);
      StepRun run = run_;
      run.notes_file = examples;
      PONDER_TRY(run_to_output(write, input_, inputs_, run, pool_));
      PONDER_TRY(train_on_examples(options_.training, examples, model));
    }
    fs::remove(examples, error);
    return {};
  }

  void take_best(RecallRound& round) {
    const auto& documents = corpus_.documents();
    std::vector<float> scores;
    for (const Known& document : documents) scores.push_back(document.score);
    round.threshold = best_threshold(std::move(scores), options_.fraction);
    uint64_t again = 0;
    for (size_t i = 0; i < documents.size(); ++i) {
      const bool now = documents[i].score >= round.threshold;
      again += now && recalled_[i] != 0;
      round.recalled += now;
      recalled_[i] = now;
    }
    if (round.recalled > 0)
      round.known = static_cast<double>(again) / static_cast<double>(round.recalled);
  }

  void add_sites(RecallRound& round) {
    std::vector<uint64_t> all(corpus_.sites(), 0), good(corpus_.sites(), 0);
    const auto& documents = corpus_.documents();
    for (size_t i = 0; i < documents.size(); ++i) {
      ++all[documents[i].site];
      good[documents[i].site] += recalled_[i] != 0;
    }
    const auto gives = [&](uint32_t site) {
      return site > 0 && all[site] >= static_cast<uint64_t>(options_.site_documents) &&
             static_cast<double>(good[site]) > options_.site_share * static_cast<double>(all[site]);
    };
    for (uint32_t site = 1; site < all.size(); ++site) round.sites += gives(site);
    for (size_t i = 0; i < documents.size(); ++i)
      if (recalled_[i] == 0 && gives(documents[i].site)) positive_[i] = 1;
  }

  const RecallOptions& options_;
  std::string folder_;
  const InputOptions& input_;
  const std::vector<CorpusFile>& inputs_;
  StepRun run_;
  ThreadPool& pool_;
  Corpus corpus_;
  std::vector<char> positive_, recalled_;  // of the corpus's documents
};

}  // namespace

Result<Recall> recall_rounds(const RecallOptions& options, const std::string& folder,
                             const InputOptions& input, const std::vector<CorpusFile>& inputs,
                             const StepRun& run, ThreadPool& pool) {
  for (const CorpusFile& file : inputs)
    if (file.path == "-")
      return Failure{{.what = "standard input cannot be read in rounds", .mend = "name a file"}};
  return Recaller(options, folder, input, inputs, run, pool).run();
}

Result<OrderedJson> recall_step(const RecallOptions& options, const InputOptions& input,
                                const std::vector<CorpusFile>& inputs, StepRun& run,
                                ThreadPool& pool) {
  run.settings = recall_settings(options);
  const RunFolder folder = PONDER_TRY(RunFolder::open(run, "main", inputs));
  std::error_code error;
  if (fs::exists(folder.folder() / "manifest.json", error)) {
    const Json manifest = PONDER_TRY(read_manifest(folder.folder()));
    return OrderedJson{{"rounds", OrderedJson::parse(manifest["rounds"].dump())}};
  }
  const Recall recall =
      PONDER_TRY(recall_rounds(options, folder.hidden().string(), input, inputs, run, pool));
  QualityStep step = PONDER_TRY(quality_step({.label = "good", .threshold = recall.threshold},
                                             recall.model, input, inputs, run, pool));
  PONDER_TRY(run_shards(step, input, inputs, run, folder, pool));
  const OrderedJson rounds = recall_rounds_json(recall);
  PONDER_TRY(folder.finish(run, rounds));
  return rounds;
}

OrderedJson recall_settings(const RecallOptions& options) {
  const QualityTraining& t = options.training;
  return {
      {"step", "recall"},
      {"seed_files", options.seed_files},
      {"fraction", options.fraction},
      {"rounds", options.rounds},
      {"enough", options.enough},
      {"site_share", options.site_share},
      {"site_documents", options.site_documents},
      {"negatives", options.negatives},
      {"seed", options.seed},
      {"training",
       {t.dimension, t.learning_rate, t.word_ngrams, t.least_count, t.epochs, t.buckets, t.seed}}};
}

OrderedJson recall_rounds_json(const Recall& recall) {
  OrderedJson rounds = OrderedJson::array();
  for (const RecallRound& round : recall.rounds)
    rounds.push_back({{"positives", round.positives},
                      {"negatives", round.negatives},
                      {"threshold", round.threshold},
                      {"recalled", round.recalled},
                      {"known", round.known},
                      {"sites", round.sites}});
  return {{"rounds", rounds}};
}

}  // namespace ponder
