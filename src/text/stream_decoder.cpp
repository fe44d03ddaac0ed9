#include "text/stream_decoder.hpp"

namespace ponder {

std::string StreamDecoder::push(int32_t id) {
  if (!(skip_special_ && tokenizer_.is_special(id))) pending_.add_token(tokenizer_.token_bytes(id));
  return std::string(take_characters(pending_, false).bytes());
}

std::string StreamDecoder::finish() { return std::string(take_characters(pending_, true).bytes()); }

}  // namespace ponder
