// GGUF metadata of a model that comes as config.json, safetensors and tokenizer.json (model-spec
// §14). Private to this module.
#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "io/gguf_writer.hpp"
#include "model/config.hpp"

namespace ponder {

// "deepseek2", "qwen2", "qwen3", "llama".
std::string_view gguf_architecture(Architecture architecture);

// The keys of the architecture. Fails on a rope scaling that has no keys.
Result<void> write_config(const Config& config, bool with_mtp, const std::filesystem::path& folder,
                          GgufWriter& writer);

// Those of write_config() that describe heads and latents.
void write_attention_keys(const Config& config, GgufWriter& writer);

// The keys of the tokenizer in `folder`; none, with a line in the log, if it has no tokenizer.json.
Result<void> write_tokenizer(const Config& config, const std::filesystem::path& folder,
                             GgufWriter& writer);

}  // namespace ponder
