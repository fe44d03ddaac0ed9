#include "train/recipe.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/file.hpp"
#include "io/printable.hpp"
#include "io/toml.hpp"

namespace ponder {

struct Recipe::State {
  toml::table root;
  std::string file;
  std::filesystem::path folder;
  std::set<std::string> sets;                // keys given with --set
  std::map<std::string, std::string> asked;  // every key that was asked for, and its value

  const toml::node* find(const std::string& key) const { return root.at_path(key).node(); }
};

namespace {

constexpr uint64_t kLargestRecipe = 1 << 20;
constexpr int64_t kLargestWhole = int64_t{1} << 53;  // what a double holds exactly

std::string number_text(double value) { return Json(value).dump(); }
std::string quoted_text(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_key(std::string_view key) {
  if (key.empty() || key.size() > 200 || key.front() == '.' || key.back() == '.') return false;
  if (key.find("..") != std::string_view::npos) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '[' || c == ']';
  });
}

// The table that a dotted key lies in, made where it is missing; nullptr if something else is
// there.
toml::table* table_of(toml::table& root, std::string_view key) {
  toml::table* table = &root;
  for (size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    const std::string part(key.substr(0, dot));
    key.remove_prefix(dot + 1);
    toml::node* next = table->at_path(part).node();
    if (next == nullptr && part.find('[') == std::string::npos)
      next = &table->insert_or_assign(part, toml::table()).first->second;
    if (next == nullptr || !next->is_table()) return nullptr;
    table = next->as_table();
  }
  return table;
}

Result<void> apply_set(toml::table& root, const std::string& set, std::string& key) {
  const size_t sign = set.find('=');
  key = set.substr(0, sign);
  const Failure wrong{{.what = printable(set) + " sets nothing",
                       .where = "--set",
                       .mend = "write it as in --set optimizer.rate=1e-4"}};
  if (sign == std::string::npos || !is_key(key)) return wrong;
  toml::table* table = table_of(root, key);
  if (table == nullptr) return wrong;
  const std::string name = key.substr(key.rfind('.') + 1);  // all of it if there is no dot
  const std::string value = set.substr(sign + 1);
  auto parsed = parse_toml("v = " + value + "\n", "--set");
  if (parsed.ok() && parsed.value().size() == 1 && parsed.value().contains("v"))
    table->insert_or_assign(name, std::move(*parsed.value().get("v")));
  else
    table->insert_or_assign(name, value);
  return {};
}

// How many letters two keys differ by (Levenshtein).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t corner = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = corner + (a[i] != b[j] ? 1 : 0);
      corner = row[j + 1];
      row[j + 1] = std::min({changed, corner + 1, row[j] + 1});
    }
  }
  return row.back();
}

// The first key below `node` that nobody asked for; empty if there is none.
std::string unread_key(const toml::node& node, const std::string& key,
                       const std::map<std::string, std::string>& asked) {
  if (!key.empty() && asked.contains(key)) return "";
  if (const auto* table = node.as_table()) {
    for (const auto& [name, child] : *table) {
      const std::string below = (key.empty() ? "" : key + ".") + std::string(name.str());
      if (std::string found = unread_key(child, below, asked); !found.empty()) return found;
    }
    return "";
  }
  const auto* array = node.as_array();
  if (array == nullptr || array->empty() || !(*array)[0].is_table()) return key;
  for (size_t i = 0; i < array->size(); ++i) {
    const std::string below = key + "[" + std::to_string(i) + "]";
    if (std::string found = unread_key((*array)[i], below, asked); !found.empty()) return found;
  }
  return "";
}

}  // namespace

Result<Recipe> Recipe::open(const std::filesystem::path& path, std::span<const std::string> sets) {
  const std::string text = PONDER_TRY(read_file(path, kLargestRecipe));
  Recipe recipe = PONDER_TRY(parse(text, path.string(), sets));
  recipe.state_->folder = path.parent_path();
  return recipe;
}

Result<Recipe> Recipe::parse(std::string_view text, const std::string& where,
                             std::span<const std::string> sets) {
  auto state = std::make_shared<State>();
  state->root = PONDER_TRY(parse_toml(text, where));
  state->file = where;
  for (const std::string& set : sets) {
    std::string key;
    PONDER_TRY(apply_set(state->root, set, key));
    state->sets.insert(key);
  }
  return Recipe(std::move(state), "");
}

bool Recipe::has(std::string_view key) const { return state_->find(full(key)) != nullptr; }

const std::filesystem::path& Recipe::folder() const { return state_->folder; }

std::string Recipe::where(std::string_view key) const {
  const std::string name = full(key);
  if (state_->sets.contains(name)) return "--set " + name;
  const toml::node* node = state_->find(name);
  if (node == nullptr || node->source().begin.line == 0) return state_->file + ": " + name;
  return toml_place(*node, state_->file) + ": " + name;
}

namespace {

Failure wrong_kind(const Recipe& recipe, std::string_view key, const std::string& kind) {
  return Failure{{.what = recipe.has(key) ? "must be " + kind : "is missing; it is " + kind,
                  .where = recipe.where(key)}};
}

std::string range_text(double least, double most) {
  if (least <= -1e300 && most >= 1e300) return "";
  if (most >= 1e300) return " of at least " + number_text(least);
  if (least <= -1e300) return " of at most " + number_text(most);
  return " from " + number_text(least) + " to " + number_text(most);
}

std::optional<double> number_of(const toml::node* node) {
  if (node == nullptr) return std::nullopt;
  if (const auto* whole = node->as_integer()) return static_cast<double>(whole->get());
  if (const auto* real = node->as_floating_point()) return real->get();
  return std::nullopt;
}

}  // namespace

Result<int64_t> Recipe::integer(std::string_view key, std::optional<int64_t> absent,
                                IntegerRange range) const {
  const toml::node* node = state_->find(full(key));
  const bool given = node != nullptr;
  int64_t value = given ? 0 : absent.value_or(0);
  bool fits = !given && absent.has_value();
  if (const auto* whole = given ? node->as_integer() : nullptr) {
    value = whole->get();
    fits = true;
  }
  if (const auto* real = given ? node->as_floating_point() : nullptr) {
    fits = std::abs(real->get()) <= static_cast<double>(kLargestWhole) &&
           std::floor(real->get()) == real->get();
    if (fits) value = static_cast<int64_t>(real->get());
  }
  state_->asked[full(key)] = fits ? std::to_string(value) : "";
  if (!fits || value < range.least || value > range.most) {
    const double least = range.least == INT64_MIN ? -1e300 : static_cast<double>(range.least);
    const double most = range.most == INT64_MAX ? 1e300 : static_cast<double>(range.most);
    return wrong_kind(*this, key, "a whole number" + range_text(least, most));
  }
  return value;
}

Result<double> Recipe::number(std::string_view key, std::optional<double> absent,
                              NumberRange range) const {
  const toml::node* node = state_->find(full(key));
  const std::optional<double> value = node == nullptr ? absent : number_of(node);
  state_->asked[full(key)] = value ? number_text(*value) : "";
  if (!value || !(*value >= range.least && *value <= range.most))
    return wrong_kind(*this, key, "a number" + range_text(range.least, range.most));
  return *value;
}

Result<bool> Recipe::flag(std::string_view key, bool absent) const {
  const toml::node* node = state_->find(full(key));
  const bool value = node != nullptr && node->is_boolean() ? node->as_boolean()->get() : absent;
  state_->asked[full(key)] = value ? "true" : "false";
  if (node != nullptr && !node->is_boolean()) return wrong_kind(*this, key, "true or false");
  return value;
}

Result<std::string> Recipe::text(std::string_view key, std::optional<std::string> absent) const {
  const toml::node* node = state_->find(full(key));
  std::optional<std::string> value = node == nullptr ? std::move(absent) : std::nullopt;
  if (node != nullptr && node->is_string()) value = node->as_string()->get();
  state_->asked[full(key)] = value ? quoted_text(*value) : "";
  if (!value) return wrong_kind(*this, key, "a text");
  return *std::move(value);
}

Result<std::string> Recipe::word(std::string_view key, std::optional<std::string> absent,
                                 std::span<const std::string_view> words) const {
  std::string value = PONDER_TRY(text(key, std::move(absent)));
  if (std::find(words.begin(), words.end(), value) != words.end()) return value;
  std::string list;
  for (const std::string_view word : words) list += (list.empty() ? "" : ", ") + std::string(word);
  return Failure{{.what = printable(value) + " is none of " + list, .where = where(key)}};
}

Result<std::vector<std::string>> Recipe::texts(std::string_view key) const {
  const toml::node* node = state_->find(full(key));
  std::vector<std::string> values;
  state_->asked[full(key)];
  if (node == nullptr) return values;
  if (const auto* single = node->as_string()) values.push_back(single->get());
  const auto* list = node->as_array();
  bool fits = !values.empty() || list != nullptr;
  if (list != nullptr)
    for (const toml::node& item : *list) {
      fits = fits && item.is_string();
      if (fits) values.push_back(item.as_string()->get());
    }
  if (!fits) return wrong_kind(*this, key, "a list of texts");
  state_->asked[full(key)] = Json(values).dump(-1, ' ', false, Json::error_handler_t::replace);
  return values;
}

Result<std::vector<double>> Recipe::numbers(std::string_view key, NumberRange range) const {
  const toml::node* node = state_->find(full(key));
  std::vector<double> values;
  state_->asked[full(key)];
  if (node == nullptr) return values;
  const auto* list = node->as_array();
  bool fits = list != nullptr;
  if (list != nullptr)
    for (const toml::node& item : *list) {
      const std::optional<double> value = number_of(&item);
      fits = fits && value && *value >= range.least && *value <= range.most;
      if (fits) values.push_back(*value);
    }
  if (!fits)
    return wrong_kind(*this, key, "a list of numbers" + range_text(range.least, range.most));
  state_->asked[full(key)] = Json(values).dump();
  return values;
}

namespace {

std::filesystem::path beside(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path path(name);
  return path.is_absolute() || name.empty() ? path : folder / path;
}

}  // namespace

Result<std::filesystem::path> Recipe::path(std::string_view key,
                                           std::optional<std::string> absent) const {
  return beside(state_->folder, PONDER_TRY(text(key, std::move(absent))));
}

Result<std::vector<std::filesystem::path>> Recipe::paths(std::string_view key) const {
  std::vector<std::filesystem::path> result;
  for (const std::string& name : PONDER_TRY(texts(key)))
    result.push_back(beside(state_->folder, name));
  return result;
}

Recipe Recipe::table(std::string_view key) const { return Recipe(state_, full(key) + "."); }

Result<std::vector<Recipe>> Recipe::tables(std::string_view key) const {
  std::vector<Recipe> result;
  const toml::node* node = state_->find(full(key));
  if (node == nullptr) return result;
  const auto* list = node->as_array();
  if (list == nullptr)
    return wrong_kind(*this, key, "a list of tables, as in [[" + full(key) + "]]");
  for (size_t i = 0; i < list->size(); ++i) {
    if (!(*list)[i].is_table()) return wrong_kind(*this, key, "a list of tables");
    result.push_back(Recipe(state_, full(key) + "[" + std::to_string(i) + "]."));
  }
  return result;
}

Result<void> Recipe::finish() const {
  const std::string unread = unread_key(state_->root, "", state_->asked);
  if (unread.empty()) return {};
  std::string nearest;
  size_t best = SIZE_MAX;
  for (const auto& [key, value] : state_->asked) {
    const size_t d = distance(unread, key);
    if (d < best) {
      best = d;
      nearest = key;
    }
  }
  const std::string mend = nearest.empty() ? "" : "the nearest is " + nearest;
  return Failure{
      {.what = "there is no such key", .where = Recipe(state_, "").where(unread), .mend = mend}};
}

std::string Recipe::resolved() const {
  std::string result;
  for (const auto& [key, value] : state_->asked)
    if (!value.empty()) result += key + " = " + value + "\n";
  return result;
}

}  // namespace ponder
