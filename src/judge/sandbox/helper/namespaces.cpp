// Level A: user, mount, process, network, IPC, host name and cgroup namespaces. Process 1 of them
// builds the guest's root from an empty memory file system and what the job lets it read.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <initializer_list>

#include "judge/sandbox/helper/helper.hpp"

namespace ponder::box {
namespace {

constexpr uint32_t kInnerId = 1000;
constexpr const char* kNewRoot = "/tmp";  // a folder that exists everywhere; only covered for us
constexpr uint64_t kReadOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

bool write_proc(pid_t process, const char* name, const char* text) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/%s", process, name);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const auto size = static_cast<ssize_t>(std::strlen(text));
  const bool written = write(fd, text, static_cast<size_t>(size)) == size;
  const int error = errno;
  close(fd);
  errno = error;
  return written;
}

bool write_map(pid_t process, const char* name, uint32_t outer) {
  char line[64];
  std::snprintf(line, sizeof line, "%u %u 1\n", kInnerId, outer);
  return write_proc(process, name, line);
}

// The guest is a stranger outside too where we may choose, otherwise the user who started us.
Failure write_maps(pid_t process, const JobHeader& header) {
  const bool chosen = header.uid != 0 && geteuid() == 0;
  if (chosen && write_map(process, "uid_map", header.uid)) {
    if (write_map(process, "gid_map", header.gid)) return kFine;
    return {Step::kIdMaps, errno};
  }
  if (!write_map(process, "uid_map", geteuid())) return {Step::kIdMaps, errno};
  if (!write_proc(process, "setgroups", "deny")) return {Step::kIdMaps, errno};
  if (!write_map(process, "gid_map", getegid())) return {Step::kIdMaps, errno};
  return kFine;
}

bool set_attributes(const char* path, uint64_t attributes, unsigned flags) {
  mount_attr wanted = {};
  wanted.attr_set = attributes;
  return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &wanted, sizeof wanted) == 0;
}

// Makes the folders above `path`, which is relative to the new root.
bool make_parents(const char* path) {
  char folder[PATH_MAX];
  for (const char* slash = std::strchr(path, '/'); slash != nullptr;
       slash = std::strchr(slash + 1, '/')) {
    const auto length = static_cast<size_t>(slash - path);
    if (length >= sizeof folder) return false;
    std::memcpy(folder, path, length);
    folder[length] = '\0';
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) return false;
  }
  return true;
}

// Shows a path of the outside under the same name; one that is not there is left out.
bool bind(const char* path, uint64_t attributes) {
  const char* inside = path + 1;
  struct stat status;
  if (lstat(path, &status) != 0) return errno == ENOENT;
  if (!make_parents(inside)) return false;
  if (S_ISLNK(status.st_mode)) {
    char target[PATH_MAX];
    const ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0) return false;
    target[size] = '\0';
    return symlink(target, inside) == 0;
  }
  if (S_ISDIR(status.st_mode)) {
    if (mkdir(inside, 0755) != 0 && errno != EEXIST) return false;
  } else {
    const int fd = open(inside, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    close(fd);
  }
  return mount(path, inside, nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
         set_attributes(inside, attributes, AT_RECURSIVE);
}

bool make_devices() {
  for (const char* device :
       {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    if (!bind(device, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)) return false;
  }
  return symlink("/proc/self/fd", "dev/fd") == 0 && symlink("/proc/self/fd/0", "dev/stdin") == 0 &&
         symlink("/proc/self/fd/1", "dev/stdout") == 0 &&
         symlink("/proc/self/fd/2", "dev/stderr") == 0 && symlink("/tmp", "dev/shm") == 0;
}

// Where the outside hides parts of its own, as in containers, none is allowed: programs live
// without.
void mount_proc() {
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mkdir("proc", 0555) != 0) return;
  if (mount("proc", "proc", "proc", flags, "subset=pid") != 0)
    mount("proc", "proc", "proc", flags, nullptr);
}

bool mount_memory(const char* path, int64_t bytes, const char* mode) {
  char options[96];
  std::snprintf(options, sizeof options, "size=%lld,nr_inodes=4096,mode=%s",
                static_cast<long long>(bytes), mode);
  return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
}

bool enter_root() {
  return syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
}

Failure build_root(const Job& job) {
  int64_t content = 1 << 20;
  for (int i = 0; i < job.header.files; ++i) content += job.files[i].content.size + 4096;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      !mount_memory(kNewRoot, content, "755") || chdir(kNewRoot) != 0)
    return {Step::kMounts, errno};
  for (int i = 0; i < job.header.read_paths; ++i) {
    if (!bind(job.read_paths[i], kReadOnly)) return {Step::kMounts, errno};
  }
  if (!make_devices()) return {Step::kMounts, errno};
  mount_proc();
  if (mkdir("tmp", 0755) != 0 || !mount_memory("tmp", job.header.tmp_bytes, "700") || !enter_root())
    return {Step::kMounts, errno};
  if (const Failure failure = write_files(job); failed(failure)) return failure;
  if (!set_attributes("/", kReadOnly, 0)) return {Step::kMounts, errno};
  return kFine;
}

// Process 1 of the namespaces.
[[noreturn]] void run_first_process(const Job& job, int life) {
  char go;
  if (read(life, &go, 1) != 1) _exit(1);
  if (setresgid(kInnerId, kInnerId, kInnerId) != 0 ||
      setresuid(kInnerId, kInnerId, kInnerId) != 0) {
    send_failure({Step::kIdMaps, errno});
    _exit(1);
  }
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sethostname("box", 3);
  if (const Failure failure = build_root(job); failed(failure)) {
    send_failure(failure);
    _exit(1);
  }
  supervise(job, life, true);
  _exit(0);  // the kernel ends whatever might be left
}

// Until process 1 has ended. If we are asked to stop, it is: closing `life` tells it, and it still
// sends its report.
void wait_for_end(int process_fd, int life) {
  constexpr int kPatienceMs = 5000;
  pollfd waits[2] = {{process_fd, POLLIN, 0}, {kControlFd, POLLIN | POLLRDHUP, 0}};
  while (poll(waits, 2, -1) < 0 && errno == EINTR) {
  }
  if (waits[0].revents != 0) return;
  close(life);
  while (poll(waits, 1, kPatienceMs) < 0 && errno == EINTR) {
  }
}

}  // namespace

int run_in_namespaces(const Job& job) {
  int life[2];
  if (pipe2(life, O_CLOEXEC) != 0) {
    send_failure({Step::kClone, errno});
    return 1;
  }
  int process_fd = -1;
  clone_args arguments = {};
  arguments.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                    CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<uintptr_t>(&process_fd);
  arguments.exit_signal = SIGCHLD;
  const auto first = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (first < 0) {
    send_failure({Step::kClone, errno});
    return 1;
  }
  if (first == 0) {
    close(life[1]);
    run_first_process(job, life[0]);
  }
  close(life[0]);
  const Failure failure = write_maps(first, job.header);
  if (failed(failure)) {
    send_failure(failure);
    kill(first, SIGKILL);
  } else if (write(life[1], "g", 1) == 1) {
    wait_for_end(process_fd, life[1]);
    kill(first, SIGKILL);  // has ended long ago, unless it does not answer
  }
  while (waitpid(first, nullptr, 0) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace ponder::box
