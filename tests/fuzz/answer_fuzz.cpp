// Answers: any tokens in any format through AnswerParser. The same text byte by byte must give the
// same, nothing may be added, and no token may be forgotten. The same tokens drive ThinkingGuide.
#include "text/answer_parser.hpp"

#include <bit>

#include "testing/test_tokens.hpp"
#include "text/thinking.hpp"

namespace {

using namespace ponder;

// What input bytes from 128 on stand for; those below are themselves.
const std::vector<std::string> kPieces = {"<think>",
                                          "</think>",
                                          "<|python_tag|>",
                                          "<special>",
                                          "<tool_call>",
                                          "</tool_call>",
                                          "<｜tool▁calls▁begin｜>",
                                          "<｜tool▁call▁begin｜>",
                                          "<｜tool▁sep｜>",
                                          "<｜tool▁call▁end｜>",
                                          "<｜tool▁calls▁end｜>",
                                          "{\"name\": \"f\", \"arguments\": {",
                                          "{\"name\":\"f\"",
                                          "\"parameters\":{",
                                          "\"arguments\": \"{}\"",
                                          "}}",
                                          "}",
                                          "]",
                                          "\"",
                                          "\n```json\n{",
                                          "\n```",
                                          "function",
                                          "stop",
                                          "<thi",
                                          "nk>",
                                          "</",
                                          "</think>\n\nx",
                                          " \n",
                                          "\xe4",
                                          "\xbd\xa0",
                                          "\xf0\x9f",
                                          "\U0001F600",
                                          "null",
                                          "\\\"",
                                          "`",
                                          "; {"};
const std::vector<std::string> kSpecial = {"<|python_tag|>", "<special>"};

struct Result {
  std::string reasoning, content, calls;
  bool thinking = false, stopped = false;
  bool operator==(const Result&) const = default;
};

void check(bool holds) {
  if (!holds) __builtin_trap();
}

void add(const std::vector<AnswerDelta>& deltas, Result& result, int64_t& counted) {
  for (const AnswerDelta& delta : deltas) {
    counted += delta.tokens;
    check(!repaired_utf8(delta.text));
    if (delta.channel == Channel::kMarker) check(delta.text.empty());
    if (delta.channel == Channel::kReasoning) result.reasoning += delta.text;
    if (delta.channel == Channel::kContent) result.content += delta.text;
    if (!delta.name.empty()) result.calls += "\n" + delta.name + delta.id;
    if (delta.channel == Channel::kToolCall) result.calls += delta.text;
  }
}

Result parse(const Tokenizer& tokenizer, const std::vector<int32_t>& tokens,
             const AnswerOptions& options) {
  AnswerParser parser(tokenizer, options);
  Result result;
  int64_t pushed = 0, counted = 0;
  size_t bytes = 0;
  for (const int32_t token : tokens) {
    if (parser.stopped()) break;
    bytes += tokenizer.token_bytes(token).size();
    add(parser.push(token), result, counted);
    check(counted <= ++pushed);
  }
  add(parser.finish(), result, counted);
  check(counted == pushed);
  // A broken byte becomes three; a call adds its name and id, and perhaps {}.
  const size_t shown = result.reasoning.size() + result.content.size() + result.calls.size();
  check(shown <= 3 * bytes + 40 * static_cast<size_t>(parser.counts().calls));
  result.thinking = parser.thinking();
  result.stopped = parser.stopped();
  return result;
}

void drive(const Tokenizer& tokenizer, const std::vector<int32_t>& tokens,
           const ThinkingOptions& options) {
  ThinkingGuide guide(tokenizer, options);
  int forced_in_a_row = 0;
  for (size_t i = 0; i < tokens.size();) {
    const auto forced = guide.forced();
    check(!forced || ++forced_in_a_row < 64);
    if (forced) {
      guide.accept(*forced);
      continue;
    }
    forced_in_a_row = 0;
    const int32_t token = tokens[i++];
    const auto mask = guide.allowed();
    int bits = 0;
    for (const uint64_t word : mask) bits += std::popcount(word);
    check(mask.empty() || bits > 0);
    if (mask.empty() || (mask[token / 64] >> (token % 64) & 1) != 0) guide.accept(token);
    if (options.budget && guide.thinking()) check(guide.thought_tokens() <= *options.budget + 4);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Tokenizer with_tags = tokenizer_with(kPieces, kSpecial);
  static const std::vector<std::string> kOthers(kPieces.begin() + 2, kPieces.end());
  static const Tokenizer without_tags = tokenizer_with(kOthers, kSpecial);
  if (size < 2 || size > 400) return 0;  // longer answers take time and find nothing more
  const uint8_t flags = data[0], more = data[1];
  const Tokenizer& tokenizer = (flags & 1) != 0 ? with_tags : without_tags;
  std::vector<int32_t> tokens, bytes;
  for (size_t i = 2; i < size; ++i) {
    const std::string piece = data[i] < 128 ? std::string(1, static_cast<char>(data[i]))
                                            : kPieces[(data[i] - 128u) % kPieces.size()];
    const std::vector<int32_t> whole = tokens_of(tokenizer, {piece});
    const bool kept = piece == "<think>" || piece == "</think>" || tokenizer.is_special(whole[0]);
    tokens.insert(tokens.end(), whole.begin(), whole.end());
    if (kept)
      bytes.insert(bytes.end(), whole.begin(), whole.end());
    else
      for (const unsigned char c : piece) bytes.push_back(c);
  }
  AnswerOptions options{.thoughts = {.reasons = (flags & 2) != 0,
                                     .starts_inside = (flags & 4) != 0,
                                     .think_again = (flags & 8) != 0},
                        .tools = static_cast<ToolFormat>(flags >> 4 & 3),
                        .tool_names = {"f"},
                        .include_stop = (flags & 64) != 0};
  if ((flags & 128) != 0)
    options.stop = StopStrings::create({"stop", "\n\n", "to", "}}", "\u4f60"}).take_value();
  check(parse(tokenizer, tokens, options) == parse(tokenizer, bytes, options));
  drive(tokenizer, tokens,
        {.thoughts = options.thoughts,
         .wanted = (more & 1) != 0,
         .budget = (more & 2) != 0 ? std::optional<int64_t>(more >> 2) : std::nullopt});
  return 0;
}
