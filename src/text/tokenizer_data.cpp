#include "text/tokenizer_data.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/macros.hpp"
#include "io/printable.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr size_t kMostTokens = 1 << 22;
constexpr size_t kMostTokenBytes = 4096;  // the longest of the models we know have some hundreds
constexpr size_t kMostAddedBytes = 512;

// Names by which models end a text, a turn or a message, if the token is special or added.
constexpr std::string_view kEndNames[] = {
    "<｜end▁of▁sentence｜>", "<|endoftext|>", "<|im_end|>", "<|EOT|>",
    "<|end_of_text|>",       "<|eot_id|>",    "<|eom_id|>"};

// GPT-2 spells a byte as a printable character: 33–126, 161–172 and 174–255 as themselves, the
// others as U+0100 and up.
struct ByteAlphabet {
  ByteAlphabet() {
    bytes.fill(-1);
    int next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
      bytes[printable ? byte : next++] = static_cast<int16_t>(byte);
    }
  }
  std::array<int16_t, 0x144> bytes;  // of each character, -1 for those that are in no token
};

const ByteAlphabet& byte_alphabet() {
  static const ByteAlphabet alphabet;
  return alphabet;
}

// The bytes that a token of this spelling stands for; false if it is not spelled in the alphabet,
// or no UTF-8 at all.
bool unspell(std::string_view text, std::string& bytes) {
  bytes.clear();
  for (size_t i = 0; i < text.size();) {
    if (utf8_step(text.substr(i)).kind != Utf8Step::kCharacter) return false;
    const Char c = decode_char(text, i);
    i += c.length;
    if (c.code >= byte_alphabet().bytes.size() || byte_alphabet().bytes[c.code] < 0) return false;
    bytes += static_cast<char>(byte_alphabet().bytes[c.code]);
  }
  return true;
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = text.size();
  while (!text.empty()) {
    uint64_t word = 0;
    const size_t length = std::min<size_t>(text.size(), 8);
    std::memcpy(&word, text.data(), length);
    hash = (std::rotl(hash, 23) ^ word) * 0x9e3779b97f4a7c15u;
    text.remove_prefix(length);
  }
  return hash ^ hash >> 32;
}

class Builder {
 public:
  explicit Builder(const TokenizerSource& source)
      : source_(source), data_(std::make_shared<TokenizerData>()) {}

  Result<std::shared_ptr<const TokenizerData>> build() {
    PONDER_TRY(add_tokens());
    PONDER_TRY(add_merges());
    PONDER_TRY(add_ids());
    data_->pretokenizer = source_.pretokenizer;
    data_->pretokenizer_name = source_.pretokenizer_name;
    data_->nfc = source_.nfc;
    data_->ignore_merges = source_.ignore_merges;
    data_->chat_template = source_.chat_template;
    return std::shared_ptr<const TokenizerData>(std::move(data_));
  }

 private:
  Failure failure(std::string what) const {
    return Failure{{.what = std::move(what),
                    .where = source_.where,
                    .mend = "the tokenizer is damaged: get the file again"}};
  }

  Result<void> add_tokens() {
    if (source_.tokens.empty()) return failure("the vocabulary is empty");
    if (source_.tokens.size() > kMostTokens)
      return failure("the vocabulary has " + std::to_string(source_.tokens.size()) +
                     " tokens; at most " + std::to_string(kMostTokens) + " are allowed");
    data_->tokens.resize(source_.tokens.size());
    std::vector<bool> is_spelled(source_.tokens.size());
    for (size_t id = 0; id < source_.tokens.size(); ++id)
      is_spelled[id] = PONDER_TRY(add_token(id, source_.tokens[id]));
    data_->normal_index.assign(std::bit_ceil(2 * source_.tokens.size()), -1);
    for (size_t id = 0; id < source_.tokens.size(); ++id)
      if (data_->has(static_cast<int32_t>(id)))
        PONDER_TRY(index_token(static_cast<int32_t>(id), is_spelled[id]));
    return {};
  }

  // Whether it is spelled in the byte alphabet. A normal token that is not stands for itself, as in
  // Hugging Face's decoder.
  Result<bool> add_token(size_t id, const SourceToken& token) {
    if (token.kind == TokenKind::kNone) return false;
    const auto name = [&] { return "token " + std::to_string(id); };
    if (token.text.empty()) return failure(name() + " is empty");
    const bool normal = token.kind == TokenKind::kNormal;
    const size_t most = normal ? kMostTokenBytes : kMostAddedBytes;
    if (token.text.size() > most)
      return failure(name() + " has " + std::to_string(token.text.size()) + " bytes; at most " +
                     std::to_string(most) + " are allowed");
    if (repaired_utf8(token.text)) return failure(name() + " is not UTF-8");
    const bool spelled = normal && unspell(token.text, scratch_);
    const std::string_view bytes = spelled ? scratch_ : token.text;
    data_->tokens[id] = {data_->bytes.size(), static_cast<uint32_t>(bytes.size()), token.kind};
    data_->bytes += bytes;
    return spelled;
  }

  // Only when data_->bytes has stopped growing, since the map points into it.
  Result<void> index_token(int32_t id, bool is_spelled) {
    const std::string_view bytes = data_->bytes_of(id);
    int32_t known = id;
    if (is_spelled) {
      int32_t& slot = data_->normal_index[data_->normal_slot(bytes)];
      known = slot = slot < 0 ? id : slot;
    } else {
      known = data_->by_text.emplace(bytes, id).first->second;
    }
    const SourceToken& token = source_.tokens[id];
    if (known != id)
      return failure("token " + std::to_string(id) + " and token " + std::to_string(known) +
                     " are both " + printable(token.text));
    if (token.kind == TokenKind::kNormal) return {};
    const auto normalized = source_.nfc && token.normalized ? normalized_nfc(bytes) : std::nullopt;
    (token.normalized ? data_->normalized_tokens : data_->raw_tokens)
        .add(normalized ? *normalized : bytes, id);
    return {};
  }

  std::optional<int32_t> find(std::string_view spelled) {
    return unspell(spelled, scratch_) ? data_->find_normal(scratch_) : std::nullopt;
  }

  Result<void> add_merges() {
    std::array<int32_t, 256> byte_tokens;
    for (int byte = 0; byte < 256; ++byte) {
      const char text = static_cast<char>(byte);
      const auto id = data_->find_normal({&text, 1});
      if (!id) return failure("the vocabulary has no token for byte " + std::to_string(byte));
      byte_tokens[byte] = *id;
    }
    data_->bpe = Bpe(byte_tokens, source_.merges.size());
    std::string whole;
    for (size_t i = 0; i < source_.merges.size(); ++i) {
      const auto& [left, right] = source_.merges[i];
      const auto name = [&, &l = left, &r = right] {
        return "merge " + std::to_string(i) + ", " + printable(l) + " and " + printable(r) + ",";
      };
      const auto left_id = find(left), right_id = find(right);
      if (!left_id || !right_id)
        return failure(name() + " names " + printable(left_id ? right : left) +
                       ", which is no token");
      whole.assign(left).append(right);
      const auto merged = find(whole);
      if (!merged) return failure(name() + " makes " + printable(whole) + ", which is no token");
      if (!data_->bpe.add({*left_id, *right_id, *merged}))
        return failure(name() + " is there twice");
    }
    return {};
  }

  Result<std::optional<int32_t>> checked_id(std::optional<int64_t> id, std::string_view name) {
    if (!id) return std::optional<int32_t>();
    if (*id < 0 || *id >= static_cast<int64_t>(data_->tokens.size()) ||
        !data_->has(static_cast<int32_t>(*id)))
      return failure(std::string(name) + " is " + std::to_string(*id) +
                     ", which is no id of the vocabulary");
    return std::optional(static_cast<int32_t>(*id));
  }

  Result<void> add_ids() {
    data_->bos = PONDER_TRY(checked_id(source_.bos, "the beginning-of-sequence token"));
    data_->eos = PONDER_TRY(checked_id(source_.eos, "the end-of-sequence token"));
    data_->add_bos = source_.add_bos && data_->bos;
    if (data_->eos) data_->ends.push_back(*data_->eos);
    for (const int64_t end : source_.ends)
      data_->ends.push_back(*PONDER_TRY(checked_id(end, "an end token")));
    for (const std::string_view name : kEndNames) {
      const auto found = data_->by_text.find(name);
      if (found != data_->by_text.end()) data_->ends.push_back(found->second);
    }
    std::sort(data_->ends.begin(), data_->ends.end());
    return {};
  }

  const TokenizerSource& source_;
  std::shared_ptr<TokenizerData> data_;
  std::string scratch_;
};

}  // namespace

size_t TokenizerData::normal_slot(std::string_view text) const {
  const size_t mask = normal_index.size() - 1;
  size_t slot = hash_of(text) & mask;
  while (normal_index[slot] >= 0 && bytes_of(normal_index[slot]) != text) slot = (slot + 1) & mask;
  return slot;
}

std::optional<int32_t> TokenizerData::find_normal(std::string_view text) const {
  const int32_t id = normal_index[normal_slot(text)];
  return id < 0 ? std::nullopt : std::optional(id);
}

Result<std::shared_ptr<const TokenizerData>> build_tokenizer(const TokenizerSource& source) {
  return Builder(source).build();
}

}  // namespace ponder
