// What a run shows while it goes: on a terminal a few lines that are redrawn, elsewhere a line now
// and then.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "train/run.hpp"

namespace ponder {

// The lines for a terminal: a bar with time left, figures in columns, and curves of the first ones.
struct DashboardState {
  std::string stage;
  int64_t done = 0, steps = 0;
  double seconds_left = 0.0;       // 0: unknown
  double tokens_per_second = 0.0;  // 0: unknown
  std::string doing;               // "rollouts 12/64", or empty
  Figures figures;                 // of the last step
  std::vector<std::pair<std::string, std::vector<double>>> curves;
};
std::vector<std::string> dashboard_lines(const DashboardState& state, int width);

// The last `width` values as bars of one line; places without a value are blank.
std::string sparkline(const std::vector<double>& values, size_t width);

class Dashboard : public RunObserver {
 public:
  explicit Dashboard(std::string stage);
  ~Dashboard() override;  // the last lines stay

  void memory(const MemoryTable& table) override;
  void started(int64_t first_step, int64_t steps) override;
  void progress(std::string_view what, int64_t done, int64_t total) override;
  void stepped(int64_t done, const Figures& figures) override;
  void note(std::string_view line) override;
  // Takes the lines off the terminal.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void draw(bool at_once);
  void print_step();

  bool terminal_;
  size_t drawn_ = 0;  // lines on the terminal
  DashboardState state_;
  int64_t first_step_ = 0;
  double tokens_ = 0.0;  // since started()
  Clock::time_point started_, redrawn_, printed_;
};

}  // namespace ponder
