#include "text/chat_template.hpp"

#include <algorithm>

#include "base/macros.hpp"
#include "io/printable.hpp"
#include "text/template_outline.hpp"
#include "text/unicode.hpp"

namespace ponder {

enum class ChatTemplate::Kind : int {
  kR1,
  kR1First,
  kR10528,
  kDistill,
  kDistillFirst,
  kQwen25,
  kQwen3,
  kLlama3,
  kLlama30,
};

namespace {

constexpr size_t kMostSourceBytes = 1 << 18;

constexpr std::string_view kBos = "<｜begin▁of▁sentence｜>";
constexpr std::string_view kEos = "<｜end▁of▁sentence｜>";
constexpr std::string_view kUser = "<｜User｜>";
constexpr std::string_view kAssistant = "<｜Assistant｜>";
constexpr std::string_view kThinkEnd = "</think>";
constexpr std::string_view kQwenSystem =
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
// What Llama 3.1 says when nobody tells the date. We do not: the same input, the same prompt.
constexpr std::string_view kLlamaDate = "26 Jul 2024";

using Messages = std::span<const ChatMessage>;

std::string_view after_thoughts(std::string_view content) {
  const size_t end = content.rfind(kThinkEnd);
  return end == std::string_view::npos ? content : content.substr(end + kThinkEnd.size());
}

std::string_view without_breaks(std::string_view text, bool front, bool back) {
  while (front && text.starts_with('\n')) text.remove_prefix(1);
  while (back && text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

// --- DeepSeek ---

struct DeepseekStyle {
  bool join_system;      // several system messages: all of them, else the last
  bool prefill_think;    // the prompt for an answer opens its thoughts
  bool marks_with_user;  // <｜Assistant｜> is written behind the user's text already
};

std::string render_deepseek(Messages messages, bool prompt, DeepseekStyle style) {
  std::string system;
  bool first = true;
  for (const ChatMessage& message : messages) {
    if (message.role != "system") continue;
    if (style.join_system)
      system += (first ? "" : "\n\n") + message.content;
    else
      system = message.content;
    first = false;
  }
  std::string text = joined({kBos, system});
  bool answer_marked = false;
  for (const ChatMessage& message : messages) {
    if (message.role == "user") {
      text += joined({kUser, message.content, style.marks_with_user ? kAssistant : ""});
      answer_marked = style.marks_with_user;
    } else if (message.role == "assistant") {
      const std::string_view mark = style.marks_with_user ? "" : kAssistant;
      text += joined({mark, after_thoughts(message.content), kEos});
      answer_marked = false;
    }
  }
  if (prompt && !answer_marked)
    text += joined({kAssistant, style.prefill_think ? "<think>\n" : ""});
  return text;
}

// --- Qwen ---

std::string chatml(std::string_view role, std::string_view content) {
  return joined({"<|im_start|>", role, "\n", content, "<|im_end|>\n"});
}

std::string render_qwen25(Messages messages, bool prompt) {
  std::string text;
  if (messages[0].role != "system") text = chatml("system", kQwenSystem);
  for (const ChatMessage& message : messages) text += chatml(message.role, message.content);
  if (prompt) text += "<|im_start|>assistant\n";
  return text;
}

struct Qwen3Answer {
  std::string_view reasoning, content;
};

// Thoughts come on their own or before </think> in the content.
Qwen3Answer split_qwen3(const ChatMessage& message) {
  const std::string_view content = message.content;
  if (!message.reasoning.empty() || content.find(kThinkEnd) == std::string_view::npos)
    return {message.reasoning, content};
  std::string_view reasoning = content.substr(0, content.find(kThinkEnd));
  reasoning = without_breaks(reasoning, false, true);
  constexpr std::string_view kThink = "<think>";
  const size_t start = reasoning.rfind(kThink);
  if (start != std::string_view::npos) reasoning = reasoning.substr(start + kThink.size());
  return {without_breaks(reasoning, true, false),
          without_breaks(after_thoughts(content), true, false)};
}

std::string render_qwen3(Messages messages, const RenderOptions& options) {
  // Thoughts stay only in answers behind the last question, which a tool's answer is not.
  size_t last_query = messages.size() - 1;
  for (size_t i = messages.size(); i-- > 0;) {
    const std::string& content = messages[i].content;
    if (messages[i].role == "user" &&
        !(content.starts_with("<tool_response>") && content.ends_with("</tool_response>"))) {
      last_query = i;
      break;
    }
  }
  std::string text;
  for (size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    if (message.role != "assistant") {
      text += chatml(message.role, message.content);
      continue;
    }
    const Qwen3Answer answer = split_qwen3(message);
    if (i > last_query && (i + 1 == messages.size() || !answer.reasoning.empty()))
      text += chatml(message.role,
                     joined({"<think>\n", without_breaks(answer.reasoning, true, true),
                             "\n</think>\n\n", without_breaks(answer.content, true, false)}));
    else
      text += chatml(message.role, answer.content);
  }
  if (options.add_generation_prompt)
    text += joined(
        {"<|im_start|>assistant\n", options.enable_thinking ? "" : "<think>\n\n</think>\n\n"});
  return text;
}

// --- Llama ---

std::string llama_header(std::string_view role) {
  return joined({"<|start_header_id|>", role, "<|end_header_id|>\n\n"});
}

std::string render_llama3(Messages messages, bool prompt, bool with_date) {
  std::string text = "<|begin_of_text|>";
  if (with_date) {
    const bool has_system = messages[0].role == "system";
    text += joined({llama_header("system"),
                    "Cutting Knowledge Date: December 2023\nToday Date: ", kLlamaDate, "\n\n",
                    has_system ? stripped(messages[0].content) : "", "<|eot_id|>"});
    messages = messages.subspan(has_system ? 1 : 0);
  }
  for (const ChatMessage& message : messages)
    text += joined({llama_header(message.role), stripped(message.content), "<|eot_id|>"});
  if (prompt) text += llama_header("assistant");
  return text;
}

// --- Recognition ---

// How a template is known: it has all of `needed`, and it writes nothing but `needed` and `also`,
// tools aside. What changes the prompt thus makes it another template.
// All in the form of canonical_jinja.
struct Known {
  std::vector<std::string> needed = {};
  std::vector<std::string> also = {};
  std::vector<std::string> statements = {};
};

std::vector<std::string> canonical(std::initializer_list<std::string_view> list) {
  std::vector<std::string> result(list.size());
  std::transform(list.begin(), list.end(), result.begin(), canonical_jinja);
  return result;
}

constexpr std::string_view kSplitThoughts = "set content = content.split('</think>')[-1]";
constexpr std::string_view kLastSystem = "set ns.system_prompt = message.content";
constexpr std::string_view kJoinSystem =
    R"(set ns.system_prompt = ns.system_prompt + '\n\n' + message.content)";
constexpr std::string_view kIfPrompt = "if add_generation_prompt";
constexpr std::string_view kQwenTurn =
    R"('<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n')";
constexpr std::string_view kQwenFirst =
    R"('<|im_start|>system\n' + messages[0].content + '<|im_end|>\n')";
constexpr std::string_view kQwenPrompt = R"('<|im_start|>assistant\n')";
constexpr std::string_view kLlamaTurn =
    R"('<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content | trim + '<|eot_id|>')";
constexpr std::string_view kLlamaPrompt = R"('<|start_header_id|>assistant<|end_header_id|>\n\n')";

Known known_deepseek(std::string_view prompt, std::string_view system) {
  return {.needed = canonical({"bos_token", "ns.system_prompt", "'<｜User｜>' + message.content",
                               "'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'", prompt}),
          .statements =
              canonical({kSplitThoughts, system, "if add_generation_prompt and not ns.is_tool"})};
}

constexpr std::string_view kPrefilledPrompt = R"('<｜Assistant｜><think>\n')";
constexpr std::string_view kPlainPrompt = "'<｜Assistant｜>'";

Known known_r1() { return known_deepseek(kPrefilledPrompt, kJoinSystem); }
Known known_r1_first() { return known_deepseek(kPlainPrompt, kJoinSystem); }
Known known_distill() { return known_deepseek(kPrefilledPrompt, kLastSystem); }
Known known_distill_first() { return known_deepseek(kPlainPrompt, kLastSystem); }

Known known_r1_0528() {
  return {
      .needed =
          canonical({"bos_token", "ns.system_prompt", "'<｜User｜>' + content + '<｜Assistant｜>'",
                     "content + '<｜end▁of▁sentence｜>'", "'<｜Assistant｜>'"}),
      .statements = canonical(
          {kSplitThoughts, kJoinSystem, "set ns.is_last_user = true", "set ns.is_last_user = false",
           "if add_generation_prompt and not ns.is_last_user and not ns.is_tool"})};
}

Known known_qwen25() {
  const std::string default_system =
      joined({R"('<|im_start|>system\n)", kQwenSystem, R"(<|im_end|>\n')"});
  return {.needed = canonical({kQwenFirst, default_system, kQwenTurn, kQwenPrompt}),
          .also = canonical(
              {"'<|im_start|>' + message.role", R"('\n' + message.content)", R"('<|im_end|>\n')"}),
          .statements = canonical({"if messages[0].role == 'system'", kIfPrompt})};
}

Known known_qwen3() {
  return {
      .needed = canonical(
          {kQwenFirst, kQwenPrompt, R"('<think>\n\n</think>\n\n')", R"('<|im_end|>\n')",
           R"('<|im_start|>' + message.role + '\n' + content)",
           R"('<|im_start|>' + message.role + '\n<think>\n' + reasoning_content.strip('\n') + '\n</think>\n\n' + content.lstrip('\n'))"}),
      .also = canonical(
          {kQwenTurn, R"('<|im_start|>' + message.role + '\n' + content + '<|im_end|>' + '\n')"}),
      .statements =
          canonical({"if enable_thinking is defined and enable_thinking is false",
                     "if loop.index0 > ns.last_query_index",
                     "if loop.last or (not loop.last and reasoning_content)", kIfPrompt})};
}

Known known_llama3() {
  return {.needed = canonical({"bos_token", R"('<|start_header_id|>system<|end_header_id|>\n\n')",
                               R"('Cutting Knowledge Date: December 2023\n')",
                               R"('Today Date: ' + date_string + '\n\n')", "system_message",
                               "'<|eot_id|>'", kLlamaTurn, kLlamaPrompt}),
          .statements = canonical({"set date_string = '26 Jul 2024'",
                                   "set system_message = messages[0].content | trim",
                                   "set messages = messages[1:]", kIfPrompt})};
}

Known known_llama30() {
  const std::string set_content = joined({"set content = ", kLlamaTurn});
  return {.needed = canonical({"content", kLlamaPrompt}),
          .statements = canonical({set_content, "set content = bos_token + content", kIfPrompt})};
}

bool is_known(const TemplateOutline& outline, const Known& known) {
  const auto has = [](const std::vector<std::string>& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  };
  const auto has_all = [&](const std::vector<std::string>& list, const auto& items) {
    return std::all_of(items.begin(), items.end(),
                       [&](const auto& item) { return has(list, item); });
  };
  std::vector<std::string> written;
  for (const TemplateOutline::Output& output : outline.outputs) {
    const std::string& text = output.expression;
    if (!output.for_tools && !has(known.needed, text) && !has(known.also, text)) return false;
    written.push_back(text);
  }
  return has_all(written, known.needed) && has_all(outline.statements, known.statements);
}

}  // namespace

struct ChatTemplate::Entry {
  Kind kind;
  std::string_view name;  // the first of a kind is the one that name() gives
  bool reasons;
  Known known = {};  // of the first of a kind
};

std::span<const ChatTemplate::Entry> ChatTemplate::entries() {
  static const Entry all[] = {
      {Kind::kR1, "deepseek-r1", true, known_r1()},
      {Kind::kR1First, "deepseek-r1-0120", true, known_r1_first()},
      {Kind::kR10528, "deepseek-r1-0528", true, known_r1_0528()},
      {Kind::kDistill, "deepseek-r1-distill", true, known_distill()},
      {Kind::kDistill, "deepseek-r1-distill-qwen", true},
      {Kind::kDistill, "deepseek-r1-distill-llama", true},
      {Kind::kDistillFirst, "deepseek-r1-distill-0120", true, known_distill_first()},
      {Kind::kQwen25, "qwen2.5", false, known_qwen25()},
      {Kind::kQwen3, "qwen3", true, known_qwen3()},
      {Kind::kLlama3, "llama3", false, known_llama3()},
      {Kind::kLlama30, "llama3.0", false, known_llama30()}};
  return all;
}

Result<ChatTemplate> ChatTemplate::recognise(std::string_view jinja_source,
                                             const std::string& where) {
  const auto failure = [&](std::string what) {
    return Failure{{.what = std::move(what), .where = where, .mend = choose_one()}};
  };
  if (jinja_source.size() > kMostSourceBytes)
    return failure("the chat template has " + std::to_string(jinja_source.size()) + " bytes");
  const auto outline = outline_template(jinja_source, where);
  if (!outline.ok()) return failure(outline.error().what);
  for (const Entry& entry : entries())
    if (!entry.known.needed.empty() && is_known(outline.value(), entry.known))
      return ChatTemplate(entry.kind);
  return failure("the chat template is none of those we know");
}

Result<ChatTemplate> ChatTemplate::by_name(std::string_view name) {
  for (const Entry& entry : entries())
    if (entry.name == name) return ChatTemplate(entry.kind);
  return Failure{{.what = "unknown chat template " + printable(name), .mend = choose_one()}};
}

std::vector<std::string> ChatTemplate::names() {
  std::vector<std::string> all;
  for (const Entry& entry : entries()) all.emplace_back(entry.name);
  return all;
}

std::string ChatTemplate::choose_one() {
  std::string text = "choose one with --template NAME:";
  for (const Entry& entry : entries()) text += joined({" ", entry.name});
  return text;
}

const ChatTemplate::Entry& ChatTemplate::entry() const {
  return *std::find_if(entries().begin(), entries().end(),
                       [&](const Entry& entry) { return entry.kind == kind_; });
}

std::string ChatTemplate::name() const { return std::string(entry().name); }
bool ChatTemplate::reasons() const { return entry().reasons; }

ToolFormat ChatTemplate::tool_format() const {
  const std::string_view name = entry().name;
  if (name.starts_with("deepseek")) return ToolFormat::kDeepseek;
  return name.starts_with("qwen") ? ToolFormat::kHermes : ToolFormat::kLlama3;
}

bool ChatTemplate::opens_thinking(Messages, const RenderOptions& options) const {
  return options.add_generation_prompt && (kind_ == Kind::kR1 || kind_ == Kind::kDistill);
}

Result<std::string> ChatTemplate::render(std::span<const ChatMessage> messages,
                                         const RenderOptions& options) const {
  if (messages.empty())
    return Failure{{.what = "there is no message to answer", .mend = "give at least one"}};
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string& role = messages[i].role;
    if (role == "system" || role == "user" || role == "assistant") continue;
    const std::string what =
        role == "tool" ? "tool messages are not supported" : "unknown role " + printable(role);
    return Failure{{.what = what,
                    .where = "message " + std::to_string(i),
                    .mend = "use system, user or assistant"}};
  }
  const bool prompt = options.add_generation_prompt;
  switch (kind_) {
    case Kind::kR1:
      return render_deepseek(messages, prompt, {true, true, false});
    case Kind::kR1First:
      return render_deepseek(messages, prompt, {true, false, false});
    case Kind::kR10528:
      return render_deepseek(messages, prompt, {true, false, true});
    case Kind::kDistill:
      return render_deepseek(messages, prompt, {false, true, false});
    case Kind::kDistillFirst:
      return render_deepseek(messages, prompt, {false, false, false});
    case Kind::kQwen25:
      return render_qwen25(messages, prompt);
    case Kind::kQwen3:
      return render_qwen3(messages, options);
    case Kind::kLlama3:
      return render_llama3(messages, prompt, true);
    case Kind::kLlama30:
      return render_llama3(messages, prompt, false);
  }
  PONDER_CHECK(false);
}

}  // namespace ponder
