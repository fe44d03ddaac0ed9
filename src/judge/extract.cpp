#include "judge/extract.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr std::string_view kOpen = "<think>", kClose = "</think>";
constexpr auto kNowhere = std::string_view::npos;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(), lower);
  return low;
}

bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Without emphasis of Markdown, white space and the full stop of a sentence at the ends.
std::string_view bare(std::string_view text) {
  text = stripped(text);
  while (!text.empty() && (text.front() == '*' || text.front() == '_' || text.front() == ':'))
    text = stripped(text.substr(1));
  while (!text.empty() && (text.back() == '*' || text.back() == '_' || text.back() == '.'))
    text = stripped(text.substr(0, text.size() - 1));
  return text;
}

struct Boxed {
  std::optional<std::string_view> content;
  bool unfinished = false;  // a later box never closes
};

// Behind \boxed or \fbox at `at`; `at` itself if neither is there.
size_t after_box_command(std::string_view text, size_t at) {
  for (const std::string_view command : {"\\boxed", "\\fbox"}) {
    if (text.substr(at, command.size()) != command) continue;
    const size_t behind = at + command.size();
    return behind < text.size() && is_letter(text[behind]) ? at : behind;
  }
  return at;
}

// \boxed 5 and \boxed x: a number or a letter without braces.
std::optional<std::string_view> unbraced_box(std::string_view text, size_t start) {
  size_t end = start;
  while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]))) ++end;
  const std::string_view word = text.substr(start, end - start);
  const bool number = !word.empty() && std::all_of(word.begin(), word.end(), is_digit);
  return number || word.size() == 1 ? std::optional(word) : std::nullopt;
}

// One pass, however many boxes are open.
Boxed last_boxed(std::string_view text) {
  struct Brace {
    size_t at;
    bool boxed;
  };
  std::vector<Brace> open;
  Boxed last;
  size_t last_start = 0, boxed_brace = kNowhere;
  const auto take = [&](size_t start, std::string_view content) {
    if (stripped(content).empty() || (last.content && start < last_start)) return;
    last.content = stripped(content), last_start = start;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') {
      open.push_back({i, i == boxed_brace});
    } else if (text[i] == '}' && !open.empty()) {
      if (open.back().boxed)
        take(open.back().at, text.substr(open.back().at + 1, i - open.back().at - 1));
      open.pop_back();
    } else if (text[i] == '\\') {
      size_t behind = after_box_command(text, i);
      if (behind == i) {
        ++i;  // \{ and \} are no braces
        continue;
      }
      while (behind < text.size() && text[behind] == ' ') ++behind;
      if (behind < text.size() && text[behind] == '{') {
        boxed_brace = behind;
      } else if (const auto word = unbraced_box(text, behind)) {
        take(behind, *word);
      }
      i = behind - 1;
    }
  }
  for (const Brace& brace : open) last.unfinished |= brace.boxed && brace.at >= last_start;
  return last;
}

// The last <answer>…</answer>, or what follows an <answer> that is never closed.
std::optional<std::string_view> last_tagged(std::string_view text, bool& unfinished) {
  constexpr std::string_view kTag = "<answer>", kEnd = "</answer>";
  const size_t open = text.rfind(kTag);
  if (open == kNowhere) return std::nullopt;
  const std::string_view rest = text.substr(open + kTag.size());
  const size_t close = rest.find(kEnd);
  unfinished = close == kNowhere;
  return stripped(unfinished ? rest : rest.substr(0, close));
}

// The first line, up to a full stop that ends a sentence.
std::string_view sentence(std::string_view text) {
  text = stripped(text);
  text = text.substr(0, text.find('\n'));
  for (size_t i = 0; i + 1 < text.size(); ++i)
    if (text[i] == '.' && text[i + 1] == ' ') return text.substr(0, i);
  return text;
}

std::string_view after_phrase(std::string_view text) {
  constexpr std::array<std::string_view, 6> kPhrases = {
      "answer is", "answer:", "answer**:", "####", "answer equals", "answer ="};
  const std::string low = lowered(text);
  size_t best = kNowhere, length = 0;
  for (const std::string_view phrase : kPhrases) {
    const size_t at = low.rfind(phrase);
    if (at == kNowhere || (best != kNowhere && at <= best)) continue;
    if (bare(sentence(text.substr(at + phrase.size()))).empty()) continue;
    best = at, length = phrase.size();
  }
  return best == kNowhere ? std::string_view{} : bare(sentence(text.substr(best + length)));
}

struct Block {
  std::string language;
  std::string_view code;
  bool closed = false;
};

bool is_markdown(std::string_view label) { return label == "markdown" || label == "md"; }

// Fenced blocks: a line that begins with ``` or more (after up to three spaces) opens one, a line
// of at least as many and nothing else closes it. A block of Markdown that holds another block is
// only its wrapping.
std::vector<Block> code_blocks(std::string_view text) {
  std::vector<Block> blocks;
  size_t fence = 0, start = 0;  // of the open block; 0: none is open
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = stripped(text.substr(at, end - at));
    const size_t run = std::min(line.find_first_not_of('`'), line.size());
    const size_t next = std::min(end + 1, text.size());
    const bool wrapping = fence != 0 && is_markdown(blocks.back().language) && run < line.size();
    if (wrapping && run >= 3) blocks.pop_back(), fence = 0;
    if (fence == 0 && run >= 3 && line.find('`', run) == kNowhere) {
      const std::string_view info = stripped(line.substr(run));
      blocks.push_back({lowered(info.substr(0, info.find_first_of(" \t{"))), {}, false});
      fence = run, start = next;
    } else if (fence != 0 && run >= fence && run == line.size()) {
      blocks.back().code = text.substr(start, at - start);
      blocks.back().closed = true;
      fence = 0;
    }
    at = next;
    if (end == text.size()) break;
  }
  if (fence != 0) blocks.back().code = text.substr(start);
  return blocks;
}

bool is_language(std::string_view label, std::string_view language) {
  if (language == "python") return label == "python" || label == "py" || label == "python3";
  return label == "cpp" || label == "c++" || label == "cc" || label == "cxx";
}

}  // namespace

Visible without_thoughts(std::string_view text) {
  Visible visible;
  const size_t first_open = text.find(kOpen), first_close = text.find(kClose);
  if (first_close != kNowhere && first_close < first_open)
    text.remove_prefix(first_close + kClose.size());
  for (size_t open; (open = text.find(kOpen)) != kNowhere;) {
    visible.text += text.substr(0, open);
    const size_t close = text.find(kClose, open);
    if (close == kNowhere) {
      visible.cut_in_thought = true;
      return visible;
    }
    text.remove_prefix(close + kClose.size());
  }
  visible.text += text;
  return visible;
}

ExtractedAnswer extract_answer(std::string_view whole) {
  constexpr size_t kMostWhole = 200;
  const Visible visible = without_thoughts(whole);
  std::string_view text = visible.text;
  const auto give = [&](AnswerSource source, std::string_view answer, bool unfinished) {
    return ExtractedAnswer{source, std::string(answer), unfinished || visible.cut_in_thought};
  };
  bool unfinished = false;
  const auto tagged = last_tagged(text, unfinished);
  if (tagged && !tagged->empty()) {
    const Boxed boxed = last_boxed(*tagged);
    return give(AnswerSource::kTag, boxed.content ? *boxed.content : *tagged, unfinished);
  }
  const Boxed boxed = last_boxed(text);
  if (boxed.content) return give(AnswerSource::kBoxed, *boxed.content, boxed.unfinished);
  unfinished |= boxed.unfinished;
  if (tagged) return give(AnswerSource::kNone, "", unfinished);
  if (const std::string_view answer = after_phrase(text); !answer.empty() && !unfinished)
    return give(AnswerSource::kPhrase, answer, false);
  text = stripped(text);
  if (!text.empty() && text.size() <= kMostWhole && text.find('\n') == kNowhere && !unfinished)
    return give(AnswerSource::kWhole, bare(text), false);
  return give(AnswerSource::kNone, "", unfinished);
}

namespace {

// The choice that `text` begins with: a letter alone, in brackets, or with a mark behind it.
std::optional<char> leading_choice(std::string_view text, int count) {
  text = bare(text);
  for (const std::string_view before :
       {"\\text{", "\\textbf{", "\\mathrm{", "\\(", "$", "option ", "choice "}) {
    if (lowered(text.substr(0, before.size())) == before) text = bare(text.substr(before.size()));
  }
  const bool bracket = !text.empty() && (text[0] == '(' || text[0] == '[');
  if (bracket) text.remove_prefix(1);
  if (text.empty() || !is_letter(text[0])) return std::nullopt;
  const char choice = static_cast<char>(lower(text[0]) - 'a' + 'A');
  if (choice - 'A' >= count) return std::nullopt;
  const std::string_view rest = text.substr(1);
  if (rest.empty()) return choice;
  const char mark = rest[0];
  if (bracket) return mark == ')' || mark == ']' ? std::optional(choice) : std::nullopt;
  // "a dog" is no choice, "B because …" is.
  if (mark == ' ')
    return is_letter(text[0]) && text[0] <= 'Z' && choice != 'A' && choice != 'I'
               ? std::optional(choice)
               : std::nullopt;
  return std::string_view(").:,}*\n$\\").find(mark) != kNowhere ? std::optional(choice)
                                                                : std::nullopt;
}

}  // namespace

std::optional<char> extract_choice(std::string_view whole, int count) {
  const ExtractedAnswer answer = extract_answer(whole);
  if (answer.found()) return leading_choice(answer.text, count);
  const Visible visible = without_thoughts(whole);
  std::string_view text = stripped(visible.text);
  while (!text.empty()) {
    const size_t line = text.rfind('\n');
    const std::string_view last = bare(line == kNowhere ? text : text.substr(line + 1));
    const bool short_line = last.size() <= 4;
    if (const auto choice = leading_choice(last, count); choice && short_line) return choice;
    if (line == kNowhere) break;
    text = text.substr(0, line);
  }
  return std::nullopt;
}

ExtractedCode extract_code(std::string_view whole, std::string_view language,
                           std::string_view must_mention) {
  const Visible visible = without_thoughts(whole);
  const std::vector<Block> blocks = code_blocks(visible.text);
  if (blocks.empty()) {
    const bool found = !stripped(visible.text).empty();
    return {found ? visible.text : "", found, visible.cut_in_thought};
  }
  const Block* best = nullptr;
  int best_rank = -1;
  for (const Block& block : blocks) {
    const bool ours = is_language(block.language, language);
    if (!ours && !block.language.empty()) continue;
    const bool mentions = block.code.find(must_mention) != kNowhere;
    const int rank = 2 * ours + mentions;
    if (rank >= best_rank) best = &block, best_rank = rank;
  }
  if (best == nullptr) return {"", false, visible.cut_in_thought};
  return {std::string(best->code), true, !best->closed || visible.cut_in_thought};
}

}  // namespace ponder
