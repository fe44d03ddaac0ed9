#include "judge/sandbox/box_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ponder {
namespace {

constexpr unsigned kExecutable = 0x10;  // MFD_EXEC, which kernels before 6.3 do not know
constexpr int kAboveHelpers = 10;

void append(std::string& text, std::string_view string) {
  const auto size = static_cast<uint32_t>(string.size());
  text.append(reinterpret_cast<const char*>(&size), sizeof size);
  text.append(string);
  text.push_back('\0');
}

// A guest may have made folders that even we cannot look into.
void open_folders(const std::filesystem::path& top) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::permissions(top, fs::perms::owner_all, fs::perm_options::add, error);
  for (fs::recursive_directory_iterator at(top, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (at->is_directory(ignored) && !at->is_symlink(ignored))
      fs::permissions(at->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
  }
}

}  // namespace

Fd memory_file(const char* name, std::string_view bytes, bool executable) {
  Fd file(memfd_create(name, MFD_CLOEXEC | (executable ? kExecutable : 0)));
  if (!file && executable) file = Fd(memfd_create(name, MFD_CLOEXEC));
  for (size_t done = 0; file && done < bytes.size();) {
    const ssize_t size = write(file.get(), bytes.data() + done, bytes.size() - done);
    if (size <= 0) return {};
    done += static_cast<size_t>(size);
  }
  if (file && lseek(file.get(), 0, SEEK_SET) < 0) return {};
  return moved_up(std::move(file));
}

std::string content_of(const Fd& file, int64_t limit) {
  struct stat status;
  if (fstat(file.get(), &status) != 0) return {};
  std::string text(static_cast<size_t>(std::clamp<int64_t>(status.st_size, 0, limit)), '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t size =
        pread(file.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (size <= 0) break;
    done += static_cast<size_t>(size);
  }
  text.resize(done);
  return text;
}

Fd moved_up(Fd fd) {
  if (!fd || fd.get() >= kAboveHelpers) return fd;
  return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, kAboveHelpers));
}

Result<BoxFolder> BoxFolder::create() {
  std::error_code error;
  const auto top = std::filesystem::temp_directory_path(error);
  std::string pattern = ((error ? "/tmp" : top) / "ponder-box-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    return Failure{
        {.what = std::string("cannot make a folder: ") + std::strerror(errno), .where = pattern}};
  BoxFolder folder;
  folder.path_ = pattern;
  // A guest with another id than ours has to pass through.
  if (chmod(pattern.c_str(), 0755) != 0)
    return Failure{{.what = std::strerror(errno), .where = pattern}};
  return folder;
}

BoxFolder::~BoxFolder() {
  if (path_.empty()) return;
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (!error) return;
  open_folders(path_);
  std::filesystem::remove_all(path_, error);
}

std::string JobText::text() const {
  box::JobHeader counted = header;
  counted.arguments = static_cast<int32_t>(job.arguments.size());
  counted.variables = static_cast<int32_t>(variables.size() + 2);
  counted.read_paths = static_cast<int32_t>(read_paths.size());
  counted.files = static_cast<int32_t>(job.files.size());
  counted.has_artifact = job.artifact.empty() ? 0 : 1;
  std::string text(reinterpret_cast<const char*>(&counted), sizeof counted);
  append(text, folder);
  for (const auto& argument : job.arguments) append(text, argument);
  for (const auto& variable : variables) append(text, variable);
  append(text, "HOME=" + folder + "/tmp");
  append(text, "TMPDIR=" + folder + "/tmp");
  for (const auto& path : read_paths) append(text, path);
  for (const auto& file : job.files) {
    append(text, "box/" + file.name);
    append(text, file.content);
  }
  if (!job.artifact.empty()) append(text, job.artifact);
  if (counted.kind == box::JobKind::kProbe) append(text, secret);
  return text;
}

}  // namespace ponder
