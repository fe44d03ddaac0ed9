#include "text/stream_decoder.hpp"

#include "text/unicode.hpp"

namespace ponder {

std::string StreamDecoder::push(int32_t id) {
  if (!(skip_special_ && tokenizer_.is_special(id))) pending_ += tokenizer_.token_bytes(id);
  std::string text;
  size_t done = 0;
  while (done < pending_.size()) {
    const Utf8Step step = utf8_step(std::string_view(pending_).substr(done));
    if (step.kind == Utf8Step::kUnfinished) break;
    text += step.kind == Utf8Step::kCharacter ? pending_.substr(done, step.length) : "\uFFFD";
    done += step.length;
  }
  pending_.erase(0, done);
  return text;
}

std::string StreamDecoder::finish() {
  const bool unfinished = !pending_.empty();
  pending_.clear();
  return unfinished ? "\uFFFD" : "";
}

}  // namespace ponder
