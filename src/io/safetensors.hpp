// Reading safetensors: one file, or a folder with one file or with shards and an index.
// Format: https://github.com/huggingface/safetensors (README, "Format")
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/tensor_map.hpp"

namespace ponder {

struct SafetensorsEntry {
  std::string name;
  TensorView view;  // of the bytes parsed
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> tensors;  // in the order of their data
  std::map<std::string, std::string> metadata;
};

// Checks everything the header says against `bytes`, the whole file. `where` names it in errors.
Result<SafetensorsHeader> parse_safetensors(std::span<const std::byte> bytes,
                                            const std::string& where);

class SafetensorsFile {
 public:
  // A .safetensors file, or a folder with model.safetensors.index.json or model.safetensors.
  static Result<SafetensorsFile> open(const std::filesystem::path& path);

  const TensorMap& tensors() const { return tensors_; }
  // __metadata__ of a single file; of shards, that of the last one.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  using WeightMap = std::map<std::string, std::string>;  // tensor → shard

  Result<void> add(const std::filesystem::path& path, const WeightMap* listed);
  Result<void> add_shards(const std::filesystem::path& folder, const std::filesystem::path& index);

  std::filesystem::path path_;
  TensorMap tensors_;
  std::map<std::string, std::string> metadata_;
};

// "F32" and the like; empty for formats that safetensors does not have.
std::string_view safetensors_dtype_name(DType dtype);

}  // namespace ponder
