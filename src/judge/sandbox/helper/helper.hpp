// The helper: a small static program of its own that the library carries and starts for each run.
// It alone sets up confinement, so none of that happens in a process with threads and large
// mappings.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "judge/sandbox/job.hpp"

namespace ponder::box {

constexpr int kMaxStrings = 256;

struct Text {
  const char* bytes;  // followed by a zero that the job's writer puts there
  uint32_t size;
};

struct GuestFile {
  const char* name;
  Text content;
};

struct Job {
  JobHeader header;
  const char* folder;  // of the box: "" with namespaces, where box/ and tmp/ are at the root
  char* arguments[kMaxStrings + 1];  // ends with a null pointer, as do the variables
  char* variables[kMaxStrings + 1];
  const char* read_paths[kMaxStrings];
  GuestFile files[kMaxStrings];
  const char* artifact;
  const char* secret;
};

// What a failed step says to whoever waits at the other end of a pipe.
struct Failure {
  Step step = Step::kDone;
  int32_t error = 0;
};
constexpr Failure kFine = {};
inline bool failed(Failure failure) { return failure.step != Step::kDone; }

// namespaces.cpp: the guest in namespaces of its own. Sends the report; gives the exit status.
int run_in_namespaces(const Job& job);

// supervise.cpp: starts the guest, watches its limits, ends what is left of it, sends the report.
// `life`: a descriptor whose end means that the parent is gone; `owns_processes`: this is process 1
// of a namespace. Returns when no process of the guest exists any more.
void supervise(const Job& job, int life, bool owns_processes);
void send_report(const Report& report);
void send_failure(Failure failure);

// files.cpp
Failure write_files(const Job& job);
Failure copy_artifact(const Job& job);
bool join(char* path, size_t size, const char* folder, const char* name);  // false: too long

// confine.cpp: gives up everything, step by step, in the process that becomes the guest.
Failure confine(const Job& job);

// landlock.cpp. Where the kernel has no Landlock this fails, unless namespaces hold already or
// nothing was asked for.
Failure restrict_files(const Job& job);

// filter.cpp
Failure filter_system_calls(const Job& job);

// probe.cpp: tries to escape; gives what it managed to do, as bits of Escape.
uint32_t try_to_escape(const Job& job);

}  // namespace ponder::box
