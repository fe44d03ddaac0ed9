// Removes, or cuts, documents that hold evaluation items.
#pragma once

#include "data/decontaminate/evaluation_index.hpp"
#include "data/run/step.hpp"

namespace ponder {

struct DecontaminateOptions {
  int ngram = 10;
  int shortest = 3;       // words of an item that is looked for as a whole
  bool cut = false;       // instead of removing: cut the passage and `margin` characters around it
  int margin = 200;       // characters
  int least_piece = 200;  // characters; shorter pieces between cuts are dropped
  int most_cuts = 10;     // a document with more is removed
};

class Decontaminate : public DocumentStep {
 public:
  Decontaminate(const EvaluationIndex& index, const DecontaminateOptions& options)
      : index_(index), options_(options) {}

  std::string_view name() const override { return "decontaminating"; }
  void process(Document& document, const DocumentPlace& place, Decision& decision) override;

 private:
  void remove(const Document& document, const std::vector<NormalWord>& words,
              const EvaluationIndex::Hit& hit, Decision& decision) const;

  const EvaluationIndex& index_;
  DecontaminateOptions options_;
};

OrderedJson decontaminate_settings(const DecontaminateOptions& options,
                                   const std::vector<std::string>& against,
                                   const std::vector<std::string>& fields,
                                   const EvaluationIndex& index);

}  // namespace ponder
