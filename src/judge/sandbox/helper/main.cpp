// Reads the job and runs it at the confinement that it names.
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "judge/sandbox/helper/helper.hpp"

namespace ponder::box {
namespace {

// Takes strings off the job; every one ends with a zero behind its counted bytes.
class Reader {
 public:
  Reader(const char* bytes, size_t size) : bytes_(bytes), left_(size) {}

  bool take(void* target, size_t size) {
    if (size > left_) return false;
    std::memcpy(target, bytes_, size);
    skip(size);
    return true;
  }
  bool take(Text& text) {
    if (!take(&text.size, sizeof text.size) || left_ == 0 || text.size > left_ - 1) return false;
    text.bytes = bytes_;
    if (bytes_[text.size] != '\0') return false;
    skip(size_t{text.size} + 1);
    return true;
  }
  bool take(const char*& text) {
    Text whole;
    if (!take(whole)) return false;
    text = whole.bytes;
    return true;
  }
  bool take(char** list, int count) {
    if (count < 0 || count > kMaxStrings) return false;
    for (int i = 0; i < count; ++i) {
      const char* text;
      if (!take(text)) return false;
      list[i] = const_cast<char*>(text);  // execve() does not write to them
    }
    list[count] = nullptr;
    return true;
  }

 private:
  void skip(size_t size) {
    bytes_ += size;
    left_ -= size;
  }
  const char* bytes_;
  size_t left_;
};

bool parse(Reader reader, Job& job) {
  JobHeader& header = job.header;
  if (!reader.take(&header, sizeof header) || !reader.take(job.folder) ||
      !reader.take(job.arguments, header.arguments) ||
      !reader.take(job.variables, header.variables))
    return false;
  if (header.read_paths < 0 || header.read_paths > kMaxStrings || header.files < 0 ||
      header.files > kMaxStrings)
    return false;
  for (int i = 0; i < header.read_paths; ++i) {
    if (!reader.take(job.read_paths[i])) return false;
  }
  for (int i = 0; i < header.files; ++i) {
    if (!reader.take(job.files[i].name) || !reader.take(job.files[i].content)) return false;
  }
  job.artifact = job.secret = nullptr;
  if (header.has_artifact != 0 && !reader.take(job.artifact)) return false;
  return header.kind != JobKind::kProbe || reader.take(job.secret);
}

Failure read_job(Job& job) {
  struct stat status;
  if (fstat(kJobFd, &status) != 0) return {Step::kJob, errno};
  const auto size = static_cast<size_t>(status.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, kJobFd, 0);
  if (bytes == MAP_FAILED) return {Step::kJob, errno};
  if (!parse(Reader(static_cast<const char*>(bytes), size), job)) return {Step::kJob, EBADMSG};
  return kFine;
}

// Signals as a program expects them; whoever started us may have ignored or blocked some.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

int run() {
  syscall(SYS_close_range, kArtifactFd + 1, ~0U, 0);
  for (const int fd : {kJobFd, kControlFd, kChannelFd, kArtifactFd}) fcntl(fd, F_SETFD, FD_CLOEXEC);
  reset_signals();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "ponder-box");
  static Job job;
  if (const Failure failure = read_job(job); failed(failure)) {
    send_failure(failure);
    return 1;
  }
  if (job.header.confinement == Confinement::kNamespaces) return run_in_namespaces(job);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (const Failure failure = write_files(job); failed(failure)) {
    send_failure(failure);
    return 1;
  }
  supervise(job, kControlFd, false);
  return 0;
}

}  // namespace
}  // namespace ponder::box

int main() { return ponder::box::run(); }
