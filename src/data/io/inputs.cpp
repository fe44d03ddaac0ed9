#include "data/io/inputs.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "io/printable.hpp"

namespace ponder {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFiles = 1'000'000;

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found = {};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return paths;
}

bool is_text_file(const fs::path& path) {
  fs::path name = path.filename();
  if (name.extension() == ".gz" || name.extension() == ".zst") name = name.stem();
  static const std::set<std::string> kKnown = {".jsonl", ".ndjson", ".json",   ".txt",
                                               ".md",    ".rst",    ".parquet"};
  return kKnown.contains(name.extension().string());
}

// What is in a folder, and the folders in it.
Result<std::vector<std::string>> files_of_folder(const std::string& folder) {
  std::vector<std::string> parts, others;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error), end;
  for (; !error && at != end && others.size() < kMostFiles; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(".")) {
      if (at->is_directory(error)) at.disable_recursion_pending();
      continue;
    }
    if (!at->is_regular_file(error)) continue;
    if (at.depth() == 0 && name.starts_with("part-")) parts.push_back(at->path().string());
    if (is_text_file(at->path())) others.push_back(at->path().string());
  }
  if (error) return Failure{{.what = error.message(), .where = folder}};
  std::vector<std::string>& chosen = parts.empty() ? others : parts;
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

Result<RecordFormat> chosen_format(const std::string& name, const std::string& path) {
  if (name == "auto") return format_by_name(path);
  if (name == "jsonl") return RecordFormat::kJsonLines;
  if (name == "lines") return RecordFormat::kTextLines;
  if (name == "text") return RecordFormat::kWholeText;
  if (name == "parquet") return RecordFormat::kParquet;
  return Failure{{.what = printable(name) + " is no format of input",
                  .where = "format",
                  .mend = "take auto, jsonl, parquet, lines or text"}};
}

}  // namespace

OrderedJson reading_settings(const InputOptions& options) {
  return {{"text_field", options.fields.text},
          {"id_field", options.fields.id},
          {"url_field", options.fields.url},
          {"longest_record", options.longest_record}};
}

Result<std::vector<CorpusFile>> find_inputs(const InputOptions& options) {
  std::vector<std::string> paths;
  for (const std::string& given : options.paths) {
    std::error_code error;
    if (given == "-") {
      paths.push_back(given);
    } else if (fs::is_directory(given, error)) {
      const auto inside = PONDER_TRY(files_of_folder(given));
      if (inside.empty()) return Failure{{.what = "the folder holds no documents", .where = given}};
      paths.insert(paths.end(), inside.begin(), inside.end());
    } else if (fs::exists(given, error)) {
      paths.push_back(given);
    } else {
      const auto found = matches(given);
      if (found.empty()) return Failure{{.what = "there is no such file", .where = given}};
      paths.insert(paths.end(), found.begin(), found.end());
    }
  }
  if (paths.empty()) return Failure{{.what = "no input files are named"}};
  std::vector<CorpusFile> files;
  for (const std::string& path : paths)
    files.push_back({.path = path,
                     .origin = path == "-" ? "stdin" : fs::path(path).filename().string(),
                     .format = PONDER_TRY(chosen_format(options.format, path))});
  return files;
}

}  // namespace ponder
