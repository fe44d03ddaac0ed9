// Chat templates, rendered by our own code. A template found in a model file is recognised, never
// executed: Jinja from a stranger is a program.
//
// Tools: Qwen and Llama 3.1 templates say how functions are told to the model, and this is what is
// written. The templates of DeepSeek-R1, its distilled models and Llama 3.0 render calls and their
// results but know no list of functions: they get one behind the system message, in our words and
// with the form of calls that the template has. Other additions to the originals, all where they
// would fail or lose something: several calls at once with Llama 3, calls beside content with the
// distilled models, thoughts that are switched off for DeepSeek-R1 (an empty block is prefilled).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/json.hpp"
#include "text/tool_format.hpp"

namespace ponder {

// A call of a function that an assistant made.
struct ToolCall {
  std::string id = {};
  std::string name;
  std::string arguments = {};  // JSON text of an object, as the model wrote it; empty: {}
};

// A function that the model may call.
struct Tool {
  std::string name;
  std::string description = {};
  OrderedJson parameters = {};  // a JSON schema
  // What templates show, keys in the order of the request:
  // {"type": "function", "function": {"name": …, "description": …, "parameters": …}}
  OrderedJson whole = {};
};

struct ChatMessage {
  std::string role;  // "system", "user", "assistant" or "tool"
  std::string content;
  std::string reasoning = {};             // of an assistant, if kept apart from the content
  std::vector<ToolCall> tool_calls = {};  // of an assistant
  std::string tool_call_id = {};          // of a tool's result: the call that it answers
  std::string name = {};                  // the same: the function. No template shows either
};

struct RenderOptions {
  bool add_generation_prompt = true;
  // False: an empty block of thinking is prefilled, if the model thinks at all.
  bool enable_thinking = true;
  std::span<const Tool> tools = {};
  // The last message, an assistant's without calls, is left open for the model to go on with;
  // nothing is prompted for. If it has thoughts and no content, the thoughts go on.
  bool continue_final_message = false;
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
  // How the model writes its calls, for AnswerParser.
  ToolFormat tool_format() const;
  // Whether the prompt that render() gives ends inside <think>, so that the answer begins with
  // thoughts.
  bool opens_thinking(std::span<const ChatMessage> messages,
                      const RenderOptions& options = {}) const;

  // The prompt, beginning-of-sequence token included: encode with add_bos = false. Fails on a role
  // that the template does not know, and where a message cannot be continued.
  Result<std::string> render(std::span<const ChatMessage> messages,
                             const RenderOptions& options = {}) const;

 private:
  enum class Kind : int;
  struct Entry;
  static std::span<const Entry> entries();
  static std::string choose_one();  // the mend of errors
  const Entry& entry() const;
  Result<std::string> render_closed(std::span<const ChatMessage> messages,
                                    const RenderOptions& options) const;
  Result<std::string> render_open(std::span<const ChatMessage> messages,
                                  RenderOptions options) const;

  explicit ChatTemplate(Kind kind) : kind_(kind) {}
  Kind kind_;
};

}  // namespace ponder
