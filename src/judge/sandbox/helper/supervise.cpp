// Starts the guest and watches it: limits that hold for all its processes together are looked at
// every few milliseconds, and when it ends everything that it started ends with it.
#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "judge/sandbox/helper/helper.hpp"

namespace ponder::box {
namespace {

constexpr int kLookMs = 10;
constexpr int64_t kSharedSlack = int64_t{32} << 20;  // programs and libraries count as resident

int64_t clock_us(clockid_t clock) {
  timespec time;
  if (clock_gettime(clock, &time) != 0) return 0;
  return int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
}

int64_t cpu_of(pid_t process) {
  clockid_t clock;
  return clock_getcpuclockid(process, &clock) == 0 ? clock_us(clock) : 0;
}

// The first `size` − 1 bytes of a small file.
bool read_small(const char* path, char* text, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t count = read(fd, text, size - 1);
  close(fd);
  if (count <= 0) return false;
  text[count] = '\0';
  return true;
}

int64_t resident_bytes(pid_t process) {
  char path[64], text[128];
  std::snprintf(path, sizeof path, "/proc/%d/statm", process);
  if (!read_small(path, text, sizeof text)) return 0;
  const char* second = std::strchr(text, ' ');
  return second == nullptr ? 0 : std::strtoll(second, nullptr, 10) * sysconf(_SC_PAGESIZE);
}

pid_t parent_of(pid_t process) {
  char path[64], text[512];
  std::snprintf(path, sizeof path, "/proc/%d/stat", process);
  if (!read_small(path, text, sizeof text)) return -1;
  const char* behind_name = std::strrchr(text, ')');  // "12 (name) S 1 …"
  if (behind_name == nullptr || std::strlen(behind_name) < 4) return -1;
  return std::atoi(behind_name + 4);
}

// Calls visit(process) for every process that /proc shows; false if there is no /proc.
template <typename Visit>
bool for_each_process(Visit&& visit) {
  const int folder = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  alignas(8) char entries[4096];
  bool any = false;
  for (long size; (size = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0;) {
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
      if (const int process = std::atoi(entry->d_name); process > 0) {
        any = true;
        visit(static_cast<pid_t>(process));
      }
      at += entry->d_reclen;
    }
  }
  close(folder);
  return any;
}

class Supervisor {
 public:
  Supervisor(const Job& job, int life, bool owns) : job_(job), life_(life), owns_(owns) {}
  void run();

 private:
  [[noreturn]] void become_guest(int errors) const;
  Failure start(Report& report);
  void watch(Report& report);
  KilledFor over_limit() const;
  bool reap(int options);
  void end_all();
  uint32_t end_strays() const;

  const Job& job_;
  int life_;
  bool owns_;
  int signals_ = -1;
  pid_t guest_ = -1;
  int status_ = 0;
  bool ended_ = false;
  uint32_t others_ = 0;
  int64_t started_us_ = 0;
};

void Supervisor::become_guest(int errors) const {
  const auto give_up = [errors](Failure failure) {
    if (write(errors, &failure, sizeof failure) < 0) _exit(126);
    _exit(127);
  };
  setsid();
  close(kGuestChannel);
  if (job_.header.has_channel != 0 && dup2(kChannelFd, kGuestChannel) < 0)
    give_up({Step::kFork, errno});
  syscall(SYS_close_range, kGuestChannel + 1, errors - 1, 0);
  syscall(SYS_close_range, errors + 1, ~0U, 0);
  char folder[PATH_MAX];
  if (!join(folder, sizeof folder, job_.folder, "tmp") || chdir(folder) != 0)
    give_up({Step::kFork, errno});
  if (const Failure failure = confine(job_); failed(failure)) give_up(failure);
  if (job_.header.kind == JobKind::kProbe)
    give_up({Step::kDone, static_cast<int32_t>(try_to_escape(job_))});
  execve(job_.arguments[0], job_.arguments, job_.variables);
  give_up({Step::kExec, errno});
  _exit(127);
}

Failure Supervisor::start(Report& report) {
  sigset_t child_ends;
  sigemptyset(&child_ends);
  sigaddset(&child_ends, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_ends, nullptr);
  signals_ = signalfd(-1, &child_ends, SFD_CLOEXEC | SFD_NONBLOCK);
  int errors[2];
  if (signals_ < 0 || pipe2(errors, O_CLOEXEC) != 0) return {Step::kFork, errno};
  guest_ = fork();
  if (guest_ < 0) return {Step::kFork, errno};
  if (guest_ == 0) become_guest(errors[1]);
  close(errors[1]);
  close(kChannelFd);
  Failure failure;
  const ssize_t size = read(errors[0], &failure, sizeof failure);
  close(errors[0]);
  started_us_ = clock_us(CLOCK_MONOTONIC);
  if (size != sizeof failure) return kFine;  // closed by execve()
  if (!failed(failure)) report.escapes = static_cast<uint32_t>(failure.error);
  return failure;
}

// True if the guest itself has ended.
bool Supervisor::reap(int options) {
  int status;
  for (pid_t process; (process = waitpid(-1, &status, options)) > 0;) {
    if (process != guest_) continue;
    status_ = status;
    ended_ = true;
  }
  return ended_;
}

KilledFor Supervisor::over_limit() const {
  const JobHeader& limits = job_.header;
  rusage reaped;
  getrusage(RUSAGE_CHILDREN, &reaped);
  int64_t cpu = int64_t{reaped.ru_utime.tv_sec + reaped.ru_stime.tv_sec} * 1'000'000 +
                reaped.ru_utime.tv_usec + reaped.ru_stime.tv_usec;
  int64_t memory = 0;
  const auto add = [&](pid_t process) {
    if (process == getpid()) return;
    cpu += cpu_of(process);
    memory += resident_bytes(process);
  };
  if (!owns_ || !for_each_process(add)) add(guest_);
  if (cpu > limits.cpu_us) return KilledFor::kCpu;
  if (memory > limits.memory_bytes + kSharedSlack) return KilledFor::kMemory;
  if (clock_us(CLOCK_MONOTONIC) - started_us_ > limits.wall_us) return KilledFor::kWall;
  return KilledFor::kNothing;
}

void Supervisor::watch(Report& report) {
  while (!reap(WNOHANG)) {
    pollfd waits[2] = {{signals_, POLLIN, 0}, {life_, POLLIN | POLLRDHUP, 0}};
    poll(waits, 2, kLookMs);
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof info) > 0) {
    }
    report.killed_for = waits[1].revents != 0 ? KilledFor::kAsked : over_limit();
    if (report.killed_for != KilledFor::kNothing && !reap(WNOHANG)) return;
    report.killed_for = KilledFor::kNothing;
  }
}

// Kills what has become our child because its own parent is gone.
uint32_t Supervisor::end_strays() const {
  uint32_t count = 0;
  const pid_t self = getpid();
  for_each_process([&](pid_t process) {
    if (process != guest_ && parent_of(process) == self && kill(process, SIGKILL) == 0) ++count;
  });
  return count;
}

void Supervisor::end_all() {
  if (owns_) {
    for_each_process([this](pid_t process) {
      if (process != getpid() && process != guest_) ++others_;
    });
    do {
      kill(-1, SIGKILL);
      reap(0);
    } while (errno != ECHILD);
    return;
  }
  if (!ended_) kill(guest_, SIGKILL);
  for (;;) {
    kill(-guest_, SIGKILL);  // its group
    others_ += end_strays();
    int status;
    const pid_t process = waitpid(-1, &status, WNOHANG);
    if (process == guest_) {
      status_ = status;
      ended_ = true;
    }
    if (process < 0 && errno == ECHILD) return;
    if (process == 0) usleep(1000);
  }
}

void Supervisor::run() {
  Report report = {};
  const Failure failure = start(report);
  if (guest_ > 0) {
    if (!failed(failure)) watch(report);
    report.wall_us = clock_us(CLOCK_MONOTONIC) - started_us_;
    end_all();
  }
  rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  report.failed_step = failure.step;
  report.failed_errno = failed(failure) ? failure.error : 0;
  report.wait_status = status_;
  report.cpu_us = int64_t{used.ru_utime.tv_sec + used.ru_stime.tv_sec} * 1'000'000 +
                  used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  report.peak_bytes = int64_t{used.ru_maxrss} * 1024;
  report.processes = others_;
  if (report.killed_for == KilledFor::kNothing && report.cpu_us > job_.header.cpu_us)
    report.killed_for = KilledFor::kCpu;
  if (!failed(failure) && job_.header.has_artifact != 0 && WIFEXITED(status_) &&
      WEXITSTATUS(status_) == 0) {
    const Failure copying = copy_artifact(job_);
    report.failed_step = copying.step;
    report.failed_errno = copying.error;
  }
  send_report(report);
}

}  // namespace

void supervise(const Job& job, int life, bool owns_processes) {
  Supervisor(job, life, owns_processes).run();
}

void send_report(const Report& report) {
  // Nobody is left to be told if this fails: the parent takes silence for a failure of ours.
  if (send(kControlFd, &report, sizeof report, MSG_NOSIGNAL) < 0) errno = 0;
}

void send_failure(Failure failure) {
  Report report = {};
  report.failed_step = failure.step;
  report.failed_errno = failure.error;
  send_report(report);
}

}  // namespace ponder::box
