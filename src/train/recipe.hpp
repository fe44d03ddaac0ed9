// Recipes: what is to be trained, as TOML. Every key is checked when it is read, and finish() finds
// those that nobody read: a misspelt key is an error that names file, line and the nearest key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/json.hpp"

namespace ponder {

// A table of a recipe, the whole of it at first. Copies share what has been read. Keys are dotted:
// "optimizer.rate". A reader gives `absent` for a key that the recipe does not have; without it the
// key must be there.
class Recipe {
 public:
  // `sets`: "key=value" from the command line, which go before the file. A value that is no TOML
  // is taken as a text.
  static Result<Recipe> open(const std::filesystem::path& path,
                             std::span<const std::string> sets = {});
  static Result<Recipe> parse(std::string_view text, const std::string& where,
                              std::span<const std::string> sets = {});

  bool has(std::string_view key) const;

  Result<int64_t> integer(std::string_view key, std::optional<int64_t> absent,
                          IntegerRange range = {}) const;
  Result<double> number(std::string_view key, std::optional<double> absent,
                        NumberRange range = {}) const;
  Result<bool> flag(std::string_view key, bool absent) const;
  Result<std::string> text(std::string_view key, std::optional<std::string> absent) const;
  // One of `words`.
  Result<std::string> word(std::string_view key, std::optional<std::string> absent,
                           std::span<const std::string_view> words) const;
  // A list of texts, or a single text; empty if absent.
  Result<std::vector<std::string>> texts(std::string_view key) const;
  Result<std::vector<double>> numbers(std::string_view key, NumberRange range = {}) const;
  // A file or folder; one that is not absolute is looked for beside the recipe.
  Result<std::filesystem::path> path(std::string_view key, std::optional<std::string> absent) const;
  Result<std::vector<std::filesystem::path>> paths(std::string_view key) const;
  // A table that has its own keys; of a key that is absent an empty one.
  Recipe table(std::string_view key) const;
  // [[key]]: one for each. Empty if absent.
  Result<std::vector<Recipe>> tables(std::string_view key) const;

  // An error if there is a key that no reader has asked for.
  Result<void> finish() const;
  // "recipe.toml: line 7: optimizer.rate", for errors about a value.
  std::string where(std::string_view key) const;
  const std::filesystem::path& folder() const;  // that the recipe lies in
  // Every key that was asked for with the value that it has, one a line and sorted: what a run is
  // known by.
  std::string resolved() const;

 private:
  struct State;
  Recipe(std::shared_ptr<State> state, std::string prefix)
      : state_(std::move(state)), prefix_(std::move(prefix)) {}

  std::string full(std::string_view key) const { return prefix_ + std::string(key); }

  std::shared_ptr<State> state_;
  std::string prefix_;  // "" or "task[0]."
};

}  // namespace ponder
