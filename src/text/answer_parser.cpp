#include "text/answer_parser.hpp"

#include <algorithm>

#include "base/rng.hpp"
#include "text/tool_call_header.hpp"

namespace ponder {

AnswerParser::AnswerParser(const Tokenizer& tokenizer, AnswerOptions options)
    : splitter_(tokenizer, options.thoughts, tool_marks(options.tools).all),
      tools_(options.tools, std::move(options.tool_names)),
      stop_(std::move(options.stop)),
      include_stop_(options.include_stop),
      call_seed_(std::move(options.call_seed)) {}

std::vector<AnswerDelta> AnswerParser::push(int32_t token) {
  std::vector<AnswerDelta> out;
  if (stopped()) return out;
  std::vector<AnswerPiece> pieces;
  const bool was_inside = splitter_.inside();
  splitter_.push(token, pieces);
  ++(was_inside || splitter_.inside() ? counts_.reasoning_tokens : counts_.content_tokens);
  take(std::move(pieces), out);
  return out;
}

std::vector<AnswerDelta> AnswerParser::finish() {
  std::vector<AnswerDelta> out;
  std::vector<AnswerPiece> pieces;
  splitter_.finish(pieces);
  // Tokens without text that come last: what is held back stands before them.
  std::vector<AnswerPiece> last;
  if (!pieces.empty() && pieces.back().channel == Channel::kMarker) {
    last.push_back(std::move(pieces.back()));
    pieces.pop_back();
  }
  take(std::move(pieces), out);
  flush_content(out);
  for (const AnswerPiece& piece : last) show(piece.channel, piece.text, out);
  return out;
}

// Content goes on to the calls in it; anything else comes behind all that they hold back.
void AnswerParser::take(std::vector<AnswerPiece> pieces, std::vector<AnswerDelta>& out) {
  for (AnswerPiece& piece : pieces) {
    if (piece.channel == Channel::kContent && !stopped()) {
      std::vector<AnswerPiece> parts;
      tools_.push(std::move(piece.text), parts);
      take_content(std::move(parts), out);
    } else {
      flush_content(out);
      show(stopped() ? Channel::kMarker : piece.channel, piece.text, out);
    }
  }
}

void AnswerParser::flush_content(std::vector<AnswerDelta>& out) {
  std::vector<AnswerPiece> parts;
  tools_.flush(parts);
  take_content(std::move(parts), out);
  if (!stopped()) show(Channel::kContent, stop_.flush(), out);
}

void AnswerParser::take_content(std::vector<AnswerPiece> pieces, std::vector<AnswerDelta>& out) {
  for (AnswerPiece& piece : pieces) {
    if (stopped()) {
      show(Channel::kMarker, piece.text, out);
    } else if (piece.channel == Channel::kContent) {
      show(Channel::kContent, stop_.push(std::move(piece.text)), out);
      if (stopped()) show_stop(out);
    } else {
      show(Channel::kContent, stop_.flush(), out);
      if (!piece.name.empty()) {
        AnswerDelta call{.channel = Channel::kToolCall,
                         .call = counts_.calls,
                         .id = tool_call_id(call_seed_, counts_.calls),
                         .name = std::move(piece.name)};
        ++counts_.calls;
        out.push_back(std::move(call));
      }
      show(piece.channel, piece.text, out);
    }
  }
}

void AnswerParser::show_stop(std::vector<AnswerDelta>& out) {
  show(include_stop_ ? Channel::kContent : Channel::kMarker, stop_.stop(), out);
  show(Channel::kMarker, stop_.rest(), out);
}

void AnswerParser::show(Channel channel, const TracedText& text, std::vector<AnswerDelta>& out) {
  if (text.size() == 0 && text.tokens() == 0) return;
  if (out.empty() || out.back().channel != channel)
    out.push_back(
        {.channel = channel, .call = channel == Channel::kToolCall ? counts_.calls - 1 : 0});
  if (channel != Channel::kMarker) out.back().text += text.bytes();
  out.back().tokens += text.tokens();
}

std::string tool_call_id(std::string_view seed, int number) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const unsigned char c : seed) hash = (hash ^ c) * 0x100000001b3;
  Rng rng(hash, static_cast<uint64_t>(number));
  std::string id = "call_";
  for (int i = 0; i < 24; ++i) id += kLetters[rng.next_below(kLetters.size())];
  return id;
}

bool prompt_opens_thinking(const Tokenizer& tokenizer, std::span<const int32_t> prompt) {
  const auto open = tokenizer.find("<think>"), close = tokenizer.find("</think>");
  if (!open || !close) return false;
  const auto last = std::find_if(prompt.rbegin(), prompt.rend(),
                                 [&](int32_t id) { return id == *open || id == *close; });
  return last != prompt.rend() && *last == *open;
}

}  // namespace ponder
