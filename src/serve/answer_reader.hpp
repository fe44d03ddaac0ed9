// Reads the tokens of one choice: as an answer with thoughts and calls, or as plain text.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "text/answer_parser.hpp"

namespace ponder {

struct ReadingOptions {
  AnswerOptions answer = {};
  bool plain = false;  // all is content: only the stop strings of `answer` count
};

// The part of AnswerParser that plain text needs, with the same meaning.
class PlainReader {
 public:
  PlainReader(const Tokenizer& tokenizer, StopStrings stop)
      : tokenizer_(tokenizer), stop_(std::move(stop)) {}

  std::vector<AnswerDelta> push(int32_t token);
  std::vector<AnswerDelta> finish();
  bool stopped() const { return stop_.matched(); }
  std::string_view stop() const { return stop_.stop().bytes(); }
  const AnswerCounts& counts() const { return counts_; }

 private:
  Tokenizer tokenizer_;
  TracedText pending_;  // an unfinished character
  StopScanner stop_;
  AnswerCounts counts_;
};

// As AnswerParser.
class AnswerReader {
 public:
  AnswerReader(const Tokenizer& tokenizer, ReadingOptions options);

  std::vector<AnswerDelta> push(int32_t token);
  std::vector<AnswerDelta> finish();
  bool stopped() const;
  std::string_view stop() const;
  const AnswerCounts& counts() const;

 private:
  std::variant<AnswerParser, PlainReader> reader_;
};

}  // namespace ponder
