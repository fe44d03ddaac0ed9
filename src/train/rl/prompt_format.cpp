#include "train/rl/prompt_format.hpp"

#include "text/unicode.hpp"

namespace ponder {
namespace {

constexpr std::string_view kPlaceholder = "{prompt}";

// For models that know no chat yet, after DeepSeek-R1 (2501.12948, table 1), in words of our own.
constexpr std::string_view kR1Zero =
    "The User asks a question, and the Assistant solves it. The Assistant first thinks about it "
    "and "
    "only then gives the answer. The thoughts stand in <think> </think> and the answer stands in "
    "<answer> </answer>, like this: <think> thoughts </think> <answer> answer </answer>. User: "
    "{prompt} Assistant:";

bool ends_in_thoughts(std::string_view text) { return stripped(text).ends_with("<think>"); }

}  // namespace

Result<PromptFormat> PromptFormat::create(const Tokenizer& tokenizer, std::string_view form,
                                          std::string_view system, const std::string& where) {
  PromptFormat format(tokenizer);
  format.system_ = system;
  if (form == "r1-zero") form = kR1Zero;
  const size_t place = form.find(kPlaceholder);
  if (place != std::string_view::npos) {
    if (!system.empty())
      return Failure{{.what = "a system message needs a chat template",
                      .where = where,
                      .mend = "write it into the text, or use prompt = \"chat\""}};
    format.before_ = form.substr(0, place);
    format.after_ = form.substr(place + kPlaceholder.size());
    return format;
  }
  if (form != "chat") {
    format.chat_ = PONDER_TRY(ChatTemplate::by_name(form));
    return format;
  }
  if (tokenizer.chat_template().empty())
    return Failure{{.what = "the model has no chat template",
                    .where = where,
                    .mend = "name one, or give a text with {prompt} in it"}};
  format.chat_ = PONDER_TRY(ChatTemplate::recognise(tokenizer.chat_template(), where));
  return format;
}

Result<FormattedPrompt> PromptFormat::format(std::string_view prompt,
                                             std::string_view begun) const {
  FormattedPrompt result;
  if (!chat_) {
    const std::string text = before_ + std::string(prompt) + after_;
    result.tokens = tokenizer_.encode(text);
    result.starts_inside = ends_in_thoughts(text);
  } else {
    std::vector<ChatMessage> messages;
    if (!system_.empty()) messages.push_back({.role = "system", .content = system_});
    messages.push_back({.role = "user", .content = std::string(prompt)});
    const std::string text = PONDER_TRY(chat_->render(messages));
    result.tokens = tokenizer_.encode(text, {.add_bos = false});
    result.starts_inside = chat_->opens_thinking(messages);
  }
  const std::vector<int32_t> more = tokenizer_.encode(begun, {.add_bos = false});
  result.tokens.insert(result.tokens.end(), more.begin(), more.end());
  return result;
}

}  // namespace ponder
