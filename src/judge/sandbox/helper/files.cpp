// The files of a job: what the guest gets to read, and what it leaves for us.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>

#include "judge/sandbox/helper/helper.hpp"

namespace ponder::box {
namespace {

bool write_file(const char* path, Text content) {
  const int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0555);
  if (fd < 0) return false;
  size_t done = 0;
  while (done < content.size) {
    const ssize_t size = write(fd, content.bytes + done, content.size - done);
    if (size <= 0) break;
    done += static_cast<size_t>(size);
  }
  const int error = errno;
  close(fd);
  errno = error;
  return done == content.size;
}

}  // namespace

bool join(char* path, size_t size, const char* folder, const char* name) {
  const int length = std::snprintf(path, size, "%s/%s", folder, name);
  return length > 0 && static_cast<size_t>(length) < size;
}

Failure write_files(const Job& job) {
  char folder[PATH_MAX], path[PATH_MAX];
  if (!join(folder, sizeof folder, job.folder, "box")) return {Step::kFiles, ENAMETOOLONG};
  if (mkdir(folder, 0755) != 0) return {Step::kFiles, errno};
  for (int i = 0; i < job.header.files; ++i) {
    if (!join(path, sizeof path, job.folder, job.files[i].name))
      return {Step::kFiles, ENAMETOOLONG};
    if (!write_file(path, job.files[i].content)) return {Step::kFiles, errno};
  }
  if (job.header.confinement == Confinement::kNamespaces) return kFine;  // tmp/ is a mount there
  if (!join(path, sizeof path, job.folder, "tmp")) return {Step::kFiles, ENAMETOOLONG};
  if (mkdir(path, 0700) != 0) return {Step::kFiles, errno};
  // Not an error: without the right to it, the guest keeps our own id.
  if (geteuid() == 0 && job.header.uid != 0 && chown(path, job.header.uid, job.header.gid) != 0)
    errno = 0;
  return kFine;
}

Failure copy_artifact(const Job& job) {
  char folder[PATH_MAX], path[PATH_MAX];
  if (!join(folder, sizeof folder, job.folder, "tmp") ||
      !join(path, sizeof path, folder, job.artifact))
    return {Step::kArtifact, ENAMETOOLONG};
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return {Step::kArtifact, errno};
  struct stat status;
  Failure failure = kFine;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > job.header.file_bytes)
    failure = {Step::kArtifact, EFBIG};
  for (off_t left = status.st_size; !failed(failure) && left > 0;) {
    const ssize_t size = sendfile(kArtifactFd, fd, nullptr, static_cast<size_t>(left));
    if (size <= 0) failure = {Step::kArtifact, errno};
    left -= size;
  }
  close(fd);
  return failure;
}

}  // namespace ponder::box
