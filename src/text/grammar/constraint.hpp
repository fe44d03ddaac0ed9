// Constraints on what a model may write: JSON of a schema, a regular expression, one of several
// texts, a grammar, or a composition of these. They are compiled once for a tokenizer and steer any
// number of sequences (text/token_guide.hpp), which always write a text that satisfies them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "text/grammar/token_vocabulary.hpp"
#include "text/token_guide.hpp"

namespace ponder {

// What a constraint is made from. The functions make them; parts may be any sources.
struct ConstraintSource {
  enum class Kind : uint8_t {
    kJsonObject,
    kJsonSchema,
    kRegex,
    kChoice,
    kGrammar,
    kLiteral,
    kMarker,
    kSequence,
    kAnyOf,
    kRepeat,
    kFreeText
  };
  Kind kind = Kind::kJsonObject;
  std::string text = {};
  std::vector<std::string> choices = {};
  std::vector<ConstraintSource> parts = {};
  int64_t least = 0, most = 0;
  bool may_end = false;

  static ConstraintSource json_object();
  // `schema` is its text, since the order of properties counts (a parsed Json has lost it).
  static ConstraintSource json_schema(std::string schema);
  static ConstraintSource regex(std::string pattern);
  static ConstraintSource choice(std::vector<std::string> texts);
  static ConstraintSource grammar(std::string gbnf);

  // Exactly this text, in any tokens that stand for text.
  static ConstraintSource literal(std::string text);
  // The same, but what the tokenizer has as an added or special token must come as that token:
  // for parts of a chat template, such as <tool_call>.
  static ConstraintSource marker(std::string text);
  static ConstraintSource sequence(std::vector<ConstraintSource> parts);
  static ConstraintSource any_of(std::vector<ConstraintSource> parts);
  // `most` −1: without end.
  static ConstraintSource repeat(ConstraintSource part, int64_t least, int64_t most);
  // Any text up to the first `trigger`, the trigger and then `rest`. With `may_end` the text may
  // also end without the trigger. A trigger is plain text, or begins with an added token and may
  // then come either as that token or spelled out.
  static ConstraintSource free_text(std::string trigger, ConstraintSource rest, bool may_end);

  // The same for equal sources only.
  std::string key() const;
};

// For any number of threads.
class Constraint {
 public:
  virtual ~Constraint() = default;
  // The guide keeps what it needs of the constraint.
  virtual std::unique_ptr<TokenGuide> make_guide() const = 0;
};

// Errors name the part that is wrong, unsupported or absurd: a JSON pointer into the schema, or the
// place in the regex or grammar.
Result<std::shared_ptr<const Constraint>> compile_constraint(
    std::shared_ptr<const TokenVocabulary> vocabulary, const ConstraintSource& source);

// Compiled constraints by what they were made from; those used last are kept. For any number of
// threads.
class ConstraintCache {
 public:
  explicit ConstraintCache(const Tokenizer& tokenizer, size_t most = 32);

  Result<std::shared_ptr<const Constraint>> get(const ConstraintSource& source);
  const std::shared_ptr<const TokenVocabulary>& vocabulary() const { return vocabulary_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Constraint> constraint;
  };
  std::shared_ptr<const TokenVocabulary> vocabulary_;
  size_t most_;
  std::mutex mutex_;
  std::list<Entry> entries_;                                       // used last first
  std::map<std::string_view, std::list<Entry>::iterator> by_key_;  // views of Entry::key
};

}  // namespace ponder
