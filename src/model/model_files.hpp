// Finding and opening the files of a model, whatever their format.
#pragma once

#include <filesystem>
#include <optional>

#include "io/gguf.hpp"
#include "model/config.hpp"
#include "model/tensor_source.hpp"

namespace ponder {

struct ModelFiles {
  std::filesystem::path path;  // the GGUF file or the folder
  Config config;
  TensorMap tensors;
  TensorSource::Naming naming = TensorSource::Naming::kGguf;
  std::optional<GgufFile> gguf;  // the metadata, of a GGUF model
};

// As Model::open, without reading weights.
Result<ModelFiles> open_model_files(const std::filesystem::path& path);

}  // namespace ponder
