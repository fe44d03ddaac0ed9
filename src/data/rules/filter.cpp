#include "data/rules/filter.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "data/rules/filters.hpp"
#include "io/printable.hpp"

namespace ponder {
namespace {

struct Maker {
  std::string_view name;
  std::unique_ptr<TextFilter> (*make)();
};

constexpr Maker kMakers[] = {{"gopher_quality", make_gopher_quality},
                             {"gopher_repetition", make_gopher_repetition},
                             {"c4_quality", make_c4_quality},
                             {"c4_paragraphs", make_c4_paragraphs},
                             {"fineweb_quality", make_fineweb_quality},
                             {"language", make_language},
                             {"url", make_url},
                             {"pii", make_pii},
                             {"thoughts", make_thoughts},
                             {"answer", make_answer},
                             {"expression", make_expression}};

struct Preset {
  std::string_view name;
  std::vector<std::string_view> filters;
  std::vector<std::pair<std::string_view, std::string_view>> options;
};

// The order of FineWeb's filters is that of its published pipeline. The paper and datatrove differ
// in one number: the share of characters in duplicate lines may be 0.1 or 0.01.
const std::vector<Preset>& presets() {
  static const std::vector<Preset> list = {
      {"gopher", {"gopher_quality", "gopher_repetition"}, {}},
      {"c4", {"c4_quality"}, {}},
      {"mc4", {"c4_paragraphs"}, {}},
      {"fineweb-paper",
       {"gopher_repetition", "gopher_quality", "c4_quality", "fineweb_quality"},
       {{"c4_quality.terminal_punctuation", "0"}, {"fineweb_quality.char_dup_ratio", "0.1"}}},
      {"fineweb-datatrove",
       {"gopher_repetition", "gopher_quality", "c4_quality", "fineweb_quality"},
       {{"c4_quality.terminal_punctuation", "0"}}},
      {"pii", {"pii"}, {}},
      {"thoughts", {"thoughts"}, {}},
      {"r1-samples", {"answer", "thoughts"}, {}}};
  return list;
}

template <typename Names>
std::string joined(const Names& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

Result<double> parse_option(std::string_view text, const std::string& where) {
  if (text == "off") return std::numeric_limits<double>::quiet_NaN();
  if (text == "true") return 1.0;
  if (text == "false") return 0.0;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return Failure{{.what = printable(text) + " is no number", .where = where}};
  return value;
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> items;
  // A recipe ends each text with a separator, since a text may hold commas.
  const char separator = text.find('\x1f') != text.npos ? '\x1f' : ',';
  while (!text.empty()) {
    const size_t comma = std::min(text.find(separator), text.size());
    if (comma > 0) items.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

}  // namespace

bool Measures::take(const TextFilter& filter, int rule, double value) {
  const FilterRule& tested = filter.rules()[static_cast<size_t>(rule)];
  values_[static_cast<size_t>(rule)] = value;
  const double threshold = filter.number(tested.threshold);
  // False for NaN on either side: the rule is off, or there was nothing to measure.
  const bool fails = tested.fails == FilterRule::kBelow ? value < threshold : value > threshold;
  if (fails && failed_ < 0) failed_ = rule;
  return failed_ >= 0 && !all_;
}

void replace_text(Document& document, FilterScratch& scratch, std::string text) {
  if (text != document.text) document.text_changed = true;
  document.text = std::move(text);
  scratch.features.look_at(document.text);
}

std::unique_ptr<TextFilter> make_filter(std::string_view name) {
  for (const Maker& maker : kMakers)
    if (maker.name == name) return maker.make();
  return nullptr;
}

std::vector<std::string_view> filter_names() {
  std::vector<std::string_view> names;
  for (const Maker& maker : kMakers) names.push_back(maker.name);
  return names;
}

Result<std::vector<std::unique_ptr<TextFilter>>> preset_filters(std::string_view name) {
  for (const Preset& preset : presets()) {
    if (preset.name != name) continue;
    std::vector<std::unique_ptr<TextFilter>> filters;
    for (const std::string_view filter : preset.filters) filters.push_back(make_filter(filter));
    for (const auto& [key, value] : preset.options)
      PONDER_TRY(set_filter_option(filters, key, value));
    return filters;
  }
  return Failure{{.what = printable(name) + " is no preset",
                  .where = "preset",
                  .mend = "there are " + joined(preset_names())}};
}

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names;
  for (const Preset& preset : presets()) names.push_back(preset.name);
  return names;
}

Result<void> set_filter_option(std::span<const std::unique_ptr<TextFilter>> filters,
                               std::string_view key, std::string_view value) {
  const size_t dot = key.find('.');
  const std::string_view option = dot == key.npos ? "" : key.substr(dot + 1);
  std::vector<std::string_view> known;
  for (const auto& filter : filters) {
    if (filter->name() != key.substr(0, dot)) {
      known.push_back(filter->name());
      continue;
    }
    known.clear();
    for (NumberOption& number : filter->numbers()) {
      known.push_back(number.name);
      if (number.name != option) continue;
      number.value = PONDER_TRY(parse_option(value, std::string(key)));
      return {};
    }
    for (ListOption& list : filter->lists()) {
      known.push_back(list.name);
      if (list.name != option) continue;
      list.values = parse_list(value);
      return {};
    }
    break;
  }
  return Failure{{.what = "there is no option " + printable(key),
                  .where = "filter",
                  .mend = "there are " + joined(known)}};
}

}  // namespace ponder
