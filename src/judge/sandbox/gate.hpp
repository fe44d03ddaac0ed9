// Lets so many through at once, or one alone.
#pragma once

#include <condition_variable>
#include <mutex>

namespace ponder {

class Gate {
 public:
  explicit Gate(int places) : free_(places), places_(places) {}

  // Holds one place, or all of them, as long as it lives.
  class Pass {
   public:
    Pass(Gate& gate, bool alone) : gate_(gate), count_(alone ? gate.places_ : 1) {
      std::unique_lock lock(gate_.mutex_);
      if (alone) {
        // Nobody new gets in meanwhile, and no second one collects places.
        gate_.changed_.wait(lock, [this] { return !gate_.collecting_; });
        gate_.collecting_ = true;
        gate_.changed_.wait(lock, [this] { return gate_.free_ == gate_.places_; });
        gate_.collecting_ = false;
      } else {
        gate_.changed_.wait(lock, [this] { return !gate_.collecting_ && gate_.free_ > 0; });
      }
      gate_.free_ -= count_;
    }
    ~Pass() {
      {
        const std::lock_guard lock(gate_.mutex_);
        gate_.free_ += count_;
      }
      gate_.changed_.notify_all();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    Gate& gate_;
    int count_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int free_;
  const int places_;
  bool collecting_ = false;
};

}  // namespace ponder
