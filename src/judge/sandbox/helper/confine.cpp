// What the process gives up before it becomes the guest.
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "judge/sandbox/helper/helper.hpp"

namespace ponder::box {
namespace {

// Buffers that libraries reserve and hardly touch, as OpenBLAS does; refused, it tries for ever.
// What is touched counts, and is looked at by the supervisor.
constexpr int64_t kDataSlack = int64_t{128} << 20;
constexpr int64_t kAddressSlack = int64_t{4} << 30;  // reserved and never touched, by allocators
constexpr int64_t kOpenFiles = 256;
constexpr int64_t kTaskSlack = 64;  // other boxes of the same user, started meanwhile

bool limit(int resource, int64_t wanted, int64_t hard_extra = 0) {
  rlimit now;
  if (getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) return false;
  const auto hard = static_cast<rlim_t>(wanted + hard_extra);
  rlimit next;
  next.rlim_max = std::min(now.rlim_max, hard);
  next.rlim_cur = std::min(next.rlim_max, static_cast<rlim_t>(wanted));
  return setrlimit(static_cast<__rlimit_resource>(resource), &next) == 0;
}

// Processes and threads of a user on the whole machine, as far as /proc tells.
int64_t tasks_of(uid_t user) {
  DIR* folder = opendir("/proc");
  if (folder == nullptr) return 0;
  int64_t tasks = 0;
  while (const dirent* entry = readdir(folder)) {
    char path[300];
    struct stat status;
    if (std::atoi(entry->d_name) <= 0) continue;
    std::snprintf(path, sizeof path, "/proc/%s/task", entry->d_name);
    if (stat(path, &status) == 0 && status.st_uid == user)
      tasks += static_cast<int64_t>(status.st_nlink) - 2;
  }
  closedir(folder);
  return tasks;
}

Failure set_limits(const JobHeader& job) {
  const int64_t seconds = job.cpu_us / 1'000'000 + 2;  // behind the supervisor's own limit
  int64_t tasks = job.processes + 1;  // with namespaces: process 1 counts, strangers do not
  if (job.confinement != Confinement::kNamespaces) {
    const uid_t user = geteuid() == 0 && job.uid != 0 ? job.uid : geteuid();
    tasks = job.processes + kTaskSlack + tasks_of(user);
  }
  const bool fine =
      limit(RLIMIT_CPU, seconds, 1) && limit(RLIMIT_DATA, job.memory_bytes + kDataSlack) &&
      limit(RLIMIT_AS, job.memory_bytes + kAddressSlack) && limit(RLIMIT_FSIZE, job.file_bytes) &&
      limit(RLIMIT_STACK, job.stack_bytes) && limit(RLIMIT_NOFILE, kOpenFiles) &&
      limit(RLIMIT_NPROC, tasks) && limit(RLIMIT_CORE, 0) && limit(RLIMIT_MEMLOCK, 0) &&
      limit(RLIMIT_MSGQUEUE, 0) && limit(RLIMIT_NICE, 0) && limit(RLIMIT_RTPRIO, 0);
  return fine ? kFine : Failure{Step::kLimits, errno};
}

// Without a namespace of users: a stranger if we are root and may, else who we are.
Failure change_user(const JobHeader& job) {
  if (job.confinement == Confinement::kNamespaces || geteuid() != 0 || job.uid == 0) return kFine;
  if (syscall(SYS_setgroups, 0, nullptr) != 0 && errno != EPERM) return {Step::kPrivileges, errno};
  if (setresgid(job.gid, job.gid, job.gid) != 0)
    return errno == EINVAL || errno == EPERM ? kFine : Failure{Step::kPrivileges, errno};
  if (setresuid(job.uid, job.uid, job.uid) != 0) return {Step::kPrivileges, errno};
  return kFine;
}

// Privileges cannot come back by execve() or a change of user. As an ordinary user there are none,
// and these are refused.
void lock_privileges() {
  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED);
  for (int capability = 0; capability <= 63; ++capability) prctl(PR_CAPBSET_DROP, capability);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

Failure drop_privileges() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &header, none) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return {Step::kPrivileges, errno};
  return kFine;
}

void restore_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

Failure confine(const Job& job) {
  Failure failure = set_limits(job.header);
  lock_privileges();
  if (!failed(failure)) failure = change_user(job.header);
  if (!failed(failure)) failure = drop_privileges();
  if (failed(failure)) return failure;
  umask(022);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which forgets it
  failure = restrict_files(job);
  if (failed(failure)) return failure;
  restore_signals();
  return filter_system_calls(job);
}

}  // namespace ponder::box
