// Chat templates, rendered by our own code. A template found in a model file is recognised, never
// executed: Jinja from a stranger is a program.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ponder {

struct ChatMessage {
  std::string role;  // "system", "user" or "assistant"
  std::string content;
  std::string reasoning = {};  // of an assistant, if kept apart from the content
};

struct RenderOptions {
  bool add_generation_prompt = true;
  bool enable_thinking = true;  // qwen3 only: false prefills an empty block of thinking
};

class ChatTemplate {
 public:
  // The known template that this Jinja source is. `where` names its file for the error, which tells
  // to choose with `--template NAME`.
  static Result<ChatTemplate> recognise(std::string_view jinja_source, const std::string& where);
  static Result<ChatTemplate> by_name(std::string_view name);
  static std::vector<std::string> names();

  std::string name() const;
  // Whether the model thinks between <think> and </think> before it answers.
  bool reasons() const;
  // Whether the rendered prompt ends inside <think>, so that the answer begins with thoughts.
  bool opens_thinking(const RenderOptions& options) const;

  // The prompt, beginning-of-sequence token included: encode with add_bos = false. Fails on a role
  // that the template does not know and on tool messages, which are not rendered.
  Result<std::string> render(std::span<const ChatMessage> messages,
                             const RenderOptions& options = {}) const;

 private:
  enum class Kind : int;
  struct Entry;
  static std::span<const Entry> entries();
  static std::string choose_one();  // the mend of errors
  const Entry& entry() const;

  explicit ChatTemplate(Kind kind) : kind_(kind) {}
  Kind kind_;
};

}  // namespace ponder
