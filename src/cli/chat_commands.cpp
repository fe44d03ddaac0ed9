// The commands of `ponder chat`.
#include <algorithm>

#include "base/env.hpp"
#include "cli/chat.hpp"
#include "cli/format_text.hpp"
#include "cli/terminal.hpp"

namespace ponder {

struct Chat::Command {
  std::string_view name, argument, help;
  Result<bool> (Chat::*run)(std::string_view rest);
};

const Chat::Command Chat::kCommands[] = {
    {"/help", "", "this list", &Chat::help},
    {"/?", "", "", &Chat::help},
    {"/clear", "", "forget the conversation, keep the system message", &Chat::clear},
    {"/system", "[TEXT]", "set the system message (\"\" for none), or show it", &Chat::system},
    {"/set", "[NAME VALUE]", "change a setting, or show them all", &Chat::set},
    {"/save", "FILE", "write the conversation to a file", &Chat::save},
    {"/load", "FILE", "go on with a conversation from a file", &Chat::load},
    {"/regen", "", "answer the last message anew", &Chat::regen},
    {"/exit", "", "leave, like Ctrl-D", &Chat::leave},
    {"/bye", "", "", &Chat::leave},
    {"/quit", "", "", &Chat::leave},
};

namespace {

constexpr std::string_view kSpace = " \t";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// The first word, and what follows it.
std::pair<std::string_view, std::string_view> split_word(std::string_view text) {
  const size_t end = std::min(text.find_first_of(kSpace), text.size());
  return {text.substr(0, end), trimmed(text.substr(end))};
}

// A file name as typed: ~/ is the home folder.
std::filesystem::path file_name(std::string_view text) {
  if (const auto home = environment("HOME"); home && text.starts_with("~/"))
    return std::filesystem::path(*home) / text.substr(2);
  return text;
}

Result<bool> parse_switch(std::string_view text, std::string_view name) {
  if (text == "on") return true;
  if (text == "off") return false;
  return Failure{{.what = "must be on or off", .where = std::string(name)}};
}

struct Switch {
  const char* name;
  bool ChatSettings::*member;
};
constexpr Switch kSwitches[] = {{"think", &ChatSettings::think},
                                {"show-thinking", &ChatSettings::show_thinking},
                                {"stats", &ChatSettings::stats}};

std::string setting_names() {
  std::string names;
  for (const std::string& name : sampling_names()) names += name + ", ";
  names += "\n  max-tokens";
  for (const Switch& item : kSwitches) names += std::string(", ") + item.name;
  return names;
}

Result<void> change(ChatSettings& settings, std::string_view name, std::string_view value) {
  if (name == "max-tokens") {
    settings.max_tokens = PONDER_TRY(parse_integer(value, 1, 16'777'216, "max-tokens"));
    return {};
  }
  for (const Switch& item : kSwitches) {
    if (name != item.name) continue;
    settings.*item.member = PONDER_TRY(parse_switch(value, name));
    return {};
  }
  const auto known = sampling_names();
  if (std::find(known.begin(), known.end(), name) == known.end())
    return Failure{{.what = "unknown setting",
                    .where = "/set " + std::string(name),
                    .mend = "/help lists the settings"}};
  return set_sampling(settings.sampling, name, value);
}

}  // namespace

Result<bool> Chat::command(std::string_view line) {
  const auto [name, rest] = split_word(line);
  for (const Command& command : kCommands) {
    if (name != command.name) continue;
    if (command.argument.empty() && !rest.empty())
      return Failure{{.what = "takes no argument", .where = std::string(name)}};
    return (this->*command.run)(rest);
  }
  return Failure{{.what = "unknown command",
                  .where = std::string(name),
                  .mend = "/help lists them; a space in front makes it a message"}};
}

Result<bool> Chat::help(std::string_view) {
  std::string text;
  for (const Command& command : kCommands) {
    if (command.help.empty()) continue;
    std::string usage = std::string(command.name) + " " + std::string(command.argument);
    usage.resize(std::max<size_t>(usage.size() + 1, 22), ' ');
    text += "  " + usage + std::string(command.help) + "\n";
  }
  text +=
      "\n  Settings: " + setting_names() + ".\n" +
      "  Messages of several lines: between \"\"\" and \"\"\", or with \\ at the end of a line.\n"
      "  Ctrl-C stops an answer, Ctrl-D leaves.\n";
  PONDER_TRY(print(text));
  return true;
}

Result<bool> Chat::clear(std::string_view) {
  conversation_.messages.clear();
  return true;
}

Result<bool> Chat::system(std::string_view rest) {
  if (!rest.empty()) {
    conversation_.system = rest == "\"\"" ? "" : std::string(rest);
    return true;
  }
  const std::string& text = conversation_.system;
  PONDER_TRY(print((text.empty() ? "(no system message)" : terminal_safe(text)) + "\n"));
  return true;
}

Result<bool> Chat::set(std::string_view rest) {
  const auto [name, value] = split_word(rest);
  if (!name.empty()) {
    if (value.empty())
      return Failure{{.what = "the value is missing", .where = "/set " + std::string(name)}};
    PONDER_TRY(change(settings_, name, value));
    return true;
  }
  std::string text = answerer_->sampling(settings_);
  text += "\nmax-tokens " +
          (settings_.max_tokens ? std::to_string(*settings_.max_tokens) : "as the context allows");
  for (const Switch& item : kSwitches)
    text += std::string(", ") + item.name + (settings_.*item.member ? " on" : " off");
  PONDER_TRY(print(text + "\n"));
  return true;
}

Result<bool> Chat::save(std::string_view rest) {
  if (rest.empty()) return Failure{{.what = "the file's name is missing", .where = "/save"}};
  PONDER_TRY(save_conversation(conversation_, file_name(rest)));
  return true;
}

Result<bool> Chat::load(std::string_view rest) {
  if (rest.empty()) return Failure{{.what = "the file's name is missing", .where = "/load"}};
  conversation_ = PONDER_TRY(load_conversation(file_name(rest)));
  PONDER_TRY(print(std::to_string(conversation_.messages.size()) + " messages\n"));
  return true;
}

Result<bool> Chat::regen(std::string_view) {
  PONDER_TRY(regenerate());
  return true;
}

Result<bool> Chat::leave(std::string_view) { return false; }

}  // namespace ponder
