// Cutting text into the pieces that byte-pair merges never cross. The published regexes are matched
// by hand-written scanners: no regex of a model file is ever compiled, and they are fast.
// model-spec §15 has the regexes; the tests hold the scanners against a regex engine.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

enum class Pretokenizer {
  kDeepseekV3,
  kQwen2,
  kLlama3,
  kDeepseekLlm,
};

// By its name in GGUF; "deepseek-r1-qwen" cuts like "qwen2".
std::optional<Pretokenizer> pretokenizer_by_name(std::string_view name);
// By the regexes of its Split steps. Line breaks may be spelled \r\n or be in the text as such.
std::optional<Pretokenizer> pretokenizer_by_regexes(std::span<const std::string> regexes);
std::string_view pretokenizer_name(Pretokenizer kind);
// What its Split steps in tokenizer.json are.
std::span<const std::string> pretokenizer_regexes(Pretokenizer kind);
// All names for messages: "deepseek-v3, qwen2, …".
std::string pretokenizer_names();

// Appends the end of each piece of `text`, which must be UTF-8. The pieces cover all of it.
void cut_pieces(Pretokenizer kind, std::string_view text, std::vector<size_t>& ends);

}  // namespace ponder
