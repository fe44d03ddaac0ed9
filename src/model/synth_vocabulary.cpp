#include "model/synth_vocabulary.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/macros.hpp"
#include "model/convert_metadata.hpp"

namespace ponder {
namespace {

// Special tokens in order; the one that begins a text, if the family has it, and the one that ends
// it, as indices.
struct Specials {
  std::string_view family;  // start of the pre-tokenizer's name
  std::array<std::string_view, 6> texts;
  int bos, eos;
};
constexpr Specials kSpecials[] = {
    {"qwen2",
     {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<|file_sep|>"},
     -1,
     2},
    {"llama",
     {"<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
      "<|eot_id|>", "<|eom_id|>"},
     0,
     4},
    {"deepseek",
     {"<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>",
      "<think>", "</think>"},
     0,
     1},
};

const Specials& specials_of(std::string_view pretokenizer) {
  const auto* found = std::find_if(std::begin(kSpecials), std::end(kSpecials), [&](const auto& s) {
    return pretokenizer.starts_with(s.family);
  });
  PONDER_CHECK(found != std::end(kSpecials));
  return *found;
}

// How GPT-2 spells a byte: printable ones as themselves, the others from U+0100 on.
std::string spelled_byte(int byte) {
  const auto printable = [](int b) { return (b >= 33 && b <= 126) || (b >= 161 && b != 173); };
  int code = byte;
  if (!printable(byte)) {
    code = 0x100;
    for (int b = 0; b < byte; ++b) code += printable(b) ? 0 : 1;
  }
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
}

struct Vocabulary {
  std::vector<std::string> tokens, merges;
};

// The bytes, then words: a space or a letter first, each longer word made of one that is there and
// a letter.
Vocabulary words(size_t count) {
  Vocabulary v;
  for (int byte = 0; byte < 256; ++byte) v.tokens.push_back(spelled_byte(byte));
  std::vector<std::string> shorter{spelled_byte(' ')}, longer;
  for (char c = 'a'; c <= 'z'; ++c) shorter.emplace_back(1, c);
  while (v.tokens.size() < count) {
    for (const std::string& head : shorter) {
      for (char c = 'a'; c <= 'z' && v.tokens.size() < count; ++c) {
        v.merges.push_back(head + " " + c);
        v.tokens.push_back(head + c);
        longer.push_back(head + c);
      }
    }
    shorter = std::move(longer);
    longer.clear();
  }
  return v;
}

}  // namespace

void write_synth_vocabulary(std::string_view pretokenizer, int64_t vocab, GgufWriter& writer) {
  PONDER_CHECK(vocab >= kLeastSynthVocab);
  const Specials& specials = specials_of(pretokenizer);
  Vocabulary v = words(static_cast<size_t>(vocab) - specials.texts.size());
  const auto first = static_cast<uint32_t>(v.tokens.size());
  std::vector<int32_t> types(v.tokens.size(), kNormalToken);
  for (const std::string_view text : specials.texts) {
    v.tokens.emplace_back(text);
    types.push_back(text.find("think") == std::string_view::npos ? kControlToken
                                                                 : kUserDefinedToken);
  }
  writer.set_text("tokenizer.ggml.model", "gpt2");
  writer.set_text("tokenizer.ggml.pre", pretokenizer);
  writer.set_texts("tokenizer.ggml.tokens", v.tokens);
  writer.set_i32s("tokenizer.ggml.token_type", types);
  writer.set_texts("tokenizer.ggml.merges", v.merges);
  if (specials.bos >= 0)
    writer.set_u32("tokenizer.ggml.bos_token_id", first + static_cast<uint32_t>(specials.bos));
  writer.set_u32("tokenizer.ggml.eos_token_id", first + static_cast<uint32_t>(specials.eos));
  writer.set_bool("tokenizer.ggml.add_bos_token", specials.bos >= 0);
}

}  // namespace ponder
