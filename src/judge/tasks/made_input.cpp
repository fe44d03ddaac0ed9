#include "judge/tasks/made_input.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace ponder {
namespace {

constexpr size_t kMostBytes = size_t{64} << 20;
constexpr size_t kMostColumns = 64;
constexpr int64_t kMostRows = int64_t{1} << 26;
constexpr int64_t kMostNumber = int64_t{1} << 62;
constexpr int64_t kMostStep = int64_t{1} << 34;  // times kMostRows stays within 64 bits

// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

struct Column {
  std::vector<std::string> texts;
  std::array<int64_t, 4> numbers{};  // low, high and their steps, if there are no texts
  bool chooses = true;
};

Result<Column> read_column(const Json& json, const std::string& where) {
  const Failure odd{
      {.what = "must be a text, a list of texts, or 2 or 4 whole numbers", .where = where}};
  Column column;
  if (json.is_string()) {
    column.texts.push_back(json.get<std::string>());
    column.chooses = false;
    return column;
  }
  if (!json.is_array() || json.empty()) return odd;
  if (json[0].is_string()) {
    for (const Json& text : json) {
      if (!text.is_string()) return odd;
      column.texts.push_back(text.get<std::string>());
    }
    return column;
  }
  if (json.size() != 2 && json.size() != 4) return odd;
  for (size_t i = 0; i < json.size(); ++i) {
    const int64_t most = i < 2 ? kMostNumber : kMostStep;
    if (!json[i].is_number_integer()) return odd;
    column.numbers[i] = json[i].get<int64_t>();
    if (column.numbers[i] < -most || column.numbers[i] > most) return odd;
  }
  return column;
}

// Adds the column's text in this row; false if it has none.
bool add_column(const Column& column, int64_t row, SplitMix64& draws, std::string& out) {
  if (!column.texts.empty()) {
    out += column.texts[column.chooses ? draws.next() % column.texts.size() : 0];
    return true;
  }
  const auto [low, high, low_step, high_step] = column.numbers;
  const __int128 least = __int128{low} + __int128{low_step} * row;
  const __int128 most = __int128{high} + __int128{high_step} * row;
  if (least > most || least < -kMostNumber || most > kMostNumber) return false;
  const auto choices = static_cast<uint64_t>(most - least) + 1;
  out += std::to_string(static_cast<int64_t>(least) + static_cast<int64_t>(draws.next() % choices));
  return true;
}

Result<void> add_rows(const Json& part, const std::string& where, std::string& out) {
  const int64_t count = PONDER_TRY(integer_field(part, "rows", where, {0, kMostRows}));
  const int64_t seed = PONDER_TRY(integer_field_or(part, "seed", where, 0, {0, INT64_MAX}));
  const std::string end = PONDER_TRY(text_field_or(part, "end", where, "\n"));
  const Json* list = find_field(part, "columns");
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > kMostColumns)
    return Failure{{.what = "must be a list of 1 to 64 columns", .where = where + ": columns"}};
  std::vector<Column> columns;
  for (const Json& column : *list)
    columns.push_back(PONDER_TRY(read_column(column, where + ": columns")));
  SplitMix64 draws(static_cast<uint64_t>(seed));
  for (int64_t row = 0; row < count; ++row) {
    const size_t before = out.size();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out += ' ';
      if (!add_column(columns[i], row, draws, out))
        return Failure{{.what = "column " + std::to_string(i + 1) + " has no number in row " +
                                std::to_string(row),
                        .where = where}};
      if (out.size() > kMostBytes) break;
    }
    out += end;
    if (out.size() > kMostBytes) return Failure{{.what = "is longer than 64 MiB", .where = where}};
    if (out.size() == before) break;  // empty rows, however many
  }
  return {};
}

}  // namespace

Result<std::string> made_input(const Json& input, const std::string& where) {
  if (input.is_string()) return input.get<std::string>();
  if (!input.is_array())
    return Failure{{.what = "must be a text or a list of parts", .where = where}};
  std::string out;
  for (const Json& part : input) {
    if (part.is_string())
      out += part.get<std::string>();
    else if (part.is_object())
      PONDER_TRY(add_rows(part, where, out));
    else
      return Failure{{.what = "a part must be a text or an object", .where = where}};
  }
  return out;
}

}  // namespace ponder
