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
