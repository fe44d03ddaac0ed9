// The parameters of a checkpoint of any format as f32 in Hugging Face's order. Private to this
// module.
#pragma once

#include <string>

#include "model/model_files.hpp"

namespace ponder {

// Whether q and k of these files are permuted, and so rotated, as GGUF has them of a Llama.
bool is_llama_gguf(const ModelFiles& files);

class CheckpointValues {
 public:
  explicit CheckpointValues(const ModelFiles& files)
      : files_(files), source_(files.tensors, files.naming) {}

  Result<Buffer<float>> take(const ParamInfo& info) const;
  // The MTP block's embedding and output must be the copies that they usually are.
  Result<void> check_shared() const;

 private:
  Result<Buffer<float>> half(const std::string& name, const Shape& shape) const;

  const ModelFiles& files_;
  TensorSource source_;
};

}  // namespace ponder
