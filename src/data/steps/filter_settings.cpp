#include "data/steps/filter_settings.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/io/document.hpp"
#include "data/steps/filter_step.hpp"
#include "data/steps/toml_tables.hpp"
#include "io/printable.hpp"

namespace ponder {

Result<Filters> parse_filters(std::string_view text, const std::string& where) {
  return filters_of_table(PONDER_TRY(parse_toml(text, where)), where);
}

Result<Filters> filters_of_table(const toml::table& table, const std::string& where) {
  Filters filters;
  if (const auto* preset = table.get("preset")) {
    const auto name = preset->value<std::string>();
    if (!name) return Failure{{.what = "preset is no text", .where = toml_place(*preset, where)}};
    filters = PONDER_TRY(preset_filters(*name));
  }
  std::vector<std::pair<int, const toml::table*>> order;  // toml++ sorts by name, we by line
  std::vector<std::string_view> names;
  for (const auto& [key, node] : table) {
    if (!node.is_table()) continue;
    order.emplace_back(static_cast<int>(node.source().begin.line), node.as_table());
    names.push_back(key.str());
  }
  std::vector<size_t> sorted(order.size());
  for (size_t i = 0; i < sorted.size(); ++i) sorted[i] = i;
  std::sort(sorted.begin(), sorted.end(),
            [&](size_t a, size_t b) { return order[a].first < order[b].first; });
  for (const size_t i : sorted) {
    const std::string name(names[i]);
    const auto known = std::find_if(filters.begin(), filters.end(),
                                    [&](const auto& filter) { return filter->name() == name; });
    if (known == filters.end()) {
      auto filter = make_filter(name);
      if (filter == nullptr) {
        std::string all;
        for (const std::string_view other : filter_names()) all += " " + std::string(other);
        return Failure{{.what = printable(name) + " is no filter",
                        .where = toml_place(*order[i].second, where),
                        .mend = "there are" + all}};
      }
      filters.push_back(std::move(filter));
    }
    for (const auto& [key, node] : *order[i].second) {
      const std::string value = PONDER_TRY(toml_words(node, where));
      const auto set = set_filter_option(filters, name + "." + std::string(key.str()), value);
      if (!set.ok()) {
        Error error = set.error();
        error.where = toml_place(node, where);
        return Failure{std::move(error)};
      }
    }
  }
  return filters;
}

Result<std::string> toml_words(const toml::node& node, const std::string& where) {
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return json_number(number->get());
  if (const auto* truth = node.as_boolean()) return std::string(truth->get() ? "1" : "0");
  if (const auto* word = node.as_string()) return word->get();
  std::string words;
  if (const auto* array = node.as_array()) {
    for (const toml::node& item : *array) {
      const auto word = item.value<std::string>();
      if (!word)
        return Failure{{.what = "a list may hold texts only", .where = toml_place(item, where)}};
      if (word->find(kListSeparator) != word->npos)
        return Failure{{.what = "a text holds a character that is not allowed here",
                        .where = toml_place(item, where)}};
      words += *word + kListSeparator;
    }
    return words.empty() ? std::string(1, kListSeparator) : words;
  }
  return Failure{
      {.what = "this is neither number, text nor list", .where = toml_place(node, where)}};
}

std::string filters_as_toml(const Filters& filters) {
  std::string out;
  for (const auto& filter : filters) {
    out += (out.empty() ? "[" : "\n[") + std::string(filter->name()) + "]\n";
    const auto line = [&](const std::string& setting, std::string_view help) {
      out += setting + std::string(setting.size() < 30 ? 30 - setting.size() : 1, ' ') + "# " +
             std::string(help) + "\n";
    };
    for (const NumberOption& option : filter->numbers())
      line(std::string(option.name) + " = " +
               (std::isnan(option.value) ? "\"off\"" : json_number(option.value)),
           option.help);
    for (const ListOption& option : filter->lists()) {
      std::string words;
      for (const std::string& word : option.values)
        words += (words.empty() ? "" : ", ") + json_string(word);
      line(std::string(option.name) + " = [" + words + "]", option.help);
    }
  }
  return out;
}

}  // namespace ponder
