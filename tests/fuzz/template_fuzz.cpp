// Chat templates: any text as a Jinja source; what is recognised renders, and so does one template,
// chosen by the length of the input, with the input as messages.
#include "text/chat_template.hpp"

namespace {

using namespace ponder;

void render(const ChatTemplate& chat, std::string_view text) {
  const std::string half(text.substr(0, text.size() / 2)), rest(text.substr(text.size() / 2));
  const std::vector<ChatMessage> messages = {
      {"system", half},
      {"user", rest},
      {"assistant", half, rest},
      {"user", "x"},
      {.role = "assistant", .content = half, .tool_calls = {{"1", rest, half}, {"2", "f", rest}}},
      {.role = "tool", .content = half, .tool_call_id = "1"},
      {"assistant", rest}};
  const std::vector<Tool> tools = {{.name = rest, .whole = {{half, rest}, {"n", 0.1}}}};
  for (const bool flag : {false, true}) {
    const RenderOptions options{.add_generation_prompt = flag,
                                .enable_thinking = flag,
                                .tools = std::span(tools).first(flag ? 1 : 0),
                                .continue_final_message = half.size() % 2 != 0};
    const auto prompt = chat.render(messages, options);
    if (!prompt.ok() || prompt.value().empty()) __builtin_trap();
    chat.opens_thinking(messages, options);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto chat = ChatTemplate::recognise(input, "input");
  if (chat.ok()) render(chat.value(), input);
  static const std::vector<std::string> names = ChatTemplate::names();
  render(ChatTemplate::by_name(names[size % names.size()]).take_value(), input);
  return 0;
}
