#include "serve/answer_reader.hpp"

namespace ponder {
namespace {

std::vector<AnswerDelta> content(const TracedText& text) {
  if (text.size() == 0 && text.tokens() == 0) return {};
  return {
      {.channel = Channel::kContent, .text = std::string(text.bytes()), .tokens = text.tokens()}};
}

}  // namespace

std::vector<AnswerDelta> PlainReader::push(int32_t token) {
  if (stopped()) return {};
  ++counts_.content_tokens;
  pending_.add_token(tokenizer_.is_special(token) ? "" : tokenizer_.token_bytes(token));
  return content(stop_.push(take_characters(pending_, false)));
}

std::vector<AnswerDelta> PlainReader::finish() {
  if (stopped()) return {};
  TracedText last = stop_.push(take_characters(pending_, true));
  if (!stopped()) last.append(stop_.flush());
  return content(last);
}

AnswerReader::AnswerReader(const Tokenizer& tokenizer, ReadingOptions options)
    : reader_(std::in_place_type<PlainReader>, tokenizer, options.answer.stop) {
  if (!options.plain) reader_.emplace<AnswerParser>(tokenizer, std::move(options.answer));
}

std::vector<AnswerDelta> AnswerReader::push(int32_t token) {
  return std::visit([&](auto& reader) { return reader.push(token); }, reader_);
}

std::vector<AnswerDelta> AnswerReader::finish() {
  return std::visit([](auto& reader) { return reader.finish(); }, reader_);
}

bool AnswerReader::stopped() const {
  return std::visit([](const auto& reader) { return reader.stopped(); }, reader_);
}

std::string_view AnswerReader::stop() const {
  return std::visit([](const auto& reader) { return reader.stop(); }, reader_);
}

const AnswerCounts& AnswerReader::counts() const {
  return std::visit([](const auto& reader) -> const AnswerCounts& { return reader.counts(); },
                    reader_);
}

}  // namespace ponder
