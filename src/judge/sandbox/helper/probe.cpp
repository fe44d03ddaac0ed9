// Tries, from inside, what a guest must not be able to do.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include <climits>
#include <cstdio>

#include "judge/sandbox/helper/helper.hpp"

namespace ponder::box {
namespace {

bool opens(const char* path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  close(fd);
  return true;
}

bool connects(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

bool gains_privileges(const char* tmp) {
  return setuid(0) == 0 || mount("tmpfs", tmp, "tmpfs", 0, nullptr) == 0;
}

}  // namespace

uint32_t try_to_escape(const Job& job) {
  char tmp[PATH_MAX], file[PATH_MAX], beside[PATH_MAX];
  if (!join(tmp, sizeof tmp, job.folder, "tmp") || !join(file, sizeof file, tmp, "probe"))
    return ~0U;
  std::snprintf(beside, sizeof beside, "%s.written", job.secret);
  const pid_t asker = job.header.probe_pid;
  uint32_t escapes = 0;
  const auto note = [&](bool possible, Escape escape) { escapes |= possible ? escape : 0U; };
  note(opens(job.secret, O_RDONLY), kReadsSecret);
  note(opens(job.secret, O_WRONLY) || opens(beside, O_WRONLY | O_CREAT), kWritesOutside);
  note(connects(job.header.probe_port), kConnects);
  note(kill(asker, 0) == 0, kSignals);
  note(ptrace(PTRACE_SEIZE, asker, nullptr, nullptr) == 0, kTraces);
  note(unshare(CLONE_NEWUSER) == 0, kNamespacesAgain);
  note(gains_privileges(tmp), kGainsPrivileges);
  note(!opens(file, O_WRONLY | O_CREAT), kNoTmp);
  return escapes;
}

}  // namespace ponder::box
