#include "judge/sandbox/interpreter.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/file.hpp"

namespace ponder {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostConfiguration = 1 << 16;

// "usr" of "/usr/bin".
std::string top_folder(const fs::path& path) {
  const fs::path below = path.relative_path();
  return below.empty() ? "" : below.begin()->string();
}

bool below_usr(const fs::path& path) { return top_folder(path) == "usr"; }

bool holds_modules(const fs::path& prefix) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(prefix / "lib", error))
    if (entry.path().filename().string().starts_with("python3.")) return true;
  return false;
}

// The folder of programs that a virtual environment was made from, by its "home = …".
std::optional<fs::path> home_of(const fs::path& configuration) {
  const auto text = read_file(configuration, kMostConfiguration);
  if (!text.ok()) return std::nullopt;
  std::string_view rest = text.value();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t equals = line.find('=');
    if (equals == line.npos) continue;
    const auto trimmed = [](std::string_view part) {
      const size_t first = part.find_first_not_of(" \t\r");
      if (first == part.npos) return std::string();
      return std::string(part.substr(first, part.find_last_not_of(" \t\r") - first + 1));
    };
    if (trimmed(line.substr(0, equals)) == "home")
      return fs::path(trimmed(line.substr(equals + 1)));
  }
  return std::nullopt;
}

}  // namespace

Result<Interpreter> find_interpreter(const std::string& path) {
  std::error_code error;
  const fs::path program = fs::absolute(path, error).lexically_normal();
  if (error || access(program.c_str(), X_OK) != 0)
    return Failure{{.what = "no program is there", .where = path, .mend = "name a Python 3"}};
  Interpreter found{.path = program.string(), .folders = {}};
  const auto add = [&](const fs::path& folder) {
    if (!below_usr(folder) && std::find(found.folders.begin(), found.folders.end(),
                                        folder.string()) == found.folders.end())
      found.folders.push_back(folder.string());
  };
  std::vector<fs::path> bins = {program.parent_path()};
  if (const auto home = home_of(program.parent_path().parent_path() / "pyvenv.cfg")) {
    add(program.parent_path().parent_path());
    bins = {*home};
  }
  // Links may lead on to another folder; both names must exist inside.
  const fs::path real = fs::canonical(program, error);
  if (!error) bins.push_back(real.parent_path());
  for (const fs::path& bin : bins) {
    const fs::path prefix = bin.lexically_normal().parent_path();
    if (below_usr(prefix / "bin")) continue;
    if (prefix == "/" && fs::is_symlink("/bin", error)) continue;  // it leads to /usr
    if (!bin.is_absolute() || prefix == "/" || !holds_modules(prefix))
      return Failure{{.what = "is outside of /usr, and no installation of Python is around it",
                      .where = program.string(),
                      .mend = "name a Python below /usr, or the one of a virtual environment"}};
    add(prefix);
  }
  for (const std::string& folder : found.folders)
    for (const char* own : {"tmp", "proc", "dev", "box"})
      if (top_folder(folder) == own)
        return Failure{{.what = "a sandbox has a /" + std::string(own) + " of its own",
                        .where = folder,
                        .mend = "keep the Python in another folder"}};
  return found;
}

}  // namespace ponder
