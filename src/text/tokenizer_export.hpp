// The tokenizer of a GGUF file as Hugging Face's files, for a model that leaves GGUF.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace ponder {

// Writes tokenizer.json and tokenizer_config.json, the chat template in it, into a folder. They
// give the tokens that the GGUF file gives.
Result<void> export_tokenizer(const std::filesystem::path& gguf,
                              const std::filesystem::path& folder);

}  // namespace ponder
