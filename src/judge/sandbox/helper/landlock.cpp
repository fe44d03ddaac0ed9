// Which files the guest may touch, by Landlock: a second wall behind the namespaces, and the only
// one without them. Numbers are those of the kernel's interface, of which the installed headers may
// know an older version.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <initializer_list>

#include "judge/sandbox/helper/helper.hpp"

namespace ponder::box {
namespace {

constexpr uint64_t kExecute = 1, kWriteFile = 2, kReadFile = 4, kReadFolder = 8;
constexpr uint64_t kTruncate = uint64_t{1} << 14, kDeviceControl = uint64_t{1} << 15;
constexpr uint64_t kRead = kExecute | kReadFile | kReadFolder;
constexpr uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceControl;
constexpr unsigned kAskVersion = 1;
constexpr int kPathBeneath = 1;

struct Ruleset {
  uint64_t files, network, scoped;
};
struct [[gnu::packed]] PathRule {
  uint64_t allowed;
  int32_t folder;
};

// What each version of the interface can restrict.
uint64_t file_rights(long version) {
  const int bits = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
  return (uint64_t{1} << bits) - 1;
}

size_t ruleset_size(long version) {
  if (version >= 6) return 3 * sizeof(uint64_t);
  return version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

// A path that is not there needs no rule.
bool allow(int ruleset, const char* path, uint64_t rights, uint64_t known) {
  const int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT;
  struct stat status;
  PathRule rule = {rights & known, fd};
  bool added = fstat(fd, &status) == 0;
  if (added) {
    if (!S_ISDIR(status.st_mode)) rule.allowed &= kOfFiles;
    added = syscall(SYS_landlock_add_rule, ruleset, kPathBeneath, &rule, 0) == 0;
  }
  const int error = errno;
  close(fd);
  errno = error;
  return added;
}

bool add_rules(int ruleset, const Job& job, uint64_t known) {
  char path[PATH_MAX];
  const bool own_root = job.header.confinement == Confinement::kNamespaces;
  if (own_root) {
    if (!allow(ruleset, "/", kRead, known)) return false;
  } else {
    for (int i = 0; i < job.header.read_paths; ++i) {
      if (!allow(ruleset, job.read_paths[i], kRead, known)) return false;
    }
    for (const char* device : {"/dev/zero", "/dev/random", "/dev/urandom"}) {
      if (!allow(ruleset, device, kReadFile, known)) return false;
    }
  }
  if (!allow(ruleset, "/dev/null", kReadFile | kWriteFile | kTruncate, known) ||
      !join(path, sizeof path, job.folder, "box") || !allow(ruleset, path, kRead, known))
    return false;
  return join(path, sizeof path, job.folder, "tmp") && allow(ruleset, path, ~kDeviceControl, known);
}

}  // namespace

Failure restrict_files(const Job& job) {
  const bool needed = job.header.confinement == Confinement::kLandlock;
  if (job.header.confinement == Confinement::kNone) return kFine;
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  if (version < 1) return needed ? Failure{Step::kLandlock, errno} : kFine;
  const uint64_t known = file_rights(version);
  Ruleset rules = {known, version >= 4 ? 3U : 0U, version >= 6 ? 3U : 0U};
  const auto ruleset =
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, ruleset_size(version), 0));
  if (ruleset < 0) return {Step::kLandlock, errno};
  const bool fine =
      add_rules(ruleset, job, known) && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  const int error = errno;
  close(ruleset);
  return fine ? kFine : Failure{Step::kLandlock, error};
}

}  // namespace ponder::box
