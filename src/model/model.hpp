// A model in memory: its description and its weights, ready for forward().
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "core/buffer.hpp"
#include "device/context.hpp"
#include "io/tensor_map.hpp"
#include "model/config.hpp"
#include "model/params.hpp"

namespace ponder {

// How latent attention is computed, with one and the same cache (model-spec §3). kAbsorbed works in
// the latent space. kPlain decompresses keys and values of all positions first. Equal in exact
// arithmetic, not bit for bit, so a model keeps one form for prompts and for single tokens.
enum class MlaForm { kAbsorbed, kPlain };

struct ModelOptions {
  MlaForm mla = MlaForm::kAbsorbed;
  bool load_mtp = false;       // the multi-token-prediction block; an error if there is none
  ProgressSink progress = {};  // may stop the loading
};

class Model {
 public:
  // A .gguf file (any of its splits), or a folder with config.json and safetensors, or a folder
  // with exactly one GGUF model. Tensors are packed one by one and their pages given back, so that
  // memory stays near the size of the file. Errors name file, tensor and shapes.
  // Weights are packed for `context`'s instruction set: run the model with that one.
  static Result<Model> open(const std::filesystem::path& path, const Context& context,
                            const ModelOptions& options = {});

  // A model of f32 values in memory of its own, which training changes in place. `values` gives a
  // parameter as a Hugging Face checkpoint holds it, experts stacked; the embedding and output of
  // an MTP block are the model's.
  using ParamValues = std::function<Result<Buffer<float>>(const ParamInfo&)>;
  static Result<Model> from_values(const Config& config, const Context& context, bool with_mtp,
                                   const ParamValues& values);

  const Config& config() const { return config_; }
  const ModelParams& params() const { return params_; }
  // For training: values may change, sizes may not.
  ModelParams& params() { return params_; }
  // (V, H) of from_values(); empty if tied, then it is the output's.
  std::span<float> embedding_values() { return embedding_.span(); }
  MlaForm mla_form() const { return mla_; }
  Isa isa() const { return isa_; }
  bool has_mtp() const { return !params_.mtp.empty(); }
  const std::filesystem::path& path() const { return path_; }  // as resolved: the file or folder
  uint64_t file_bytes() const { return tensors_.total_bytes(); }
  uint64_t owned_bytes() const { return owned_bytes_; }  // packed weights in memory
  DType main_dtype() const { return main_dtype_; }       // the format most weight bytes have

 private:
  Model() = default;
  friend class ModelLoader;
  friend class ValueLoader;

  Config config_;
  ModelParams params_;
  TensorMap tensors_;        // keeps the mapping: embedding rows are read from it
  Buffer<float> embedding_;  // or from this
  MlaForm mla_ = MlaForm::kAbsorbed;
  Isa isa_ = Isa::kRef;
  std::filesystem::path path_;
  uint64_t owned_bytes_ = 0;
  DType main_dtype_ = DType::kF32;
};

// The file that Model::open(path) would read: a .gguf file (first split) or a folder with
// config.json. For reading the tokenizer or metadata beside it.
Result<std::filesystem::path> resolve_model(const std::filesystem::path& path);

// The configuration alone, without reading weights.
Result<Config> read_config(const std::filesystem::path& path);

}  // namespace ponder
