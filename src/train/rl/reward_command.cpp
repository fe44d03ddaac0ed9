#include "train/rl/reward_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "base/env.hpp"

namespace ponder {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostLine = 1 << 16;  // of what the command writes

Failure failure(const std::string& what, const std::string& command) {
  return Failure{{.what = what,
                  .where = "reward command " + command,
                  .mend = "it must write {\"reward\": NUMBER} and a line feed for each line read"}};
}

// Both ends, closed in children unless they are given on.
struct Pipe {
  int read = -1, write = -1;
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
};

void close_end(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

// A shell of its own process group, with the usual signals.
int spawn_shell(const std::string& command, int input, int output, pid_t& child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  sigset_t usual;
  ::sigemptyset(&usual);
  ::posix_spawnattr_setsigmask(&attributes, &usual);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) ::sigaddset(&usual, signal);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string shell = "/bin/sh", flag = "-c", text = command;
  char* arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
  const int error =
      ::posix_spawn(&child, shell.c_str(), &actions, &attributes, arguments, whole_environment());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

}  // namespace

RewardCommand::~RewardCommand() { end(); }

Result<void> RewardCommand::start() {
  if (child_ > 0) return {};
  Pipe in, out;
  int error = 0;
  if (!in.open() || !out.open()) {
    error = errno;
  } else {
    error = spawn_shell(options_.command, in.read, out.write, child_);
  }
  close_end(in.read);
  close_end(out.write);
  to_ = in.write;
  from_ = out.read;
  if (error == 0) {
    for (const int end : {to_, from_}) ::fcntl(end, F_SETFL, O_NONBLOCK);
    return {};
  }
  child_ = -1;
  end();
  return failure(std::string("cannot be started: ") + std::strerror(error), options_.command);
}

void RewardCommand::end() {
  close_end(to_);
  close_end(from_);
  read_.clear();
  if (child_ <= 0) return;
  ::kill(-child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
}

// Writes a line and waits for one; both directions at once, since either may be full.
Result<std::string> RewardCommand::exchange(const std::string& line) {
  const auto last = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                       std::chrono::duration<double>(options_.seconds));
  size_t written = 0;
  for (;;) {
    const size_t end_of_line = read_.find('\n');
    if (written == line.size() && end_of_line != std::string::npos) {
      const std::string answer = read_.substr(0, end_of_line);
      read_.erase(0, end_of_line + 1);
      return answer;
    }
    if (read_.size() > kMostLine) return failure("its line is too long", options_.command);
    pollfd ends[] = {{from_, POLLIN, 0}, {to_, POLLOUT, 0}};
    const nfds_t count = written < line.size() ? 2 : 1;
    const int ready = ::poll(ends, count, milliseconds_until(last));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return failure("the time for one answer is over", options_.command);
    if (ends[0].revents != 0) {
      char buffer[4096];
      const ssize_t got = ::read(from_, buffer, sizeof buffer);
      if (got == 0) return failure("it has ended", options_.command);
      if (got > 0) read_.append(buffer, static_cast<size_t>(got));
      if (got < 0 && errno != EAGAIN && errno != EINTR)
        return failure(std::strerror(errno), options_.command);
    }
    if (count == 2 && ends[1].revents != 0) {
      const ssize_t sent = ::write(to_, line.data() + written, line.size() - written);
      if (sent > 0) written += static_cast<size_t>(sent);
      if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return failure("it has ended", options_.command);
    }
  }
}

Result<double> RewardCommand::ask(const Json& question) {
  PONDER_TRY(start());
  const auto read_reward = [&]() -> Result<double> {
    const std::string answer =
        PONDER_TRY(exchange(question.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"));
    const Json object = PONDER_TRY(parse_json(answer, "reward command", 8));
    return number_field(object, "reward", "reward command", {options_.least, options_.most});
  };
  auto reward = read_reward();
  if (!reward.ok()) end();
  return reward;
}

}  // namespace ponder
