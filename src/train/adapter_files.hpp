// Low-rank adapters in the layout of Hugging Face's PEFT: adapter_config.json and
// adapter_model.safetensors, with its names of tensors.
// https://huggingface.co/docs/peft/developer_guides/checkpoint
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/trainable.hpp"

namespace ponder {

inline constexpr const char* kAdapterTensors = "adapter_model.safetensors";
inline constexpr const char* kAdapterConfig = "adapter_config.json";

struct AdapterConfig {
  int64_t rank = 0;
  double alpha = 0.0;
  std::vector<std::string> modules;  // "q_proj" …
  std::string base;                  // the model it was made for, as its author named it
};

// Writes both files; the folder is made if need be. `model` was opened with that LoRA.
Result<void> save_adapter(const TrainableModel& model, const std::filesystem::path& folder,
                          const AdapterConfig& config);

// The configuration. Refuses what other kinds of adapters need: DoRA, ranks that differ, trained
// biases or whole modules.
Result<AdapterConfig> read_adapter_config(const std::filesystem::path& folder);

// Reads the tensors into a model that was opened with the LoRA of read_adapter_config(). Every
// adapter of the model must be there with its shape, and nothing else.
Result<void> load_adapter(TrainableModel& model, const std::filesystem::path& folder);

}  // namespace ponder
