#include "eval/contamination.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/file.hpp"
#include "data/ngrams.hpp"
#include "eval/records.hpp"

namespace ponder {
namespace {

constexpr size_t kFewestWords = 5;
constexpr size_t kPiece = 1 << 20;            // bytes of plain text at a time
constexpr size_t kLargest = size_t{4} << 30;  // inflated
constexpr size_t kShownWords = 300;           // bytes

// All texts within a record, in order.
void collect_texts(const Json& json, std::string& out) {
  if (json.is_string()) out += json.get_ref<const std::string&>() + "\n";
  if (json.is_structured())
    for (const Json& part : json) collect_texts(part, out);
}

}  // namespace

Json Overlap::json() const {
  return {{"ngrams", ngrams}, {"found", found}, {"where", where}, {"words", words}};
}

bool is_contaminated(const Json& overlap) {
  const Json* found = find_field(overlap, "found");
  return found != nullptr && found->is_number_integer() && found->get<int64_t>() > 0;
}

ContaminationCheck::ContaminationCheck(const std::vector<Problem>& problems, size_t n)
    : n_(n), overlaps_(problems.size()) {
  for (size_t i = 0; i < problems.size(); ++i) {
    learn(problems[i].prompt, i);
    const Json* solution = find_field(problems[i].extra, "solution");
    if (solution != nullptr && solution->is_string())
      learn(solution->get_ref<const std::string&>(), i);
    else
      learn(problems[i].answer, i);
  }
}

void ContaminationCheck::learn(std::string_view text, size_t problem) {
  const auto words = normal_words(text);
  if (words.size() < kFewestWords) return;
  const size_t n = std::min(n_, words.size());
  Table& table = tables_[n];
  for (const uint64_t hash : ngram_hashes(words, n)) {
    const auto [first, last] = table.equal_range(hash);
    if (std::any_of(first, last, [&](const auto& e) { return e.second.problem == problem; }))
      continue;
    table.emplace(hash, Place{.problem = problem});
    ++overlaps_[problem].ngrams;
  }
}

void ContaminationCheck::add(std::string_view document, const std::string& where) {
  const auto words = normal_words(document);
  for (auto& [n, table] : tables_) {
    const auto hashes = ngram_hashes(words, n);
    for (size_t i = 0; i < hashes.size(); ++i) {
      const auto [first, last] = table.equal_range(hashes[i]);
      for (auto entry = first; entry != last; ++entry) {
        if (std::exchange(entry->second.found, true)) continue;
        Overlap& overlap = overlaps_[entry->second.problem];
        if (overlap.found++ > 0) continue;
        const size_t begin = words[i].begin;
        overlap.where = where;
        overlap.words = document.substr(begin, std::min(words[i + n - 1].end - begin, kShownWords));
      }
    }
  }
}

Result<void> ContaminationCheck::read(const std::filesystem::path& file,
                                      const ProgressSink& progress) {
  const MappedFile mapped = PONDER_TRY(MappedFile::open(file));
  std::string_view text(reinterpret_cast<const char*>(mapped.bytes().data()),
                        mapped.bytes().size());
  std::string inflated, name = file.filename().string();
  if (text.starts_with("\x1f\x8b")) {
    inflated = PONDER_TRY(inflate(text, kLargest, file.string()));
    text = inflated;
    if (name.ends_with(".gz")) name.resize(name.size() - 3);
  }
  const size_t total = text.size();
  const auto told = [&](size_t done) -> Result<void> {
    const std::string what = "comparing with " + name;
    const ProgressReport report{.what = what, .done = done, .total = total, .unit = "B"};
    if (progress && !progress(report)) return Failure{{.what = "stopped", .where = file.string()}};
    return {};
  };
  if (name.ends_with(".jsonl")) {
    for (int64_t line = 1; !text.empty(); ++line) {
      const std::string where = name + ": line " + std::to_string(line);
      const std::string_view here = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), here.size() + 1));
      if (here.find_first_not_of(" \t\r") == here.npos) continue;
      std::string document;
      collect_texts(PONDER_TRY(parse_json(here, file.string() + ": line " + std::to_string(line))),
                    document);
      add(document, where);
      if (line % 256 == 0) PONDER_TRY(told(total - text.size()));
    }
    return {};
  }
  for (size_t at = 0; at < total;) {
    size_t end = std::min(total, at + kPiece);
    while (end < total && end > at + 1 && !std::isspace(static_cast<unsigned char>(text[end])))
      --end;
    const std::string_view piece = text.substr(at, end - at);
    add(piece, name + ": byte " + std::to_string(at));
    if (end == total) break;
    // The last words again, for what goes over the edge.
    const auto words = normal_words(piece);
    const size_t back = words.size() >= n_ ? words[words.size() - n_ + 1].begin : piece.size();
    at = std::max(at + back, at + 1);
    PONDER_TRY(told(at));
  }
  return {};
}

}  // namespace ponder
