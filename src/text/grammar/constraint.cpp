#include "text/grammar/constraint.hpp"

#include <utility>

#include "text/grammar/automaton.hpp"
#include "text/grammar/source_grammar.hpp"
#include "text/grammar/token_masks.hpp"

namespace ponder {
namespace {

class Compiled {
 public:
  Compiled(std::shared_ptr<const TokenVocabulary> vocabulary, Automaton automaton)
      : vocabulary_(std::move(vocabulary)),
        automaton_(std::move(automaton)),
        masks_(std::make_shared<TokenMasks>(automaton_, *vocabulary_)) {}

  const TokenVocabulary& vocabulary() const { return *vocabulary_; }

  // Where a sequence is. Tables that have grown too large are left behind, and go when no place
  // is in them any more.
  struct Place {
    std::shared_ptr<TokenMasks> masks;
    int32_t state = StateTable::kDead;
  };
  Place start() {
    const std::lock_guard lock(mutex_);
    return {masks_, masks_->table().start()};
  }
  std::shared_ptr<const TokenMask> mask(const Place& place) {
    const std::lock_guard lock(mutex_);
    return place.masks->mask(place.state);
  }
  bool finished(const Place& place) {
    const std::lock_guard lock(mutex_);
    return place.state == StateTable::kDead || place.masks->table().finished(place.state);
  }
  void step(Place& place, int32_t token) {
    const std::lock_guard lock(mutex_);
    place.state = place.masks->step(place.state, token);
    if (!place.masks->full()) return;
    if (place.masks == masks_) masks_ = std::make_shared<TokenMasks>(automaton_, *vocabulary_);
    place.state = masks_->table().adopt(place.masks->table(), place.state);
    place.masks = masks_;
  }

 private:
  std::shared_ptr<const TokenVocabulary> vocabulary_;
  Automaton automaton_;
  std::mutex mutex_;
  std::shared_ptr<TokenMasks> masks_;
};

class GrammarGuide : public TokenGuide {
 public:
  explicit GrammarGuide(std::shared_ptr<Compiled> compiled)
      : compiled_(std::move(compiled)), place_(compiled_->start()) {}

  std::span<const uint64_t> allowed() override {
    if (ended_ || place_.state == StateTable::kDead) return compiled_->vocabulary().ends();
    if (!mask_) mask_ = compiled_->mask(place_);
    return *mask_;
  }

  void accept(int32_t token) override {
    mask_ = nullptr;
    if (ended_ || compiled_->vocabulary().tokenizer().is_end(token))
      ended_ = true;
    else
      compiled_->step(place_, token);
  }

  bool finished() const override { return ended_ || compiled_->finished(place_); }

 private:
  std::shared_ptr<Compiled> compiled_;
  Compiled::Place place_;
  std::shared_ptr<const TokenMask> mask_;  // of `place_`, once it is asked for
  bool ended_ = false;
};

class CompiledConstraint : public Constraint {
 public:
  explicit CompiledConstraint(std::shared_ptr<Compiled> compiled)
      : compiled_(std::move(compiled)) {}
  std::unique_ptr<TokenGuide> make_guide() const override {
    return std::make_unique<GrammarGuide>(compiled_);
  }

 private:
  std::shared_ptr<Compiled> compiled_;
};

ConstraintSource of_text(ConstraintSource::Kind kind, std::string text) {
  return {.kind = kind, .text = std::move(text)};
}

void append_text(std::string& key, std::string_view text) {
  key += std::to_string(text.size()) + ':';
  key += text;
}

void append_key(std::string& key, const ConstraintSource& source) {
  key += static_cast<char>('a' + static_cast<int>(source.kind));
  append_text(key, source.text);
  for (const std::string& choice : source.choices) append_text(key, choice);
  key += std::to_string(source.least) + ',' + std::to_string(source.most) + ',';
  key += source.may_end ? "y(" : "n(";
  for (const ConstraintSource& part : source.parts) append_key(key, part);
  key += ')';
}

}  // namespace

ConstraintSource ConstraintSource::json_object() { return {.kind = Kind::kJsonObject}; }
ConstraintSource ConstraintSource::json_schema(std::string schema) {
  return of_text(Kind::kJsonSchema, std::move(schema));
}
ConstraintSource ConstraintSource::regex(std::string pattern) {
  return of_text(Kind::kRegex, std::move(pattern));
}
ConstraintSource ConstraintSource::choice(std::vector<std::string> texts) {
  return {.kind = Kind::kChoice, .choices = std::move(texts)};
}
ConstraintSource ConstraintSource::grammar(std::string gbnf) {
  return of_text(Kind::kGrammar, std::move(gbnf));
}
ConstraintSource ConstraintSource::literal(std::string text) {
  return of_text(Kind::kLiteral, std::move(text));
}
ConstraintSource ConstraintSource::marker(std::string text) {
  return of_text(Kind::kMarker, std::move(text));
}
ConstraintSource ConstraintSource::sequence(std::vector<ConstraintSource> parts) {
  return {.kind = Kind::kSequence, .parts = std::move(parts)};
}
ConstraintSource ConstraintSource::any_of(std::vector<ConstraintSource> parts) {
  return {.kind = Kind::kAnyOf, .parts = std::move(parts)};
}
ConstraintSource ConstraintSource::repeat(ConstraintSource part, int64_t least, int64_t most) {
  return {.kind = Kind::kRepeat, .parts = {std::move(part)}, .least = least, .most = most};
}
ConstraintSource ConstraintSource::free_text(std::string trigger, ConstraintSource rest,
                                             bool may_end) {
  return {.kind = Kind::kFreeText,
          .text = std::move(trigger),
          .parts = {std::move(rest)},
          .may_end = may_end};
}

std::string ConstraintSource::key() const {
  std::string key;
  append_key(key, *this);
  return key;
}

Result<std::shared_ptr<const Constraint>> compile_constraint(
    std::shared_ptr<const TokenVocabulary> vocabulary, const ConstraintSource& source) {
  Grammar grammar;
  const RuleId root = PONDER_TRY(add_source(grammar, *vocabulary, source));
  Automaton automaton = PONDER_TRY(build_automaton(grammar, root));
  auto compiled = std::make_shared<Compiled>(std::move(vocabulary), std::move(automaton));
  return std::shared_ptr<const Constraint>(
      std::make_shared<CompiledConstraint>(std::move(compiled)));
}

ConstraintCache::ConstraintCache(const Tokenizer& tokenizer, size_t most)
    : vocabulary_(TokenVocabulary::create(tokenizer)), most_(most) {}

Result<std::shared_ptr<const Constraint>> ConstraintCache::get(const ConstraintSource& source) {
  std::string key = source.key();
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return entries_.front().constraint;
    }
  }
  auto constraint = PONDER_TRY(compile_constraint(vocabulary_, source));
  const std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) return constraint;  // somebody else was as fast
  while (!entries_.empty() && entries_.size() >= most_) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({std::move(key), constraint});
  by_key_[entries_.front().key] = entries_.begin();
  return constraint;
}

}  // namespace ponder
