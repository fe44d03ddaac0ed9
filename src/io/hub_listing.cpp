#include "io/hub_listing.hpp"

#include <algorithm>
#include <map>

#include "io/json.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kLongestName = 96;
constexpr size_t kLongestPath = 1024;
constexpr uint64_t kLargestFile = uint64_t{1} << 46;  // 64 TiB
constexpr size_t kMostListed = 20;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_word(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_'; }

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += lower(c);
  return out;
}

bool plain_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && text.front() != '.' &&
         text.find("..") == text.npos && std::all_of(text.begin(), text.end(), [](char c) {
           return is_word(c) || c == '-' || c == '.';
         });
}

// A relative path that stays in its folder and that a terminal can show.
bool safe_path(std::string_view path) {
  if (path.empty() || path.size() > kLongestPath) return false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const auto part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  for (size_t i = 0; i < path.size();) {
    const size_t length = utf8_length(path.substr(i));
    if (length == 0 || static_cast<unsigned char>(path[i]) < 0x20 || path[i] == 0x7F ||
        path[i] == '\\') {
      return false;
    }
    i += length;
  }
  return true;
}

Failure choice_failure(const PullName& name, std::string what, std::string mend) {
  return Failure{{.what = std::move(what), .where = name.text(), .mend = std::move(mend)}};
}

Failure listing_failure(std::string_view where, std::string what) {
  return Failure{{.what = std::move(what),
                  .where = std::string(where),
                  .mend = "check the address of the hub"}};
}

// "NAME" of "NAME-00001-of-00003.gguf" and of "NAME.gguf": what the splits of one model share.
std::string_view stem(std::string_view file) {
  file.remove_suffix(std::string_view(".gguf").size());
  static constexpr std::string_view kPattern = "-00001-of-00003";
  if (file.size() <= kPattern.size()) return file;
  const auto tail = file.substr(file.size() - kPattern.size());
  for (size_t i = 0; i < kPattern.size(); ++i) {
    if (is_digit(kPattern[i]) ? !is_digit(tail[i]) : kPattern[i] != tail[i]) return file;
  }
  return file.substr(0, file.size() - kPattern.size());
}

// Whether `word` stands in `path` with no letter, digit or '_' beside it, whatever the case.
bool has_word(std::string_view path, std::string_view word) {
  const std::string text = lower(path);
  const std::string wanted = lower(word);
  for (size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1)) {
    const size_t end = at + wanted.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) {
      return true;
    }
  }
  return false;
}

using Models = std::map<std::string, std::vector<HubFile>, std::less<>>;  // by stem

std::string list(const Models& models) {
  std::string text;
  size_t listed = 0;
  for (const auto& [name, files] : models) {
    if (listed++ == kMostListed) return text + " …";
    if (!text.empty()) text += ", ";
    text += files.front().name;
  }
  return text;
}

Result<HubChoice> choose_gguf(const PullName& name, const Models& models) {
  Models matching;
  for (const auto& [key, files] : models) {
    const bool named = std::any_of(files.begin(), files.end(),
                                   [&](const auto& file) { return file.name == name.choice; });
    if (named) {
      matching = {{key, files}};
      break;
    }
    if (name.choice.empty() || has_word(key, name.choice)) matching.emplace(key, files);
  }
  if (matching.empty()) {
    return choice_failure(name, "no .gguf file fits " + printable(name.choice),
                          "there are: " + list(models));
  }
  if (matching.size() > 1) {
    return choice_failure(
        name, "several .gguf files to choose from: " + list(matching),
        "name one, such as " + name.text() + ":" + matching.begin()->second.front().name);
  }
  auto files = matching.begin()->second;
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  std::string load = files.front().name;
  return HubChoice{std::move(files), std::move(load)};
}

// Beside the tensors, what the loader, the tokenizer and the chat template read.
bool wanted_with_safetensors(std::string_view name) {
  if (name.find('/') != name.npos) return false;
  return (name.starts_with("model") && name.ends_with(".safetensors")) ||
         name.starts_with("tokenizer") || name == "model.safetensors.index.json" ||
         name == "config.json" || name == "generation_config.json" || name == "chat_template.jinja";
}

}  // namespace

Result<PullName> PullName::parse(std::string_view text) {
  const auto colon = text.find(':');
  const auto repository = text.substr(0, colon);
  const auto slash = repository.find('/');
  PullName name;
  name.owner = repository.substr(0, slash);
  if (slash != repository.npos) name.repository = repository.substr(slash + 1);
  if (colon != text.npos) name.choice = text.substr(colon + 1);
  const bool good_choice = colon == text.npos || safe_path(name.choice);
  if (!plain_name(name.owner) || !plain_name(name.repository) || !good_choice) {
    return Failure{{.what = "not the name of a model",
                    .where = printable(text),
                    .mend = "give OWNER/REPO, OWNER/REPO:FILE.gguf or OWNER/REPO:Q4_K_M"}};
  }
  return name;
}

Result<std::vector<HubFile>> parse_listing(std::string_view model, std::string_view tree,
                                           std::string_view where) {
  const Json listing = PONDER_TRY(parse_json(model, where));
  const Json* siblings = find_field(listing, "siblings");
  if (siblings == nullptr || !siblings->is_array()) {
    return listing_failure(where, "the answer has no list of files (siblings)");
  }
  std::map<std::string, HubFile> files;
  for (const auto& sibling : *siblings) {
    std::string name = PONDER_TRY(text_field(sibling, "rfilename", where));
    if (!safe_path(name)) {
      return listing_failure(where, "the hub lists a file with an unsafe name: " + printable(name));
    }
    files[name].name = name;
  }
  const Json facts = tree.empty() ? Json::array() : PONDER_TRY(parse_json(tree, where));
  for (const auto& fact : facts) {
    const auto path = PONDER_TRY(text_field_or(fact, "path", where, ""));
    const auto file = files.find(path);
    if (file == files.end()) continue;
    const auto size = PONDER_TRY(
        integer_field_or(fact, "size", where, -1, {-1, static_cast<int64_t>(kLargestFile)}));
    if (size >= 0) file->second.size = static_cast<uint64_t>(size);
    if (const Json* lfs = find_field(fact, "lfs")) {
      const auto oid = PONDER_TRY(text_field_or(*lfs, "oid", where, ""));
      file->second.sha256 = sha256_from(oid).value_or("");
    }
  }
  std::vector<HubFile> result;
  for (auto& [name, file] : files) result.push_back(std::move(file));
  return result;
}

Result<HubChoice> choose_files(const PullName& name, const std::vector<HubFile>& files) {
  HubChoice choice;
  Models models;
  bool has_tensors = false;
  for (const auto& file : files) {
    if (file.name.ends_with(".gguf")) models[std::string(stem(file.name))].push_back(file);
    if (!wanted_with_safetensors(file.name)) continue;
    has_tensors = has_tensors || file.name.ends_with(".safetensors");
    choice.files.push_back(file);
  }
  if (name.choice.empty() && has_tensors) return choice;
  if (!models.empty()) return choose_gguf(name, models);
  return choice_failure(name,
                        has_tensors ? "no .gguf files to choose from"
                                    : "neither safetensors nor .gguf files in this repository",
                        has_tensors ? "leave out what is behind the colon" : "name another one");
}

std::optional<std::string> sha256_from(std::string_view text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  if (text.starts_with("sha256:")) text.remove_prefix(7);
  if (text.size() != 64) return std::nullopt;
  std::string hex = lower(text);
  for (const char c : hex) {
    if (!is_digit(c) && !(c >= 'a' && c <= 'f')) return std::nullopt;
  }
  return hex;
}

}  // namespace ponder
