#include "data/decontaminate/evaluation_index.hpp"

#include <algorithm>
#include <filesystem>

#include "data/io/record_reader.hpp"
#include "io/json.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLongestItem = 64 << 20;
// Names that hold the item's id, in the benchmarks' own files.
constexpr const char* kIdFields[] = {"id", "task_id", "question_id", "problem_id", "unique_id"};

std::string id_of(const Json& json, const std::string& file, uint64_t number) {
  for (const char* name : kIdFields) {
    const Json* id = find_field(json, name);
    if (id != nullptr && id->is_string()) return file + ":" + id->get<std::string>();
    if (id != nullptr && id->is_number_integer())
      return file + ":" + std::to_string(id->get<int64_t>());
  }
  return file + ":" + std::to_string(number);
}

bool is_wanted(const std::string& name, const std::vector<std::string>& fields) {
  if (!fields.empty()) return std::find(fields.begin(), fields.end(), name) != fields.end();
  return std::find(std::begin(kIdFields), std::end(kIdFields), name) == std::end(kIdFields);
}

}  // namespace

void EvaluationIndex::add_text(std::string_view text, EvaluationItem item) {
  const auto words = normal_words(text);
  const auto n = static_cast<size_t>(n_);
  if (words.size() < static_cast<size_t>(shortest_)) return;
  const auto number = static_cast<uint32_t>(items_.size());
  items_.push_back(std::move(item));
  if (words.size() >= n) {
    for (const uint64_t hash : ngram_hashes(words, n)) runs_.try_emplace(hash, number);
    return;
  }
  whole_.resize(n);
  whole_[words.size()].try_emplace(ngram_hashes(words, words.size())[0], number);
}

Result<void> EvaluationIndex::add_file(const std::string& path,
                                       const std::vector<std::string>& fields) {
  const RecordFormat format = format_by_name(path);
  RecordReader reader = PONDER_TRY(RecordReader::open(path, format, kLongestItem, {}));
  const std::string file = std::filesystem::path(path).filename().string();
  Record record;
  while (PONDER_TRY(reader.next(record))) {
    const std::string where = path + ", record " + std::to_string(record.number + 1);
    if (!record.bad.empty()) return Failure{{.what = record.bad, .where = where}};
    if (!is_json(format)) {
      add_text(record.bytes, {file, ""});
      continue;
    }
    const Json json = PONDER_TRY(parse_json(record.bytes, where));
    if (!json.is_object()) return Failure{{.what = "this is no JSON object", .where = where}};
    const std::string id = id_of(json, file, record.number);
    for (const auto& [name, value] : json.items())
      if (value.is_string() && is_wanted(name, fields))
        add_text(value.get_ref<const std::string&>(), {id, name});
  }
  return {};
}

EvaluationIndex::Hit EvaluationIndex::find(const std::vector<NormalWord>& words,
                                           size_t from) const {
  Hit best;
  const auto consider = [&](size_t n, const std::unordered_map<uint64_t, uint32_t>& known) {
    if (known.empty() || words.size() < n) return;
    const auto hashes = ngram_hashes(words, n);
    for (size_t i = from; i < hashes.size() && (best.words == 0 || i < best.word); ++i) {
      const auto found = known.find(hashes[i]);
      if (found != known.end()) best = {i, n, found->second};
    }
  };
  consider(static_cast<size_t>(n_), runs_);
  for (size_t n = whole_.size(); n-- > 1;) consider(n, whole_[n]);
  return best;
}

}  // namespace ponder
