#include "device/profile.hpp"

#include <algorithm>

namespace ponder {

Cost& Cost::operator+=(const Cost& other) {
  memory_bytes += other.memory_bytes;
  activation_bytes += other.activation_bytes;
  int8_products += other.int8_products;
  float_products += other.float_products;
  return *this;
}

Cost Profile::cost() const {
  Cost sum;
  for (const Op& op : ops_) sum += op.cost;
  return sum;
}

void Profile::add(std::string_view name, double seconds, const Cost& cost) {
  auto op = std::find_if(ops_.begin(), ops_.end(), [&](const Op& o) { return o.name == name; });
  if (op == ops_.end()) op = ops_.insert(op, {.name = name, .cost = {}});
  ++op->calls;
  op->seconds += seconds;
  op->cost += cost;
}

void ProfileScope::finish() {
  const std::chrono::duration<double> seconds = Clock::now() - start_;
  profile_->inside_ = false;
  profile_->add(name_, seconds.count(), cost_);
}

}  // namespace ponder
