// `ponder train pipeline`: stages one after the other, each going on from what earlier ones have
// made.
//
//   values = ["base=models/base"]       {base} below; --set values.base=PATH
//
//   [[stage]]
//   name = "zero"            its folder is DIR/zero
//   kind = "rl"              pretrain, sft, rl, distill, sample or demonstrations
//   recipe = "zero.toml"     beside the pipeline's
//   set = ["model.path={base}/model"]      {base}: the folder of an earlier stage
//
// A stage of kind sample can judge what was made before it:
//
//   solved = 0.95            the share of its problems that must be solved, or
//   again = "base"           this stage and all up to here are run again with another seed (1000
//                            more), and what they had made goes to DIR/NAME-try1 …;
//   tries = 3                so often in all, then it is an error
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "train/run.hpp"

namespace ponder {

struct PipelineStage {
  std::string name, kind;
  std::filesystem::path recipe;
  std::vector<std::string> sets;  // with folders in place
  double solved = 0.0;            // of a sample's problems; 0: whatever it is
  size_t again = 0;               // index of the stage to go back to, if fewer are solved
  int64_t tries = 1;
};

// Checks names, kinds and that stages use earlier ones only. `sets`: "stage.key=value" for the
// recipe of one stage, "values.name=value" for what is in {}.
Result<std::vector<PipelineStage>> read_pipeline(const std::filesystem::path& file,
                                                 const std::filesystem::path& out,
                                                 std::span<const std::string> sets = {});

struct PipelineOptions {
  std::filesystem::path out;
  bool resume = false;
  std::vector<std::string> sets = {};  // as in read_pipeline()
  int threads = 0;
  std::string isa = {};
  std::optional<uint64_t> seed = {};
  const std::atomic<bool>* stop = nullptr;
  Communicator* ranks = nullptr;  // not null
  // Who watches a stage, on rank 0; may be empty.
  std::function<std::unique_ptr<RunObserver>(const PipelineStage& stage)> observer = {};
};

struct PipelineEnd {
  bool finished = true;     // false: stopped; can be resumed
  std::string sha256 = {};  // of the last stage that trained
};

// Runs what is not done yet. A stage that is done leaves DIR/NAME/done.json, and is not run again;
// a stage that was done with another recipe is an error.
Result<PipelineEnd> run_pipeline(const std::filesystem::path& file, const PipelineOptions& options);

}  // namespace ponder
