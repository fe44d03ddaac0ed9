#include "text/thought_splitter.hpp"

#include <algorithm>
#include <array>

namespace ponder {
namespace {

constexpr std::array<std::string_view, 2> kTags = {"<think>", "</think>"};

}  // namespace

void add_piece(Channel channel, TracedText text, std::vector<AnswerPiece>& out) {
  if (text.size() > 0 || text.tokens() > 0) out.push_back({channel, std::move(text)});
}

void CodeTracker::end_run() {
  if (run_ >= 3 && line_start_)
    block_ = !block_;
  else if (run_ > 0 && !block_)
    span_ = !span_;
  if (run_ > 0) line_start_ = false;
  run_ = 0;
}

void CodeTracker::push(std::string_view text) {
  for (const char c : text) {
    if (c == '`') {
      ++run_;
      continue;
    }
    end_run();
    if (c == '\n') {
      line_start_ = true;
      span_ = false;
    } else if (c != ' ' && c != '\t') {
      line_start_ = false;
    }
  }
}

bool CodeTracker::inside() {
  end_run();
  return block_ || span_;
}

ThoughtSplitter::ThoughtSplitter(const Tokenizer& tokenizer, const ThoughtOptions& options,
                                 std::span<const std::string_view> kept)
    : tokenizer_(tokenizer),
      options_(options),
      kept_(kept),
      open_(tokenizer.find(kTags[0])),
      close_(tokenizer.find(kTags[1])),
      by_text_(options.reasons && !close_),
      inside_(options.starts_inside && knows_tags()),
      at_start_(inside_) {
  if (!close_) open_.reset();
}

void ThoughtSplitter::push(int32_t token, std::vector<AnswerPiece>& out) {
  const std::string bytes = tokenizer_.token_bytes(token);
  if (token == open_ || token == close_) {
    route(take_characters(pending_, true), out);
    TracedText text = pending_.take_all();  // tokens without bytes
    text.add_token(bytes);
    tag(token == open_, std::move(text), out);
    return;
  }
  const bool shown =
      !tokenizer_.is_special(token) || std::find(kept_.begin(), kept_.end(), bytes) != kept_.end();
  pending_.add_token(shown ? bytes : "");
  text_.append(take_characters(pending_, false));
  split_text(out);
}

void ThoughtSplitter::finish(std::vector<AnswerPiece>& out) {
  text_.append(take_characters(pending_, true));
  split_text(out);
  route(text_.take_all(), out);
  spaces_.append(pending_.take_all());
  add_piece(Channel::kMarker, spaces_.take_all().replaced(""), out);
}

void ThoughtSplitter::split_text(std::vector<AnswerPiece>& out) {
  if (!by_text_) return route(text_.take(text_.size()), out);
  for (;;) {
    const FoundMark found = find_mark(text_.bytes(), kTags);
    if (found.mark.empty()) break;
    route(text_.take(found.position), out);
    tag(found.mark == kTags[0], text_.take(found.mark.size()), out);
  }
  route(text_.take(text_.size() - partial_suffix(text_.bytes(), kTags)), out);
}

void ThoughtSplitter::tag(bool opens, TracedText text, std::vector<AnswerPiece>& out) {
  if (inside_) {
    if (!opens) return turn(false, std::move(text), out);
    spaces_.append(text.replaced(""));  // twice opened
    if (spaces_.size() == 0) add_piece(Channel::kMarker, spaces_.take_all(), out);
    return;
  }
  if (opens && (!thought_ || options_.think_again) && (!content_began_ || !code_.inside()))
    return turn(true, std::move(text), out);
  if (!opens && !content_began_) return add_piece(Channel::kMarker, text.replaced(""), out);
  route(std::move(text), out);
}

void ThoughtSplitter::turn(bool inside, TracedText tag, std::vector<AnswerPiece>& out) {
  inside_ = inside;
  at_start_ = true;
  content_began_ = false;
  thought_ = true;
  code_ = {};
  spaces_.append(std::move(tag));
  add_piece(Channel::kMarker, spaces_.take_all().replaced(""), out);
}

void ThoughtSplitter::route(TracedText text, std::vector<AnswerPiece>& out) {
  if (at_start_) {
    const size_t first = text.bytes().find_first_not_of(kWhiteSpace);
    add_piece(Channel::kMarker, text.take(std::min(first, text.size())).replaced(""), out);
    at_start_ = first == std::string_view::npos;
  }
  if (text.size() == 0) return;
  if (inside_) {
    const size_t last = text.bytes().find_last_not_of(kWhiteSpace);
    if (last != std::string_view::npos) {
      spaces_.append(text.take(last + 1));
      add_piece(Channel::kReasoning, spaces_.take_all(), out);
    }
    spaces_.append(std::move(text));
    return;
  }
  code_.push(text.bytes());
  content_began_ |= text.bytes().find_first_not_of(kWhiteSpace) != std::string_view::npos;
  add_piece(Channel::kContent, std::move(text), out);
}

}  // namespace ponder
