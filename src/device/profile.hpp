// Where the time of a forward pass goes: every op's calls, seconds and cost.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "device/context.hpp"

namespace ponder {

// What an op has to do at least, whatever the kernel.
struct Cost {
  int64_t memory_bytes = 0;      // weights and cached keys and values: more than caches hold
  int64_t activation_bytes = 0;  // input and output, which are mostly in the caches
  int64_t int8_products = 0;     // multiply-adds of 8-bit integers
  int64_t float_products = 0;    // multiply-adds of f32

  int64_t bytes() const { return memory_bytes + activation_bytes; }
  int64_t products() const { return int8_products + float_products; }
  Cost& operator+=(const Cost& other);
};

// Filled by the ops that run with a Context pointing to it; from one thread.
class Profile {
 public:
  struct Op {
    std::string_view name;
    int64_t calls = 0;
    double seconds = 0;
    Cost cost;
  };

  const std::vector<Op>& ops() const { return ops_; }  // in the order of their first calls
  Cost cost() const;                                   // of all
  void add(std::string_view name, double seconds, const Cost& cost);

 private:
  friend class ProfileScope;
  bool inside_ = false;  // an op is running: ops that it calls are its own business
  std::vector<Op> ops_;
};

// Times an op from here to the end of the scope. Without a profile, or inside another op, nothing
// happens and the cost is not computed. `name`: a literal.
//   const ProfileScope scope(context, "matmul", [&] { return cost_of(context, args); });
class ProfileScope {
 public:
  template <typename MakeCost>
  ProfileScope(const Context& context, std::string_view name, MakeCost&& cost) {
    if (context.profile == nullptr || context.profile->inside_) return;
    profile_ = context.profile;
    profile_->inside_ = true;
    name_ = name;
    cost_ = cost();
    start_ = Clock::now();
  }
  ~ProfileScope() {
    if (profile_ != nullptr) finish();
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  void finish();

  Profile* profile_ = nullptr;
  std::string_view name_;
  Cost cost_;
  Clock::time_point start_;
};

}  // namespace ponder
