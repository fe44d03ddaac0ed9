#include "text/chat_template.hpp"

#include <algorithm>

#include "base/macros.hpp"
#include "io/printable.hpp"
#include "text/template_families.hpp"
#include "text/template_outline.hpp"

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

using Messages = std::span<const ChatMessage>;

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
      joined({R"('<|im_start|>system\n)", template_text::kQwenSystem, R"(<|im_end|>\n')"});
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

namespace {

// Whether an assistant's last message, which is to be continued, ends in its thoughts.
bool ends_in_thoughts(const ChatMessage& message) {
  const std::string& content = message.content;
  if (content.empty()) return !message.reasoning.empty();
  const size_t open = content.rfind("<think>"), close = content.rfind("</think>");
  return open != std::string::npos && (close == std::string::npos || close < open);
}

Result<void> check(Messages messages, const RenderOptions& options) {
  if (messages.empty())
    return Failure{{.what = "there is no message to answer", .mend = "give at least one"}};
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string& role = messages[i].role;
    if (role == "system" || role == "user" || role == "assistant" || role == "tool") continue;
    return Failure{{.what = "unknown role " + printable(role),
                    .where = "message " + std::to_string(i),
                    .mend = "use system, user, assistant or tool"}};
  }
  const ChatMessage& last = messages.back();
  if (options.continue_final_message && (last.role != "assistant" || !last.tool_calls.empty()))
    return Failure{{.what = "only an assistant's message without calls can be continued",
                    .where = "message " + std::to_string(messages.size() - 1)}};
  return {};
}

}  // namespace

bool ChatTemplate::opens_thinking(Messages messages, const RenderOptions& options) const {
  if (messages.empty()) return false;
  if (options.continue_final_message) return ends_in_thoughts(messages.back());
  if (!options.add_generation_prompt || !options.enable_thinking) return false;
  if (kind_ != Kind::kR1 && kind_ != Kind::kDistill) return false;
  // Behind a tool's result the answer comes without a prompt.
  const auto last = std::find_if(messages.rbegin(), messages.rend(),
                                 [](const auto& message) { return message.role != "system"; });
  return last == messages.rend() || last->role != "tool";
}

Result<std::string> ChatTemplate::render(Messages messages, const RenderOptions& options) const {
  PONDER_TRY(check(messages, options));
  if (options.continue_final_message) return render_open(messages, options);
  return render_closed(messages, options);
}

// The last turn without its end.
Result<std::string> ChatTemplate::render_open(Messages messages, RenderOptions options) const {
  std::vector<ChatMessage> changed(messages.begin(), messages.end());
  ChatMessage& last = changed.back();
  if (last.content.empty() && !last.reasoning.empty())
    last.content = "<think>\n" + std::exchange(last.reasoning, "");
  options.add_generation_prompt = false;
  std::string text = PONDER_TRY(render_closed(changed, options));
  for (const std::string_view end :
       {template_text::kDeepseekEnd, template_text::kChatmlEnd, template_text::kLlamaEnd}) {
    if (!text.ends_with(end)) continue;
    text.resize(text.size() - end.size());
    break;
  }
  return text;
}

Result<std::string> ChatTemplate::render_closed(Messages messages,
                                                const RenderOptions& options) const {
  switch (kind_) {
    case Kind::kR1:
      return render_deepseek(messages, options, {.join_system = true, .prefill_think = true});
    case Kind::kR1First:
      return render_deepseek(messages, options, {.join_system = true});
    case Kind::kR10528:
      return render_deepseek(messages, options, {.join_system = true, .marks_with_user = true});
    case Kind::kDistill:
      return render_deepseek(messages, options, {.prefill_think = true, .distill = true});
    case Kind::kDistillFirst:
      return render_deepseek(messages, options, {.distill = true});
    case Kind::kQwen25:
      return render_qwen25(messages, options);
    case Kind::kQwen3:
      return render_qwen3(messages, options);
    case Kind::kLlama3:
      return render_llama31(messages, options);
    case Kind::kLlama30:
      return render_llama30(messages, options);
  }
  PONDER_CHECK(false);
}

}  // namespace ponder
