#include "judge/sandbox/box.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>

#include "judge/sandbox/box_files.hpp"
#include "judge/sandbox/embedded.hpp"

namespace ponder {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kStranger = 65534;  // "nobody": who guests are when root starts them
constexpr double kPatience = 10;       // seconds behind a job's own wall time
constexpr size_t kReadAtOnce = 1 << 16;

std::string system_error(const std::string& what) { return what + ": " + std::strerror(errno); }

const char* step_name(box::Step step) {
  static constexpr const char* kNames[] = {"nothing",
                                           "reading the job",
                                           "making namespaces",
                                           "mapping ids",
                                           "mounting",
                                           "writing files",
                                           "starting a process",
                                           "setting limits",
                                           "dropping privileges",
                                           "Landlock",
                                           "installing the filter of system calls",
                                           "starting the program",
                                           "fetching the result"};
  const auto index = static_cast<size_t>(step);
  return index < std::size(kNames) ? kNames[index] : "an unknown step";
}

int64_t microseconds(double seconds) { return std::llround(std::clamp(seconds, 0.0, 1e6) * 1e6); }

// The two ends of a pipe or of a pair of sockets.
struct Pair {
  Fd ours, theirs;
};

Pair make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  return {moved_up(Fd(ends[0])), moved_up(Fd(ends[1]))};
}

Pair make_sockets(int type) {
  int ends[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) return {};
  return {moved_up(Fd(ends[0])), moved_up(Fd(ends[1]))};
}

// Settings of a spawn that free themselves.
struct SpawnActions {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnActions() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnActions() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  void give(const Fd& source, int target) {
    if (source) posix_spawn_file_actions_adddup2(&actions, source.get(), target);
  }
};

}  // namespace

// One helper and what connects us with it.
class RunningBox {
 public:
  RunningBox(const BoxRunner& runner, const BoxJob& job) : runner_(runner), job_(job) {}
  ~RunningBox() { finish(true); }

  void start(const BoxRunner::Settings& settings, const box::JobHeader& header,
             const std::string& secret);
  bool running() const { return process_ > 0; }
  void stop() const { shutdown(control_.get(), SHUT_WR); }

  // For poll(): what to wait for, and what to do then.
  void add_waits(std::vector<pollfd>& waits) const;
  void act();
  void check_time();

  BoxReport take_report() { return std::move(report_); }

 private:
  bool spawn(const Fd& job_file, const Fd& input, Pair& out, Pair& err, Pair& control);
  bool read_stream(Fd& stream, std::string& text, bool& cut);
  void read_control();
  void read_channel();
  void finish(bool kill_it);
  void take(const box::Report& report);

  const BoxRunner& runner_;
  const BoxJob& job_;
  BoxFolder folder_;
  Fd out_, err_, control_, channel_, channel_inside_, artifact_;
  pid_t process_ = -1;
  Clock::time_point deadline_;
  bool reported_ = false, nonce_sent_ = false;
  std::string from_channel_;
  BoxReport report_;
};

void RunningBox::start(const BoxRunner::Settings& settings, const box::JobHeader& header,
                       const std::string& secret) {
  if (settings.confinement != box::Confinement::kNamespaces) {
    auto folder = BoxFolder::create();
    if (!folder.ok()) {
      report_.problem = folder.error().message();
      return;
    }
    folder_ = std::move(folder).value();
  }
  const JobText text{header, job_, settings.read_paths, settings.variables, folder_.path(), secret};
  const Fd job_file = memory_file("ponder-job", text.text());
  const Fd input = job_.input.empty() ? moved_up(Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)))
                                      : memory_file("input", job_.input);
  if (!job_.artifact.empty()) artifact_ = memory_file("artifact", {});
  Pair out = make_pipe(), err = make_pipe(), control = make_sockets(SOCK_SEQPACKET);
  // Pipes: ours is the reading end.
  bool fine = job_file && input && out.theirs && err.theirs && control.theirs &&
              (job_.artifact.empty() || artifact_);
  if (fine && !job_.nonce.empty()) {
    Pair channel = make_sockets(SOCK_STREAM);
    fine = static_cast<bool>(channel.theirs);
    channel_ = std::move(channel.ours);
    channel_inside_ = std::move(channel.theirs);
  } else if (fine && job_.channel >= 0) {
    channel_inside_ = Fd(fcntl(job_.channel, F_DUPFD_CLOEXEC, 10));
    fine = static_cast<bool>(channel_inside_);
  }
  if (!fine || !spawn(job_file, input, out, err, control)) {
    report_.problem = system_error("cannot start the helper of the sandbox");
    return;
  }
  out_ = std::move(out.ours);
  err_ = std::move(err.ours);
  control_ = std::move(control.ours);
  channel_inside_.reset();
  deadline_ =
      Clock::now() + std::chrono::microseconds(microseconds(job_.limits.wall_seconds + kPatience));
}

bool RunningBox::spawn(const Fd& job_file, const Fd& input, Pair& out, Pair& err, Pair& control) {
  SpawnActions spawn;
  spawn.give(input, 0);
  spawn.give(out.theirs, 1);
  spawn.give(err.theirs, 2);
  spawn.give(job_file, box::kJobFd);
  spawn.give(control.theirs, box::kControlFd);
  // Where nothing is given the numbers must be taken all the same, or the helper's own descriptors
  // get them.
  spawn.give(channel_inside_ ? channel_inside_ : job_file, box::kChannelFd);
  spawn.give(artifact_ ? artifact_ : job_file, box::kArtifactFd);
  posix_spawnattr_setflags(&spawn.attributes, POSIX_SPAWN_SETSID);
  const std::string path = "/proc/self/fd/" + std::to_string(runner_.helper_.get());
  char name[] = "ponder-box";
  char* arguments[] = {name, nullptr};
  char* variables[] = {nullptr};
  const int error =
      posix_spawn(&process_, path.c_str(), &spawn.actions, &spawn.attributes, arguments, variables);
  if (error != 0) process_ = -1;
  errno = error;
  return error == 0;
}

void RunningBox::add_waits(std::vector<pollfd>& waits) const {
  for (const Fd* fd : {&out_, &err_, &control_, &channel_}) {
    if (*fd) waits.push_back({fd->get(), POLLIN, 0});
  }
}

// Reads what is there without waiting; false when the other end is closed.
bool RunningBox::read_stream(Fd& stream, std::string& text, bool& cut) {
  pollfd wait = {stream.get(), POLLIN, 0};
  while (poll(&wait, 1, 0) > 0) {
    char buffer[kReadAtOnce];
    const ssize_t size = read(stream.get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      stream.reset();
      return false;
    }
    const auto room = static_cast<size_t>(job_.limits.output_bytes) - text.size();
    text.append(buffer, std::min(room, static_cast<size_t>(size)));
    if (static_cast<size_t>(size) > room) {
      cut = true;
      return true;  // the rest at the next look: others wait too
    }
  }
  return true;
}

void RunningBox::read_channel() {
  char buffer[256];
  const ssize_t size = recv(channel_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0 || from_channel_.size() > sizeof buffer) {
    channel_.reset();
    return;
  }
  from_channel_.append(buffer, static_cast<size_t>(size));
  if (nonce_sent_ || from_channel_[0] != 'r') return;
  nonce_sent_ = send(channel_.get(), job_.nonce.data(), job_.nonce.size(), MSG_NOSIGNAL) > 0;
}

void RunningBox::read_control() {
  box::Report report;
  const ssize_t size = recv(control_.get(), &report, sizeof report, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size == sizeof report && !reported_) {
    reported_ = true;
    take(report);
    return;
  }
  finish(size != 0);  // its end; anything else is no helper of ours
}

void RunningBox::take(const box::Report& report) {
  report_.wait_status = report.wait_status;
  report_.killed_for = report.killed_for;
  report_.cpu_seconds = static_cast<double>(report.cpu_us) / 1e6;
  report_.wall_seconds = static_cast<double>(report.wall_us) / 1e6;
  report_.peak_bytes = report.peak_bytes;
  report_.escapes = report.escapes;
  report_.left_over = report.processes;
  if (report.failed_step != box::Step::kDone) {
    report_.problem = std::string("the sandbox failed at ") + step_name(report.failed_step) + ": " +
                      std::strerror(report.failed_errno);
  }
}

void RunningBox::act() {
  if (out_) read_stream(out_, report_.out, report_.out_cut);
  if (err_) read_stream(err_, report_.err, report_.err_cut);
  if (channel_) read_channel();
  if (job_.stop_at_output && report_.out_cut) stop();
  if (control_) read_control();
}

void RunningBox::check_time() {
  if (!running() || Clock::now() < deadline_) return;
  report_.problem = "the helper of the sandbox does not answer";
  finish(true);
}

void RunningBox::finish(bool kill_it) {
  if (!running()) return;
  if (kill_it) kill(process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  control_.reset();
  if (out_) read_stream(out_, report_.out, report_.out_cut);
  if (err_) read_stream(err_, report_.err, report_.err_cut);
  if (channel_) read_channel();
  out_.reset();
  err_.reset();
  report_.nonce_returned = !job_.nonce.empty() && from_channel_ == "r" + job_.nonce;
  if (artifact_) report_.artifact = content_of(artifact_, job_.limits.file_bytes);
  if (!reported_ && report_.problem.empty())
    report_.problem = "the helper of the sandbox ended without a report";
}

bool BoxReport::exited(int status) const {
  return problem.empty() && killed_for == box::KilledFor::kNothing && WIFEXITED(wait_status) &&
         WEXITSTATUS(wait_status) == status;
}

namespace {

box::JobHeader header_of(const BoxJob& job, box::Confinement confinement) {
  const BoxLimits& limits = job.limits;
  box::JobHeader header = {};
  header.confinement = confinement;
  header.kind = box::JobKind::kRun;
  header.uid = header.gid = kStranger;
  header.cpu_us = microseconds(limits.cpu_seconds);
  header.wall_us = microseconds(limits.wall_seconds);
  header.memory_bytes = limits.memory_bytes;
  header.file_bytes = limits.file_bytes;
  header.tmp_bytes = limits.tmp_bytes;
  header.stack_bytes = limits.stack_bytes;
  header.processes = limits.processes;
  header.may_fork = job.may_fork ? 1 : 0;
  header.has_channel = job.channel >= 0 || !job.nonce.empty() ? 1 : 0;
  return header;
}

std::vector<BoxReport> reports_of(std::vector<std::unique_ptr<RunningBox>>& boxes) {
  constexpr int kLookMs = 500;
  std::vector<pollfd> waits;
  bool told = false;
  for (;;) {
    waits.clear();
    bool any = false;
    for (const auto& box : boxes) {
      if (!box->running()) continue;
      any = true;
      box->add_waits(waits);
    }
    if (!any) break;
    if (!told && !boxes.front()->running()) {
      told = true;
      for (const auto& box : boxes) {
        if (box->running()) box->stop();
      }
    }
    poll(waits.data(), waits.size(), kLookMs);
    for (const auto& box : boxes) {
      if (box->running()) box->act();
      box->check_time();
    }
  }
  std::vector<BoxReport> reports;
  for (const auto& box : boxes) reports.push_back(box->take_report());
  return reports;
}

}  // namespace

BoxRunner::BoxRunner(Settings settings, Fd helper)
    : settings_(std::move(settings)), helper_(std::move(helper)) {
  for (const char* path : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
                           "/etc/alternatives", "/etc/ld.so.cache"})
    settings_.read_paths.emplace_back(path);
}

Result<BoxRunner> BoxRunner::create(Settings settings) {
  Fd helper = memory_file("ponder-box", embedded::helper(), true);
  if (!helper)
    return Failure{
        {.what = system_error("cannot make a memory file for the helper of the sandbox")}};
  return BoxRunner(std::move(settings), std::move(helper));
}

std::vector<BoxReport> BoxRunner::run(std::span<const BoxJob> jobs,
                                      const std::function<void()>& started) const {
  std::vector<std::unique_ptr<RunningBox>> boxes;
  for (const BoxJob& job : jobs) {
    boxes.push_back(std::make_unique<RunningBox>(*this, job));
    boxes.back()->start(settings_, header_of(job, settings_.confinement), {});
  }
  if (started) started();
  return reports_of(boxes);
}

BoxReport BoxRunner::run_probe(const std::string& secret, int port) const {
  const BoxJob job{.arguments = {"probe"}, .files = {}, .limits = {}};
  box::JobHeader header = header_of(job, settings_.confinement);
  header.kind = box::JobKind::kProbe;
  header.probe_port = port;
  header.probe_pid = getpid();
  std::vector<std::unique_ptr<RunningBox>> boxes;
  boxes.push_back(std::make_unique<RunningBox>(*this, job));
  boxes.back()->start(settings_, header, secret);
  return std::move(reports_of(boxes).front());
}

}  // namespace ponder
