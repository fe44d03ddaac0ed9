// Which system calls the guest may make: a list of what Python, programs in C++ and the compiler
// need. Everything else fails with EPERM, or with ENOSYS where the C library then takes an older
// way. Without namespaces, signals reach only the guest itself and there is one process.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <initializer_list>

#include "judge/sandbox/helper/helper.hpp"

namespace ponder::box {
namespace {

constexpr int kFiles[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev,
    SYS_preadv2, SYS_pwritev2, SYS_open, SYS_openat, SYS_openat2, SYS_creat, SYS_close,
    SYS_close_range, SYS_stat, SYS_fstat, SYS_lstat, SYS_newfstatat, SYS_statx, SYS_statfs,
    SYS_fstatfs, SYS_access, SYS_faccessat, SYS_faccessat2, SYS_lseek, SYS_getdents, SYS_getdents64,
    SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_mkdir, SYS_mkdirat, SYS_rmdir, SYS_unlink, SYS_unlinkat,
    SYS_rename, SYS_renameat, SYS_renameat2, SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat,
    SYS_readlink, SYS_readlinkat, SYS_umask, SYS_ftruncate, SYS_fallocate, SYS_fsync, SYS_fdatasync,
    SYS_fadvise64, SYS_readahead, SYS_flock, SYS_dup, SYS_dup2, SYS_dup3, SYS_pipe, SYS_pipe2,
    SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_create, SYS_epoll_create1,
    SYS_epoll_ctl, SYS_epoll_wait, SYS_epoll_pwait, SYS_eventfd, SYS_eventfd2, SYS_timerfd_create,
    SYS_timerfd_settime, SYS_timerfd_gettime, SYS_signalfd, SYS_signalfd4, SYS_copy_file_range,
    SYS_sendfile, SYS_splice, SYS_tee,
    // Of pairs of sockets: there are no others.
    SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_shutdown, SYS_getsockopt,
    SYS_setsockopt, SYS_getsockname, SYS_getpeername};

constexpr int kProcess[] = {SYS_mmap,
                            SYS_mprotect,
                            SYS_munmap,
                            SYS_mremap,
                            SYS_madvise,
                            SYS_brk,
                            SYS_mincore,
                            SYS_msync,
                            SYS_membarrier,
                            SYS_execve,
                            SYS_execveat,
                            SYS_exit,
                            SYS_exit_group,
                            SYS_wait4,
                            SYS_waitid,
                            SYS_getpid,
                            SYS_getppid,
                            SYS_gettid,
                            SYS_getpgid,
                            SYS_getpgrp,
                            SYS_getsid,
                            SYS_setpgid,
                            SYS_setsid,
                            SYS_getuid,
                            SYS_geteuid,
                            SYS_getgid,
                            SYS_getegid,
                            SYS_getresuid,
                            SYS_getresgid,
                            SYS_getgroups,
                            SYS_capget,
                            SYS_sched_yield,
                            SYS_sched_getaffinity,
                            SYS_sched_getparam,
                            SYS_sched_getscheduler,
                            SYS_sched_get_priority_max,
                            SYS_sched_get_priority_min,
                            SYS_getpriority,
                            SYS_getrlimit,
                            SYS_setrlimit,
                            SYS_getrusage,
                            SYS_times,
                            SYS_sysinfo,
                            SYS_uname,
                            SYS_clock_gettime,
                            SYS_clock_getres,
                            SYS_clock_nanosleep,
                            SYS_nanosleep,
                            SYS_gettimeofday,
                            SYS_time,
                            SYS_getitimer,
                            SYS_setitimer,
                            SYS_alarm,
                            SYS_timer_create,
                            SYS_timer_settime,
                            SYS_timer_gettime,
                            SYS_timer_delete,
                            SYS_timer_getoverrun,
                            SYS_rt_sigaction,
                            SYS_rt_sigprocmask,
                            SYS_rt_sigreturn,
                            SYS_rt_sigtimedwait,
                            SYS_rt_sigpending,
                            SYS_rt_sigsuspend,
                            SYS_sigaltstack,
                            SYS_pause,
                            SYS_futex,
                            SYS_set_robust_list,
                            SYS_get_robust_list,
                            SYS_set_tid_address,
                            SYS_rseq,
                            SYS_arch_prctl,
                            SYS_getrandom,
                            SYS_getcpu,
                            SYS_restart_syscall};

// Landlock does not cover these, so they need a file system of the guest's own.
constexpr int kOwnFiles[] = {SYS_chmod, SYS_fchmod, SYS_fchmodat,  SYS_truncate,
                             SYS_utime, SYS_utimes, SYS_futimesat, SYS_utimensat};
// These need a process namespace.
constexpr int kOwnProcesses[] = {SYS_kill,
                                 SYS_tkill,
                                 SYS_tgkill,
                                 SYS_rt_sigqueueinfo,
                                 SYS_rt_tgsigqueueinfo,
                                 SYS_pidfd_open,
                                 SYS_pidfd_send_signal};
// There are none.
constexpr int kAttributes[] = {SYS_getxattr,  SYS_lgetxattr,  SYS_fgetxattr,
                               SYS_listxattr, SYS_llistxattr, SYS_flistxattr};
constexpr int kForks[] = {SYS_fork, SYS_vfork};

constexpr uint32_t kOtherNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                      CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr uint32_t kNameMapping = 0x53564d41;  // PR_SET_VMA, which the C library uses
constexpr uint32_t kOldCalls = 335;            // numbers below: the C library knows no other way
constexpr uint32_t kSocketTypeMask = 0xf;
constexpr uint32_t kArgument0 = offsetof(seccomp_data, args);

class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    jump_if_not(BPF_JEQ, AUDIT_ARCH_X86_64, 1);
    add(BPF_JMP | BPF_JA, 1);
    add(BPF_RET, SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
  }

  void allow(int call) {
    jump_if_not(BPF_JEQ, static_cast<uint32_t>(call), 1);
    give(SECCOMP_RET_ALLOW);
  }
  template <size_t n>
  void allow(const int (&calls)[n]) {
    for (const int call : calls) allow(call);
  }
  void refuse(int call, int error) {
    jump_if_not(BPF_JEQ, static_cast<uint32_t>(call), 1);
    give(SECCOMP_RET_ERRNO | static_cast<uint32_t>(error));
  }
  // Argument number `index` must be one of `values` under `mask`, or none of them if `inverse`.
  void allow_if(int call, int index, std::initializer_list<uint32_t> values, uint32_t mask = ~0U,
                bool inverse = false) {
    const auto length = static_cast<uint8_t>(3 + 2 * values.size());
    jump_if_not(BPF_JEQ, static_cast<uint32_t>(call), length);
    load(kArgument0 + 8 * static_cast<uint32_t>(index));
    add(BPF_ALU | BPF_AND | BPF_K, mask);
    for (const uint32_t value : values) {
      jump_if_not(BPF_JEQ, value, 1);
      give(inverse ? kRefused : SECCOMP_RET_ALLOW);
    }
    give(inverse ? SECCOMP_RET_ALLOW : kRefused);
  }
  // clone() with none of the flags `never` and, unless it is 0, with the flag `always`.
  void allow_clone(uint32_t never, uint32_t always) {
    jump_if_not(BPF_JEQ, SYS_clone, always == 0 ? 4 : 6);
    load(kArgument0);
    jump_if_not(BPF_JSET, never, 1);
    give(kRefused);
    if (always != 0) {
      jump_if_not(BPF_JSET, always, 1);
      give(SECCOMP_RET_ALLOW);
      give(kRefused);
      return;
    }
    give(SECCOMP_RET_ALLOW);
  }

  bool install() {
    add(BPF_JMP | BPF_JGE | BPF_K, kOldCalls, 1);
    give(kRefused);
    give(SECCOMP_RET_ERRNO | ENOSYS);
    if (size_ > kMost) return false;
    const sock_fprog program = {static_cast<uint16_t>(size_), code_};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
  }

 private:
  static constexpr int kMost = 1024;
  static constexpr uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;

  void add(unsigned code, uint32_t value, uint8_t if_true = 0, uint8_t if_false = 0) {
    if (size_ < kMost) code_[size_] = {static_cast<uint16_t>(code), if_true, if_false, value};
    ++size_;
  }
  void load(uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void jump_if_not(unsigned test, uint32_t value, uint8_t distance) {
    add(BPF_JMP | test | BPF_K, value, 0, distance);
  }
  void give(uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }

  sock_filter code_[kMost];
  int size_ = 0;
};

void allow_by_argument(Filter& filter, bool owns_processes) {
  filter.allow_if(SYS_socketpair, 1, {SOCK_STREAM}, kSocketTypeMask);
  filter.allow_if(SYS_prctl, 0, {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, kNameMapping});
  filter.allow_if(SYS_prlimit64, 0, {0});
  filter.allow_if(SYS_ioctl, 1, {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX});
  // Owners of descriptors get signals.
  filter.allow_if(SYS_fcntl, 1, {F_SETOWN, F_SETOWN_EX, F_SETSIG}, ~0U, true);
  if (owns_processes) return;
  const auto self = static_cast<uint32_t>(getpid());
  filter.allow_if(SYS_kill, 0, {self, 0});
  filter.allow_if(SYS_tgkill, 0, {self});
}

}  // namespace

Failure filter_system_calls(const Job& job) {
  const bool owns = job.header.confinement == Confinement::kNamespaces;
  const bool forks = owns || job.header.may_fork != 0;
  Filter filter;
  filter.allow(kFiles);
  filter.allow(kProcess);
  if (owns) {
    filter.allow(kOwnFiles);
    filter.allow(kOwnProcesses);
  }
  if (forks) filter.allow(kForks);
  filter.allow_clone(kOtherNamespaces, forks ? 0 : CLONE_THREAD);
  for (const int call : kAttributes) filter.refuse(call, ENOTSUP);
  filter.refuse(SYS_clone3, ENOSYS);  // its flags lie in memory, where no filter can see them
  allow_by_argument(filter, owns);
  if (filter.install() || job.header.confinement == Confinement::kNone) return kFine;
  return {Step::kSeccomp, errno};
}

}  // namespace ponder::box
