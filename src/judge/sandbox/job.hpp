// What the program and its helper tell each other: a job, written to a memory file, and a report,
// sent over a socket. Both are built from the same source, so this is no format to keep.
#pragma once

#include <cstdint>

namespace ponder::box {

// Descriptors that the helper is started with. 0, 1 and 2 are the guest's own.
constexpr int kJobFd = 3;       // the job
constexpr int kControlFd = 4;   // the report goes out; its end asks to stop
constexpr int kChannelFd = 5;   // becomes the guest's descriptor 3, if the job says so
constexpr int kArtifactFd = 6;  // gets the file that the job asks for, if it does

constexpr int kGuestChannel = 3;

enum class Confinement : int32_t { kNamespaces, kLandlock, kNone };
enum class JobKind : int32_t { kRun, kProbe };

// Followed by strings, each a uint32_t length and its bytes: the folder of the box, arguments,
// variables, paths to read, then name and content of each file, then the name of the artifact in
// the box's tmp/ if `has_artifact`; for a probe the path of a secret file behind all that.
struct JobHeader {
  Confinement confinement;
  JobKind kind;
  uint32_t uid, gid;  // to become where the helper may; otherwise it stays who it is
  int64_t cpu_us, wall_us;
  int64_t memory_bytes;  // of all processes
  int64_t file_bytes;    // of one file
  int64_t tmp_bytes;     // of all files in tmp/, with namespaces
  int64_t stack_bytes;
  int32_t processes;
  int32_t may_fork;  // without namespaces: whether there may be more than one process
  int32_t arguments, variables, read_paths, files;
  int32_t has_artifact;
  int32_t has_channel;
  int32_t probe_port;  // of a listener on the loopback address
  int32_t probe_pid;   // of the process that asks
};

// Where setting up ended.
enum class Step : int32_t {
  kDone,
  kJob,
  kClone,
  kIdMaps,
  kMounts,
  kFiles,
  kFork,
  kLimits,
  kPrivileges,
  kLandlock,
  kSeccomp,
  kExec,
  kArtifact,
};

enum class KilledFor : int32_t { kNothing, kCpu, kWall, kMemory, kAsked };

// What a probe could do, though it should not.
enum Escape : uint32_t {
  kReadsSecret = 1,
  kWritesOutside = 2,
  kConnects = 4,
  kSignals = 8,
  kTraces = 16,
  kNamespacesAgain = 32,
  kGainsPrivileges = 64,
  kNoTmp = 128,  // and what it should be able to: write to tmp/
};

struct Report {
  Step failed_step;  // kDone: the guest was started, the rest holds
  int32_t failed_errno;
  int32_t wait_status;
  KilledFor killed_for;
  int64_t cpu_us, wall_us, peak_bytes;
  uint32_t escapes;    // of a probe
  uint32_t processes;  // left over when the guest ended, and ended with it
};

}  // namespace ponder::box
