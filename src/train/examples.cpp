#include "train/examples.hpp"

#include <algorithm>
#include <string_view>

#include "base/file.hpp"
#include "data/packed_shard.hpp"
#include "io/json.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kLongestLine = 64 << 20;
constexpr size_t kMostMessages = 4096;
constexpr int kMostNesting = 16;

// Appends examples to a set; knows what is the same for all of them.
class ExampleReader {
 public:
  ExampleReader(const Tokenizer& tokenizer, const ExampleOptions& options, int32_t end,
                ExampleSet& set)
      : tokenizer_(tokenizer), options_(options), end_(end), set_(set) {}

  Result<void> read_line(std::string_view line, const std::string& where);
  Result<void> add_document(std::string_view text, const std::string& where);

 private:
  Result<std::vector<ChatMessage>> read_messages(const Json& list, const std::string& where) const;
  Result<ChatMessage> read_message(const Json& item, const std::string& where) const;
  Result<void> add_pair(const Json& object, const std::string& where);
  Result<void> add_conversation(const Json& list, const std::string& where);
  Result<void> add_tokens(const Json& object, const std::string& where);
  Result<void> add_answer(std::span<const ChatMessage> prompt, const std::string& answer,
                          const std::string& where);
  void add(Example example);

  const Tokenizer& tokenizer_;
  const ExampleOptions& options_;
  int32_t end_;
  ExampleSet& set_;
};

Failure at(const std::string& where, const std::string& what, const std::string& mend = "") {
  return Failure{{.what = what, .where = where, .mend = mend}};
}

Result<ChatMessage> ExampleReader::read_message(const Json& item, const std::string& where) const {
  if (!item.is_object()) return at(where, "a message must be an object");
  ChatMessage message;
  message.role = PONDER_TRY(text_field(item, "role", where));
  message.content = PONDER_TRY(text_field_or(item, "content", where, ""));
  message.reasoning = PONDER_TRY(text_field_or(item, "reasoning", where, ""));
  if (message.reasoning.empty())
    message.reasoning = PONDER_TRY(text_field_or(item, "reasoning_content", where, ""));
  if (find_field(item, "tool_calls") != nullptr)
    return at(where, "calls of tools cannot be learned yet", "leave such conversations out");
  return message;
}

Result<std::vector<ChatMessage>> ExampleReader::read_messages(const Json& list,
                                                              const std::string& where) const {
  if (!list.is_array() || list.empty() || list.size() > kMostMessages)
    return at(where, "messages must be a list of 1 to " + std::to_string(kMostMessages));
  std::vector<ChatMessage> messages;
  for (const Json& item : list) messages.push_back(PONDER_TRY(read_message(item, where)));
  return messages;
}

Result<void> ExampleReader::read_line(std::string_view line, const std::string& where) {
  const Json object = PONDER_TRY(parse_json(line, where, kMostNesting));
  if (!object.is_object()) return at(where, "is no JSON object");
  if (const Json* messages = find_field(object, "messages"))
    return add_conversation(*messages, where);
  if (find_field(object, "tokens") != nullptr) return add_tokens(object, where);
  if (find_field(object, "prompt") != nullptr) return add_pair(object, where);
  if (find_field(object, "text") != nullptr)
    return add_document(PONDER_TRY(text_field(object, "text", where)), where);
  return at(where, "has none of text, messages, prompt, tokens");
}

Result<void> ExampleReader::add_pair(const Json& object, const std::string& where) {
  std::vector<ChatMessage> prompt;
  const Json& given = *find_field(object, "prompt");
  if (given.is_array()) {
    prompt = PONDER_TRY(read_messages(given, where));
  } else {
    const std::string system = PONDER_TRY(text_field_or(object, "system", where, ""));
    if (!system.empty()) prompt.push_back({.role = "system", .content = system});
    prompt.push_back({.role = "user", .content = PONDER_TRY(text_field(object, "prompt", where))});
  }
  ChatMessage answer{.role = "assistant",
                     .content = PONDER_TRY(text_field(object, "answer", where))};
  answer.reasoning = PONDER_TRY(text_field_or(object, "reasoning", where, ""));
  return add_answer(prompt, answer_text(options_.chat, prompt, answer), where);
}

Result<void> ExampleReader::add_conversation(const Json& list, const std::string& where) {
  const auto messages = PONDER_TRY(read_messages(list, where));
  if (messages.back().role != "assistant" || messages.size() < 2)
    return at(where, "the last message must be an assistant's, behind others");
  const size_t first = options_.every_answer ? 1 : messages.size() - 1;
  for (size_t i = first; i < messages.size(); ++i) {
    if (messages[i].role != "assistant") continue;
    const std::span<const ChatMessage> prompt(messages.data(), i);
    PONDER_TRY(add_answer(prompt, answer_text(options_.chat, prompt, messages[i]), where));
  }
  return {};
}

Result<void> ExampleReader::add_tokens(const Json& object, const std::string& where) {
  const Json& list = *find_field(object, "tokens");
  if (!list.is_array()) return at(where, "tokens must be a list of ids");
  Example example;
  for (const Json& item : list) {
    if (!item.is_number_integer() || item.get<int64_t>() < 0 ||
        item.get<int64_t>() >= tokenizer_.vocab_size())
      return at(where, "tokens must be ids below " + std::to_string(tokenizer_.vocab_size()));
    example.tokens.push_back(item.get<int32_t>());
  }
  example.learn_from = PONDER_TRY(integer_field_or(object, "learn_from", where, 1, {1, INT64_MAX}));
  add(std::move(example));
  return {};
}

Result<void> ExampleReader::add_answer(std::span<const ChatMessage> prompt,
                                       const std::string& answer, const std::string& where) {
  const auto text = prompt_text(options_.chat, prompt);
  if (!text.ok()) return at(where, text.error().what, text.error().mend);
  Example example;
  example.tokens = tokenizer_.encode(text.value(), {.add_bos = !options_.chat});
  example.learn_from = std::max<int64_t>(1, example.length());
  const auto rest = tokenizer_.encode(answer, {.add_bos = false});
  example.tokens.insert(example.tokens.end(), rest.begin(), rest.end());
  example.tokens.push_back(end_);
  add(std::move(example));
  return {};
}

void ExampleReader::add(Example example) {
  const bool too_long = example.length() > options_.length;
  if (too_long && !options_.drop_long) {
    example.tokens.resize(static_cast<size_t>(options_.length));
    ++set_.cut;
  }
  if ((too_long && options_.drop_long) || example.learned() < 1) {
    ++set_.dropped;
    return;
  }
  set_.examples.push_back(std::move(example));
}

Result<void> ExampleReader::add_document(std::string_view text, const std::string& where) {
  std::vector<int32_t> tokens = tokenizer_.encode(text);
  const auto eos = tokenizer_.eos();
  if (!eos) return at(where, "the tokenizer has no end-of-text token");
  tokens.push_back(*eos);
  const auto length = static_cast<size_t>(options_.length);
  for (size_t begin = 0; begin + 1 < tokens.size(); begin += length - 1) {
    const size_t count = std::min(length, tokens.size() - begin);
    Example example;
    example.tokens.assign(tokens.begin() + static_cast<int64_t>(begin),
                          tokens.begin() + static_cast<int64_t>(begin + count));
    set_.examples.push_back(std::move(example));
  }
  return {};
}

}  // namespace

int64_t ExampleSet::tokens() const {
  int64_t sum = 0;
  for (const Example& example : examples) sum += example.length();
  return sum;
}

Result<std::string> prompt_text(const std::optional<ChatTemplate>& chat,
                                std::span<const ChatMessage> messages) {
  if (chat) return chat->render(messages);
  if (messages.size() == 1 && messages[0].role == "user") return messages[0].content;
  return Failure{{.what = "a conversation needs a chat template",
                  .mend = "name one, or give prompts as plain texts"}};
}

std::string answer_text(const std::optional<ChatTemplate>& chat,
                        std::span<const ChatMessage> prompt, const ChatMessage& answer) {
  constexpr std::string_view kOpen = "<think>", kClose = "\n</think>\n\n";
  const bool opened = chat && chat->opens_thinking(prompt);
  if (!answer.reasoning.empty() || opened) {
    std::string_view content = answer.content;
    std::string text = opened ? "" : std::string(kOpen) + "\n";
    if (answer.reasoning.empty() && content.starts_with(kOpen)) {
      // Thoughts that stand in the content, as the model wrote them: the prompt has opened them.
      content.remove_prefix(kOpen.size());
      if (content.starts_with('\n')) content.remove_prefix(1);
      return std::string(content);
    }
    if (answer.reasoning.empty() && content.find("</think>") != std::string_view::npos)
      return std::string(content);
    return text + answer.reasoning + std::string(kClose) + std::string(content);
  }
  return answer.content;
}

Result<int32_t> end_of_answer(const std::optional<ChatTemplate>& chat, const Tokenizer& tokenizer) {
  if (chat) {
    const std::string mark = "PONDER";
    const ChatMessage messages[] = {{.role = "user", .content = "?"},
                                    {.role = "assistant", .content = mark}};
    const std::string text = PONDER_TRY(chat->render(messages, {.add_generation_prompt = false}));
    const size_t begin = text.rfind(mark);
    if (begin != std::string::npos)
      for (const int32_t id :
           tokenizer.encode(text.substr(begin + mark.size()), {.add_bos = false}))
        if (tokenizer.is_end(id)) return id;
  }
  if (const auto eos = tokenizer.eos()) return *eos;
  return Failure{{.what = "the tokenizer has no token that ends an answer", .where = "tokenizer"}};
}

namespace {

// Each piece of a packed shard: attention does not leave it.
Result<void> add_packed(const std::filesystem::path& path, const Tokenizer& tokenizer,
                        int64_t length, ExampleSet& set) {
  const PackedShard shard = PONDER_TRY(PackedShard::open(path));
  if (shard.vocabulary() != static_cast<uint32_t>(tokenizer.vocab_size()))
    return Failure{{.what = "the shard was packed with another tokenizer",
                    .where = path.string(),
                    .mend = "pack it with the model's own"}};
  if (shard.length() > length)
    return Failure{{.what = "its sequences of " + std::to_string(shard.length()) +
                            " tokens are longer than the recipe's length",
                    .where = path.string(),
                    .mend = "raise the length, or pack for a shorter one"}};
  for (uint64_t i = 0; i < shard.sequences(); ++i) {
    const auto ids = shard.sequence(i);
    for (const PackedPiece& piece : shard.pieces(i)) {
      if (piece.length < 2) continue;  // nothing to learn from one token
      const auto own = ids.subspan(piece.begin, piece.length);
      set.examples.push_back({.tokens = {own.begin(), own.end()}});
    }
  }
  return {};
}

}  // namespace

Result<ExampleSet> read_examples(std::span<const std::filesystem::path> files,
                                 const Tokenizer& tokenizer, const ExampleOptions& options) {
  ExampleSet set;
  const int32_t end = PONDER_TRY(end_of_answer(options.chat, tokenizer));
  ExampleReader reader(tokenizer, options, end, set);
  for (const auto& path : files) {
    if (path.extension() == ".pack") {
      PONDER_TRY(add_packed(path, tokenizer, options.length, set));
      continue;
    }
    const MappedFile file = PONDER_TRY(MappedFile::open(path));
    const auto bytes = file.bytes();
    std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (path.extension() != ".jsonl") {
      PONDER_TRY(reader.add_document(rest, path.string()));
      continue;
    }
    for (int64_t number = 1; !rest.empty(); ++number) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      const std::string where = path.string() + ": line " + std::to_string(number);
      if (line.size() > kLongestLine) return at(where, "is longer than 64 MiB");
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      PONDER_TRY(reader.read_line(line, where));
    }
  }
  return set;
}

}  // namespace ponder
