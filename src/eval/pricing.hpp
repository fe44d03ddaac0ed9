// What tokens and time cost.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "eval/answering.hpp"

namespace ponder {

// Dollars for a million tokens.
struct TokenPrice {
  double input = 0.0;
  double cached_input = 0.0;
  double cache_write = 0.0;
  double output = 0.0;
  double reasoning = 0.0;
  std::string date = {};    // when it was so: "2025-02-01"
  std::string source = {};  // who says so
};

double token_cost(const TokenPrice& price, const TokenUsage& usage);
// The most that an answer may cost: a prompt of so many bytes, all tokens of the answer.
double most_cost(const TokenPrice& price, int64_t prompt_bytes, int64_t max_tokens);

// A table in TOML; of several entries of a model the latest date holds:
//   [[price]]
//   model = "name"        # as the server calls it
//   date = "2025-02-01"
//   input = 0.55          # dollars per million tokens
//   cached_input = 0.14   # else: as input
//   cache_write = 0.55    # else: as input
//   output = 2.19
//   reasoning = 2.19      # else: as output
//   source = "https://…"
class PriceTable {
 public:
  static Result<PriceTable> read(const std::filesystem::path& file);
  static Result<PriceTable> parse(const std::string& text, const std::string& where);

  const TokenPrice* find(const std::string& model) const;

 private:
  struct Entry {
    std::string model;
    TokenPrice price;
  };
  std::vector<Entry> entries_;
};

}  // namespace ponder
