// What a program creates once: the chosen kernels, the threads, the memory for temporaries.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "device/context.hpp"

namespace ponder {

struct RuntimeOptions {
  int threads = 0;       // 0: one per CPU
  std::string isa = {};  // empty: $PONDER_ISA, else the best of the machine
  Activations activations = Activations::kInt8;
};

class Runtime {
 public:
  static Result<Runtime> create(const RuntimeOptions& options = {});

  const Context& context() const { return context_; }

 private:
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<Arena> arena_;
  Context context_;
};

}  // namespace ponder
