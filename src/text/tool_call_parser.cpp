#include "text/tool_call_parser.hpp"

#include <algorithm>

#include "text/tool_call_header.hpp"

namespace ponder {
namespace {

constexpr size_t kMostTailBytes = 4096;

bool is_space(char c) { return kWhiteSpace.find(c) != std::string_view::npos; }

// Whether a text begins with a mark, or may do so when more of it has come.
enum class Fit { kNo, kPerhaps, kYes };

Fit fit(std::string_view text, std::string_view mark) {
  if (text.starts_with(mark)) return Fit::kYes;
  return mark.starts_with(text) ? Fit::kPerhaps : Fit::kNo;
}

Fit best_fit(std::string_view text, std::span<const std::string_view> marks) {
  Fit best = Fit::kNo;
  for (const std::string_view mark : marks) best = std::max(best, fit(text, mark));
  return best;
}

Fit fits_bare(std::string_view text) { return std::max(fit(text, "{"), fit(text, kCodeFence)); }

}  // namespace

void ToolCallParser::push(TracedText text, std::vector<AnswerPiece>& out) {
  if (format_ == ToolFormat::kNone) return add_piece(Channel::kContent, std::move(text), out);
  buffer_.append(std::move(text));
  while (step(out)) {
  }
}

void ToolCallParser::flush(std::vector<AnswerPiece>& out) {
  while (state_ == State::kHeader) {
    release(out);
    while (step(out)) {
    }
  }
  const bool cut_mark =
      state_ == State::kTail ||
      (state_ == State::kBetween && best_fit(buffer_.bytes(), closers()) != Fit::kNo);
  if (cut_mark) drop(buffer_.size(), out);
  spaces_.append(buffer_.take_all());
  add_piece(Channel::kContent, spaces_.take_all(), out);
  state_ = State::kText;
}

std::vector<std::string_view> ToolCallParser::closers() const {
  std::vector<std::string_view> marks = tool_marks(format_).closers;
  if (fenced_) marks.push_back(kCodeFence);
  return marks;
}

bool ToolCallParser::step(std::vector<AnswerPiece>& out) {
  if (buffer_.size() == 0) return false;
  switch (state_) {
    case State::kText:
      return step_text(out);
    case State::kHeader:
      return step_header(out);
    case State::kArguments:
      return step_arguments(out);
    case State::kTail:
      return step_tail(out);
    case State::kBetween:
      return step_between(out);
  }
  return false;
}

void ToolCallParser::drop(size_t size, std::vector<AnswerPiece>& out) {
  add_piece(Channel::kMarker, buffer_.take(size).replaced(""), out);
}

void ToolCallParser::add_content(TracedText text, std::vector<AnswerPiece>& out) {
  const size_t last = text.bytes().find_last_not_of(kWhiteSpace);
  if (last != std::string_view::npos) {
    at_start_ = false;
    spaces_.append(text.take(last + 1));
    add_piece(Channel::kContent, spaces_.take_all(), out);
  }
  spaces_.append(std::move(text));
}

bool ToolCallParser::step_text(std::vector<AnswerPiece>& out) {
  const ToolMarks& marks = tool_marks(format_);
  if (at_start_) {
    const size_t first = buffer_.bytes().find_first_not_of(kWhiteSpace);
    add_content(buffer_.take(std::min(first, buffer_.size())), out);
    if (buffer_.size() == 0) return false;
    const Fit bare = fits_bare(buffer_.bytes());
    if (bare == Fit::kYes) state_ = State::kHeader;
    if (bare != Fit::kNo) return bare == Fit::kYes;
  }
  const FoundMark found = find_mark(buffer_.bytes(), marks.openers);
  if (found.mark.empty()) {
    const size_t held = partial_suffix(buffer_.bytes(), marks.openers);
    add_content(buffer_.take(buffer_.size() - held), out);
    return false;
  }
  add_content(buffer_.take(found.position), out);
  state_ = State::kHeader;
  return true;
}

void ToolCallParser::release(std::vector<AnswerPiece>& out) {
  state_ = State::kText;
  if (buffer_.bytes().starts_with(kPythonTag) && format_ == ToolFormat::kLlama3)
    drop(kPythonTag.size(), out);  // it is no text, even where no call follows
  else
    add_content(buffer_.take(1), out);
  at_start_ = false;
}

bool ToolCallParser::step_header(std::vector<AnswerPiece>& out) {
  const ToolCallHeader header = read_tool_call_header(format_, buffer_.bytes(), names_);
  if (header.outcome == ToolCallHeader::Outcome::kMore) return false;
  if (header.outcome == ToolCallHeader::Outcome::kBroken) {
    release(out);
    return true;
  }
  at_start_ = false;
  in_object_ = header.in_object;
  fenced_ = header.fenced;
  add_piece(Channel::kMarker, spaces_.take_all().replaced(""), out);
  TracedText text = buffer_.take(header.end);
  out.push_back({Channel::kToolCall, text.replaced(header.arguments.value_or("")), header.name});
  if (header.arguments) {
    begin_tail();
  } else {
    extent_ = JsonExtent();
    state_ = State::kArguments;
  }
  return true;
}

bool ToolCallParser::step_arguments(std::vector<AnswerPiece>& out) {
  const std::string_view bytes = buffer_.bytes();
  size_t end = 0;
  auto extent = JsonExtent::State::kMore;
  while (end < bytes.size() && extent == JsonExtent::State::kMore)
    extent = extent_.push(bytes[end++]);
  if (extent == JsonExtent::State::kBroken) --end;
  add_piece(Channel::kToolCall, buffer_.take(end), out);
  if (extent == JsonExtent::State::kMore) return false;
  in_object_ = in_object_ && extent == JsonExtent::State::kDone;
  begin_tail();
  return true;
}

void ToolCallParser::begin_tail() {
  extent_ = JsonExtent(true);
  tail_ = Tail::kFirst;
  tail_bytes_ = 0;
  state_ = in_object_ ? State::kTail : State::kBetween;
}

// Whether the object may go on with this: with its end, or with a comma and further members.
bool ToolCallParser::fits_tail(char c) {
  if (++tail_bytes_ > kMostTailBytes) return false;
  if (tail_ == Tail::kMembers || is_space(c)) return true;
  if (tail_ == Tail::kComma && c != '"') return false;
  if (tail_ == Tail::kFirst && c != ',' && c != '}') return false;
  tail_ = tail_ == Tail::kFirst ? Tail::kComma : Tail::kMembers;
  return true;
}

bool ToolCallParser::step_tail(std::vector<AnswerPiece>& out) {
  size_t end = 0;
  for (; end < buffer_.size(); ++end) {
    const char c = buffer_.bytes()[end];
    const auto extent = fits_tail(c) ? extent_.push(c) : JsonExtent::State::kBroken;
    if (extent == JsonExtent::State::kMore) continue;
    state_ = State::kBetween;
    if (extent == JsonExtent::State::kDone) ++end;
    break;
  }
  drop(end, out);
  return state_ == State::kBetween;
}

bool ToolCallParser::step_between(std::vector<AnswerPiece>& out) {
  constexpr std::string_view kSeparators = ";,";
  drop(std::min(buffer_.bytes().find_first_not_of(kWhiteSpace), buffer_.size()), out);
  const std::string_view rest = buffer_.bytes();
  if (rest.empty()) return false;
  for (const std::string_view mark : closers()) {
    if (fit(rest, mark) != Fit::kYes) continue;
    if (mark == kCodeFence) fenced_ = false;
    drop(mark.size(), out);
    return true;
  }
  if (best_fit(rest, closers()) == Fit::kPerhaps) return false;
  // Calls without tags may be separated.
  const bool separated = kSeparators.find(rest[0]) != std::string_view::npos;
  const size_t next = separated ? std::min(rest.find_first_not_of(kWhiteSpace, 1), rest.size()) : 0;
  if (next == rest.size()) return false;
  const Fit begins = std::max(fits_bare(rest.substr(next)),
                              separated ? Fit::kNo : best_fit(rest, tool_marks(format_).openers));
  if (begins == Fit::kPerhaps) return false;
  if (begins == Fit::kYes) spaces_.append(buffer_.take(next));
  state_ = begins == Fit::kYes ? State::kHeader : State::kText;
  return true;
}

}  // namespace ponder
