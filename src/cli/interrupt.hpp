// Ctrl-C and termination: a flag that long work looks at, and an end for the impatient.
#pragma once

#include <atomic>

namespace ponder {

// From now on SIGINT and SIGTERM set stop_flag(); when the flag has been ignored `patience` times,
// the next signal kills. SIGPIPE is ignored, so that writing to a closed pipe is an error.
void install_signal_handlers();
void set_interrupt_patience(int patience);  // 1 at the start

const std::atomic<bool>& stop_flag();
void clear_stop_flag();        // not after SIGTERM: that one stays
bool termination_requested();  // SIGTERM came
int signals_received();        // since the start or the last clear_stop_flag()

// 128 + the number of the last signal: what a shell expects of an interrupted program.
int interrupted_exit_status();

}  // namespace ponder
