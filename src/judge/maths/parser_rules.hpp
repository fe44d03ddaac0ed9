// The rules of the parser, one function each, from lists down to numbers. After a failure the
// parser stands at the end, so every loop ends.
#pragma once

#include <span>

#include "judge/maths/lexer.hpp"
#include "judge/maths/parser.hpp"

namespace ponder {

class MathParser {
 public:
  MathParser(LexedMaths lexed, const MathReading& reading)
      : tokens_(std::move(lexed.tokens)), reading_(reading) {
    matters_.group_digits = lexed.grouped_digits;
  }
  std::optional<ParsedMaths> parse();

 private:
  // Counts brackets, signs and powers that are open; too many are a failure.
  class Deeper {
   public:
    explicit Deeper(MathParser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMostDepth) parser_.fail();
    }
    ~Deeper() { --parser_.depth_; }

   private:
    MathParser& parser_;
  };

  static constexpr int kMostDepth = 200, kMostJoined = 50;

  // parser.cpp
  Expr list();
  bool take_separator(std::string& name);
  Expr element();
  Expr words();
  std::string unit();
  Expr relation();
  Expr congruence(std::vector<Expr> sides);
  Expr set_expr();
  Expr ratio();
  Expr sum();
  Expr term();
  void divide(std::vector<Expr>& factors);
  void multiply(std::vector<Expr>& factors);
  Expr unary();

  // parser_primary.cpp
  Expr power();
  Expr exponent();
  Expr primary();
  Expr number();
  Expr plain_number(const MathToken& token);
  bool mixed_fraction(Expr& whole);
  Expr letter();
  Expr bracketed();
  Expr group();
  Expr set_literal();
  Expr such_that(Expr element, std::string_view close);
  Expr absolute();
  Expr rounded();
  Expr matrix();
  Expr function();
  Expr called(const std::string& name);
  Expr root(int index);
  Expr big_operator(const std::string& name);
  Expr applied(const std::string& name);
  Expr argument();
  Expr macro_argument();

  const MathToken& token(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool is_symbol(std::string_view text, size_t ahead = 0) const {
    return token(ahead).kind == MathTokenKind::kSymbol && token(ahead).text == text;
  }
  bool take(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view symbol) {
    if (!take(symbol)) fail();
  }
  Expr fail() {
    failed_ = true;
    at_ = tokens_.size() - 1;
    return {};
  }
  bool at_end() const { return token().kind == MathTokenKind::kEnd; }
  bool starts_factor() const;

  std::vector<MathToken> tokens_;
  MathReading reading_, matters_ = {false, false, false};
  size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;         // | that are open
  bool in_set_ = false;  // a colon means "such that"
  bool failed_ = false;
};

}  // namespace ponder
