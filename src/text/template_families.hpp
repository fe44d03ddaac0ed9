// What the chat templates of each family write. Messages are never empty, their roles known.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "text/chat_template.hpp"

namespace ponder {

// What stands around the turns of a family; nothing of a message is in it.
namespace template_text {
inline constexpr std::string_view kQwenSystem =
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
inline constexpr std::string_view kNoThoughts = "<think>\n\n</think>\n\n";
inline constexpr std::string_view kDeepseekEnd = "<｜end▁of▁sentence｜>";
inline constexpr std::string_view kChatmlEnd = "<|im_end|>\n";
inline constexpr std::string_view kLlamaEnd = "<|eot_id|>";
}  // namespace template_text

std::string joined(std::initializer_list<std::string_view> parts);

struct DeepseekStyle {
  bool join_system = false;      // several system messages: all of them, else the last
  bool prefill_think = false;    // the prompt for an answer opens its thoughts
  bool marks_with_user = false;  // R1-0528: <｜Assistant｜> is written behind the user's text
  bool distill = false;          // the list of calls is closed behind each call but the first
};

std::string render_deepseek(std::span<const ChatMessage> messages, const RenderOptions& options,
                            DeepseekStyle style);
std::string render_qwen25(std::span<const ChatMessage> messages, const RenderOptions& options);
std::string render_qwen3(std::span<const ChatMessage> messages, const RenderOptions& options);
// Llama 3.1 to 3.3. Fails if there are tools and no message but the system's.
Result<std::string> render_llama31(std::span<const ChatMessage> messages,
                                   const RenderOptions& options);
std::string render_llama30(std::span<const ChatMessage> messages, const RenderOptions& options);

}  // namespace ponder
