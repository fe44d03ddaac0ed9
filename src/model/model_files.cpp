#include "model/model_files.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "io/safetensors.hpp"
#include "model/model.hpp"

namespace ponder {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxConfigBytes = 1 << 20;
constexpr size_t kMaxFolderEntries = 100000;

// Whether the name says "split N of M" with N above 1; the first split stands for all.
bool is_later_split(const fs::path& path) {
  static constexpr std::string_view kPattern = "-00000-of-00000.gguf";
  const std::string name = path.filename().string();
  if (name.size() < kPattern.size()) return false;
  const std::string_view tail = std::string_view(name).substr(name.size() - kPattern.size());
  return tail.substr(6, 4) == "-of-" && tail.substr(0, 6) != "-00001";
}

Result<fs::path> only_gguf_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  size_t entries = 0;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (++entries > kMaxFolderEntries) break;
    if (it->path().extension() == ".gguf" && !is_later_split(it->path()))
      found.push_back(it->path());
  }
  if (!error && found.size() == 1) return found[0];
  std::string what = "the folder has neither config.json nor a .gguf file";
  if (error) what = "cannot be read: " + error.message();
  if (found.size() > 1)
    what = "the folder has " + std::to_string(found.size()) + " GGUF models and no config.json";
  return Failure{{.what = std::move(what),
                  .where = folder.string(),
                  .mend = "give a .gguf file, or a folder with config.json and safetensors"}};
}

Result<ModelFiles> open_gguf(const fs::path& path) {
  ModelFiles files;
  files.path = path;
  files.gguf = PONDER_TRY(GgufFile::open(path));
  files.config = PONDER_TRY(config_from_gguf(*files.gguf));
  files.tensors = files.gguf->tensors();
  files.naming = TensorSource::Naming::kGguf;
  return files;
}

Result<Config> config_of_folder(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  return config_from_json(PONDER_TRY(read_file(path, kMaxConfigBytes)), path.string());
}

Result<ModelFiles> open_folder(const fs::path& folder) {
  ModelFiles files;
  files.path = folder;
  files.config = PONDER_TRY(config_of_folder(folder));
  files.tensors = PONDER_TRY(SafetensorsFile::open(folder)).tensors();
  files.naming = TensorSource::Naming::kHuggingFace;
  return files;
}

}  // namespace

Result<fs::path> resolve_model(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) {
    if (fs::exists(path / "config.json", error)) return path;
    return only_gguf_in(path);
  }
  if (fs::is_regular_file(status)) {
    if (is_gguf_file(path)) return path;
    if (path.filename() == "config.json" || path.extension() == ".safetensors") {
      const fs::path folder = path.parent_path();
      return folder.empty() ? fs::path(".") : folder;
    }
    return Failure{{.what = "is not a model file",
                    .where = path.string(),
                    .mend = "give a .gguf file, or a folder with config.json and safetensors"}};
  }
  return Failure{{.what = "there is no such file or folder",
                  .where = path.string(),
                  .mend = "give a .gguf file, or a folder with config.json and safetensors"}};
}

Result<ModelFiles> open_model_files(const fs::path& path) {
  const fs::path resolved = PONDER_TRY(resolve_model(path));
  return fs::is_directory(resolved) ? open_folder(resolved) : open_gguf(resolved);
}

Result<Config> read_config(const fs::path& path) {
  const fs::path resolved = PONDER_TRY(resolve_model(path));
  if (fs::is_directory(resolved)) return config_of_folder(resolved);
  return config_from_gguf(PONDER_TRY(GgufFile::open(resolved)));
}

}  // namespace ponder
