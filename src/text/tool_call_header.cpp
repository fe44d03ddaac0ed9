#include "text/tool_call_header.hpp"

#include <algorithm>

#include "io/json.hpp"
#include "text/json_extent.hpp"
#include "text/traced_text.hpp"

namespace ponder {
namespace {

constexpr size_t kMostNameBytes = 256;
constexpr size_t kMostHeaderBytes = 4096;
constexpr std::string_view kCallsBegin = "<｜tool▁calls▁begin｜>",
                           kCallsEnd = "<｜tool▁calls▁end｜>";
constexpr std::string_view kCallBegin = "<｜tool▁call▁begin｜>", kCallEnd = "<｜tool▁call▁end｜>";
constexpr std::string_view kSeparator = "<｜tool▁sep｜>";
constexpr std::string_view kTagBegin = "<tool_call>", kTagEnd = "</tool_call>";

ToolMarks with_all(ToolMarks marks, std::initializer_list<std::string_view> others = {}) {
  marks.all = marks.openers;
  marks.all.insert(marks.all.end(), marks.closers.begin(), marks.closers.end());
  marks.all.insert(marks.all.end(), others);
  return marks;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostNameBytes &&
         std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

// Reads on while what comes fits; the first that does not decides the outcome.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, std::span<const std::string> names)
      : text_(text), names_(names) {}

  ToolCallHeader read_json() {
    header_.in_object = true;
    const bool tagged = !text_.starts_with('{') && !text_.starts_with(kCodeFence);
    if (tagged) skip_tag();
    if (!skip_fence()) return header_;
    if (!literal("{")) return header_;
    bool first = true;
    for (;; first = false) {
      skip_space();
      if (at_end()) return header_;
      if (text_[at_] == '}' && first) return broken();
      if (!member()) return header_;
      if (!header_.name.empty() && !tagged && !known(header_.name)) return broken();
      if (!header_.name.empty() && (streams_ || header_.arguments)) return found();
      skip_space();
      if (at_end()) return header_;
      const char c = text_[at_++];
      if (c == '}') return closed(tagged);
      if (c != ',') return broken();
    }
  }

  ToolCallHeader read_deepseek() {
    if (text_.starts_with(kCallsBegin)) at_ = kCallsBegin.size();
    skip_space();
    if (!literal(kCallBegin)) return header_;
    std::string_view kind = until(kSeparator);
    if (header_.outcome == Outcome::kBroken || at_end()) return header_;
    at_ += kSeparator.size();
    skip_space();
    if (at_end()) return header_;
    // DeepSeek-V3.1 has the name in front, and no fence.
    std::string_view name = text_[at_] == '{' ? kind : until_any("\n{`<");
    name = trimmed(name);
    if (at_end()) return long_name(name) ? broken() : header_;
    if (!is_name(name)) return broken();
    header_.name = name;
    if (!skip_fence()) return header_;
    return text_[at_] == '{' ? found() : broken();
  }

 private:
  using Outcome = ToolCallHeader::Outcome;

  bool at_end() const { return at_ >= text_.size(); }
  std::string_view rest() const { return text_.substr(at_); }
  bool known(const std::string& name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  }
  static bool long_name(std::string_view name) { return name.size() > kMostNameBytes; }
  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && kWhiteSpace.find(text.back()) != text.npos) text.remove_suffix(1);
    return text;
  }

  ToolCallHeader broken() {
    header_.outcome = Outcome::kBroken;
    return header_;
  }
  ToolCallHeader found() {
    header_.outcome = Outcome::kFound;
    header_.end = at_;
    return header_;
  }
  // The object ends without arguments: those of a function that has none, if it must be a call.
  ToolCallHeader closed(bool tagged) {
    if (!tagged || header_.name.empty()) return broken();
    header_.arguments = "{}";
    header_.in_object = false;
    return found();
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(kWhiteSpace, at_), text_.size()); }
  void skip_tag() { at_ = text_.starts_with(kPythonTag) ? kPythonTag.size() : kTagBegin.size(); }

  // Whether the text goes on with this. If not, it is broken or not yet there.
  bool literal(std::string_view text) {
    if (rest().starts_with(text)) {
      at_ += text.size();
      return true;
    }
    if (!text.starts_with(rest())) broken();
    return false;
  }

  // Passes ``` and what may follow it, if they are there. False: that is not certain yet.
  bool skip_fence() {
    skip_space();
    header_.fenced = rest().starts_with(kCodeFence);
    if (header_.fenced) at_ += kCodeFence.size();
    if (kCodeFence.starts_with(rest())) return false;
    constexpr std::string_view kJson = "json";
    if (header_.fenced && rest().starts_with(kJson)) at_ += kJson.size();
    if (header_.fenced && kJson.starts_with(rest())) return false;
    skip_space();
    return !at_end();
  }

  // The text in front of a mark, to which it goes; to the end if there is none yet.
  std::string_view until(std::string_view mark) {
    const size_t end = text_.find(mark, at_);
    const std::string_view text = text_.substr(at_, end - at_);
    const size_t part = end == std::string_view::npos ? partial_suffix(text, {&mark, 1}) : 0;
    if (long_name(text.substr(0, text.size() - part))) broken();
    at_ += text.size();
    return text;
  }
  std::string_view until_any(std::string_view characters) {
    const std::string_view text = text_.substr(at_, text_.find_first_of(characters, at_) - at_);
    at_ += text.size();
    return text;
  }

  // A value with brackets or quotes; empty if it is not whole.
  std::string_view value() {
    JsonExtent extent;
    for (size_t i = at_; i < text_.size(); ++i) {
      const auto state = extent.push(text_[i]);
      if (state == JsonExtent::State::kMore) continue;
      if (state == JsonExtent::State::kBroken) broken();
      const std::string_view whole = text_.substr(at_, i + 1 - at_);
      at_ = i + 1;
      return state == JsonExtent::State::kDone ? whole : "";
    }
    return "";
  }

  std::optional<std::string> string() {
    if (at_end()) return std::nullopt;
    if (text_[at_] != '"') return broken(), std::nullopt;
    const std::string_view quoted = value();
    if (quoted.empty()) return std::nullopt;
    auto parsed = parse_json(quoted, "");
    if (!parsed.ok()) return broken(), std::nullopt;
    return parsed.value().get<std::string>();
  }

  // A word or a number.
  bool skip_word() {
    const std::string_view word = until_any(",}");
    if (long_name(word)) return broken(), false;
    return !at_end();
  }

  // Whether a key and its value are read, or arguments are about to come.
  bool member() {
    const auto key = string();
    if (!key) return false;
    skip_space();
    if (!literal(":")) return false;
    skip_space();
    if (at_end()) return false;
    if (*key == "name" && header_.name.empty()) {
      const auto name = string();
      if (!name) return false;
      if (!is_name(*name)) return broken(), false;
      header_.name = *name;
      return true;
    }
    if ((*key == "arguments" || *key == "parameters") && !header_.arguments) return arguments();
    if (text_[at_] == '{' || text_[at_] == '[' || text_[at_] == '"') return !value().empty();
    return skip_word();
  }

  bool arguments() {
    if (text_[at_] == '{') {
      streams_ = !header_.name.empty();
      if (streams_) return true;
      const std::string_view whole = value();
      if (!whole.empty()) header_.arguments = whole;
      return !whole.empty();
    }
    if (text_[at_] == '"') {  // JSON within a string
      const auto inner = string();
      if (!inner) return false;
      const auto parsed = parse_json(*inner, "");
      if (!parsed.ok() || !parsed.value().is_object()) return broken(), false;
      header_.arguments = *inner;
      return true;
    }
    if (!literal("null")) return false;
    header_.arguments = "{}";
    return true;
  }

  std::string_view text_;
  std::span<const std::string> names_;
  size_t at_ = 0;
  bool streams_ = false;  // the arguments begin here
  ToolCallHeader header_;
};

ToolCallHeader read(ToolFormat format, std::string_view text, std::span<const std::string> names) {
  HeaderReader reader(text, names);
  const bool deepseek = format == ToolFormat::kDeepseek && text.starts_with('<');
  return deepseek ? reader.read_deepseek() : reader.read_json();
}

}  // namespace

const ToolMarks& tool_marks(ToolFormat format) {
  static const ToolMarks none;
  static const ToolMarks deepseek = with_all(
      {.openers = {kCallsBegin, kCallBegin}, .closers = {kCallEnd, kCallsEnd}}, {kSeparator});
  static const ToolMarks hermes = with_all({.openers = {kTagBegin}, .closers = {kTagEnd}});
  static const ToolMarks llama3 = with_all({.openers = {kPythonTag}});
  switch (format) {
    case ToolFormat::kNone:
      break;
    case ToolFormat::kDeepseek:
      return deepseek;
    case ToolFormat::kHermes:
      return hermes;
    case ToolFormat::kLlama3:
      return llama3;
  }
  return none;
}

ToolCallHeader read_tool_call_header(ToolFormat format, std::string_view text,
                                     std::span<const std::string> names) {
  ToolCallHeader header = read(format, text.substr(0, kMostHeaderBytes), names);
  if (header.outcome == ToolCallHeader::Outcome::kMore && text.size() >= kMostHeaderBytes)
    header.outcome = ToolCallHeader::Outcome::kBroken;
  return header;
}

}  // namespace ponder
