// A pipeline in a file: steps one after the other, each reading what the one before kept.
//
//   input = ["raw/*.jsonl.zst"]
//   output = "clean"                 # folders 01-filter, 02-dedup-near … appear in it
//   compress = "zst"
//
//   [[step]]
//   type = "filter"
//   preset = "gopher"
//   [step.gopher_quality]
//   min_words = 30
//
//   [[step]]
//   type = "dedup-near"
//   bands = 14
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/classify/recall.hpp"
#include "data/decontaminate/decontaminate_step.hpp"
#include "data/dedup/dedup.hpp"
#include "data/pack/pack.hpp"
#include "data/steps/filter_settings.hpp"

namespace ponder {

struct RecipeStep {
  std::string type;  // filter, dedup-exact, dedup-near, dedup-substring, decontaminate, classify,
                     // recall, sample, pack
  Filters filters;
  bool record = false;
  DedupOptions dedup;
  DecontaminateOptions decontaminate;
  std::vector<std::string> against, fields;
  std::string model;  // classifier, or whose tokenizer
  QualityOptions quality;
  RecallOptions recall;
  PackOptions pack;
  double fraction = 0;
  uint64_t seed = 1;
};

struct DataRecipe {
  InputOptions input;
  std::string output;
  std::string compress = "none";
  std::string output_format = "jsonl";  // or "parquet": of the last step's documents
  std::vector<RecipeStep> steps;
};

// Every key is checked: an unknown one is an error with the line.
Result<DataRecipe> parse_recipe(std::string_view toml, const std::string& where);

struct RecipeRun {
  StepRun run;  // folder and settings are set for each step
  uint64_t memory = 2ull << 30;
  uint64_t longest_record = 64 << 20;
  // Finds a tokenizer by the name in the recipe.
  std::function<Result<Tokenizer>(const std::string&)> tokenizer;
  // Told what each step did.
  std::function<Result<void>(const std::string& folder, const StepTally& tally)> done;
};

// Runs the steps that are not finished yet.
Result<void> run_recipe(DataRecipe recipe, RecipeRun options, Peers& peers, ThreadPool& pool);

}  // namespace ponder
