// GGUF metadata of a model that has none yet (model-spec §14). Private to this module.
#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "io/gguf_writer.hpp"
#include "model/config.hpp"
#include "model/convert_format.hpp"

namespace ponder {

// Values of tokenizer.ggml.token_type.
enum TokenType : int32_t {
  kNormalToken = 1,
  kControlToken = 3,
  kUserDefinedToken = 4,
  kUnusedToken = 5
};

// "deepseek2", "qwen2", "qwen3", "llama".
std::string_view gguf_architecture(Architecture architecture);

// The keys of the architecture. `folder` names the model. Fails on a rope scaling without keys.
Result<void> write_config(const Config& config, bool with_mtp, const std::filesystem::path& folder,
                          GgufWriter& writer);

// Those of write_config() that describe heads and latents.
void write_attention_keys(const Config& config, GgufWriter& writer);

// Which formats the tensors have.
void write_file_type(const ConversionType& type, GgufWriter& writer);

// The keys of the tokenizer in `folder`; none, with a line in the log, if it has no tokenizer.json.
Result<void> write_tokenizer(const Config& config, const std::filesystem::path& folder,
                             GgufWriter& writer);

}  // namespace ponder
