#include "cli/interrupt.hpp"

#include <signal.h>

namespace ponder {
namespace {

std::atomic<bool> stop{false};
std::atomic<bool> terminated{false};
std::atomic<int> last_signal{SIGINT};
std::atomic<int> ignored{0};
std::atomic<int> allowed{1};

static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "a signal handler may touch lock-free atomics only");

void on_signal(int number) {
  last_signal = number;
  if (number == SIGTERM) terminated = true;
  stop = true;
  if (ignored.fetch_add(1) < allowed) return;
  ::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;  // without SA_RESTART: a read waiting for input must return
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

void set_interrupt_patience(int patience) { allowed = patience; }

const std::atomic<bool>& stop_flag() { return stop; }

void clear_stop_flag() {
  if (terminated) return;
  ignored = 0;
  stop = false;
}

bool termination_requested() { return terminated; }

int signals_received() { return ignored; }

int interrupted_exit_status() { return 128 + last_signal; }

}  // namespace ponder
