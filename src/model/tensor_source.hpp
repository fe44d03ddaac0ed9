// The tensors of a model's files under the names of ParamInfo, checked against its shapes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/buffer.hpp"
#include "io/tensor_map.hpp"
#include "model/params.hpp"

namespace ponder {

// One tensor of a file: its data and, for FP8, the factors of its 128×128 blocks (model-spec §7).
struct SourceTensor {
  std::string name;
  TensorView view;
  TensorView block_scale;  // f32 (⌈N/128⌉, ⌈K/128⌉); empty if none
};

// A parameter: one tensor, or one per expert.
struct SourceParam {
  std::vector<SourceTensor> tensors;
  Shape shape;  // of the whole
};

class TensorSource {
 public:
  enum class Naming { kHuggingFace, kGguf };

  TensorSource(const TensorMap& tensors, Naming naming) : tensors_(&tensors), naming_(naming) {}

  const TensorMap& tensors() const { return *tensors_; }
  Naming naming() const { return naming_; }
  bool has(const ParamInfo& info) const;

  // Errors name file and tensor: missing, another shape than `info` says, a format that weights
  // cannot have, FP8 without its scales.
  Result<SourceParam> find(const ParamInfo& info) const;
  // A single tensor of any name.
  Result<SourceTensor> find(const std::string& name, const Shape& shape) const;

  void release(const SourceParam& param) const;
  uint64_t bytes(const SourceParam& param) const;

 private:
  Result<TensorView> scale_of(const SourceTensor& tensor) const;

  const TensorMap* tensors_;
  Naming naming_;
};

// Rows [begin, end) of a matrix as f32, FP8 scales applied. out: (end − begin, K)
void decode_rows(const SourceTensor& tensor, int64_t begin, int64_t end, float* out);

// kv_b as its two halves: (h, rk, dn) keys, transposed, and (h, dv, rk) values.
struct KvBFloats {
  Buffer<float> keys;
  Buffer<float> values;
};
KvBFloats split_kv_b(const AttentionConfig& config, const Buffer<float>& whole);
// The reverse: (h·(dn + dv), rk).
Buffer<float> join_kv_b(const AttentionConfig& config, const KvBFloats& halves);

}  // namespace ponder
