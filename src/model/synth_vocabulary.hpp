// A vocabulary of any size for a model that never saw text. Private to this module.
#pragma once

#include <cstdint>
#include <string_view>

#include "io/gguf_writer.hpp"

namespace ponder {

// The keys tokenizer.ggml.* of a byte-level BPE tokenizer with `vocab` tokens: the 256 bytes, words
// of two, three and more letters with the merges that make them, and at the end the special tokens
// of the family that the pre-tokenizer belongs to. vocab: at least kLeastSynthVocab.
inline constexpr int64_t kLeastSynthVocab = 512;
void write_synth_vocabulary(std::string_view pretokenizer, int64_t vocab, GgufWriter& writer);

}  // namespace ponder
