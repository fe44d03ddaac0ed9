#include "eval/pricing.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "io/printable.hpp"
#include "io/toml.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLargestFile = 4 << 20;
constexpr double kHighest = 1e6;  // dollars per million tokens

struct PriceField {
  const char* name;
  double TokenPrice::*member;
  double TokenPrice::*other;  // holds where the field is absent; nullptr: it must be there
};
constexpr PriceField kFields[] = {
    {"input", &TokenPrice::input, nullptr},
    {"cached_input", &TokenPrice::cached_input, &TokenPrice::input},
    {"cache_write", &TokenPrice::cache_write, &TokenPrice::input},
    {"output", &TokenPrice::output, nullptr},
    {"reasoning", &TokenPrice::reasoning, &TokenPrice::output},
};

bool is_date(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '-' || (c >= '0' && c <= '9'); });
}

Result<TokenPrice> read_price(const toml::table& table, const std::string& where) {
  TokenPrice price;
  for (const PriceField& field : kFields) {
    const auto value = table[field.name].value<double>();
    if (!value && (field.other == nullptr || table.contains(field.name)))
      return Failure{{.what = std::string(field.name) + " must be a number", .where = where}};
    price.*field.member = value ? *value : price.*field.other;
    if (!(price.*field.member >= 0.0 && price.*field.member <= kHighest))
      return Failure{
          {.what = std::string(field.name) + " must be 0 to 1000000 dollars", .where = where}};
  }
  price.date = table["date"].value_or(std::string());
  if (const auto* date = table["date"].as_date()) {
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d", static_cast<int>(date->get().year),
                  static_cast<int>(date->get().month), static_cast<int>(date->get().day));
    price.date = text;
  }
  if (!is_date(price.date))
    return Failure{{.what = "date must be like \"2025-02-01\"",
                    .where = where,
                    .mend = "prices change: say when this one held"}};
  price.source = table["source"].value_or(std::string());
  return price;
}

}  // namespace

double token_cost(const TokenPrice& price, const TokenUsage& usage) {
  const int64_t cached = std::min(usage.cached, usage.input);
  const int64_t written = std::min(usage.cache_write, usage.input - cached);
  const int64_t thoughts = std::min(usage.reasoning, usage.output);
  const auto dollars = [](int64_t tokens, double per_million) {
    return static_cast<double>(tokens) * per_million;
  };
  return (dollars(usage.input - cached - written, price.input) +
          dollars(cached, price.cached_input) + dollars(written, price.cache_write) +
          dollars(usage.output - thoughts, price.output) + dollars(thoughts, price.reasoning)) /
         1e6;
}

double most_cost(const TokenPrice& price, int64_t prompt_bytes, int64_t max_tokens) {
  constexpr int64_t kTemplate = 512;  // tokens around a prompt; a token has at least one byte
  const double input = std::max({price.input, price.cached_input, price.cache_write});
  const double output = std::max(price.output, price.reasoning);
  return (static_cast<double>(prompt_bytes + kTemplate) * input +
          static_cast<double>(max_tokens) * output) /
         1e6;
}

Result<PriceTable> PriceTable::read(const std::filesystem::path& file) {
  return parse(PONDER_TRY(read_file(file, kLargestFile)), file.string());
}

Result<PriceTable> PriceTable::parse(const std::string& text, const std::string& where) {
  const toml::table parsed = PONDER_TRY(parse_toml(text, where));
  PriceTable table;
  const auto* list = parsed["price"].as_array();
  if (list == nullptr) return Failure{{.what = "has no [[price]]", .where = where}};
  for (const toml::node& node : *list) {
    const auto* entry = node.as_table();
    const std::string name = entry == nullptr ? "" : (*entry)["model"].value_or(std::string());
    if (name.empty()) return Failure{{.what = "a [[price]] names no model", .where = where}};
    table.entries_.push_back(
        {name, PONDER_TRY(read_price(*entry, where + ": " + printable(name)))});
  }
  return table;
}

const TokenPrice* PriceTable::find(const std::string& model) const {
  const TokenPrice* best = nullptr;
  for (const Entry& entry : entries_)
    if (entry.model == model && (best == nullptr || entry.price.date > best->date))
      best = &entry.price;
  return best;
}

}  // namespace ponder
