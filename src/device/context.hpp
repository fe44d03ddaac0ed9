// What every op needs to run: which kernels, on which threads. Passed explicitly; no globals.
#pragma once

#include "base/thread_pool.hpp"
#include "core/arena.hpp"
#include "device/cpu.hpp"

namespace ponder {

struct KernelTable;  // ops/kernel_table.hpp
class Profile;       // device/profile.hpp

// How a product with quantised weights treats its activations. kInt8: rounded to 8 bits with a
// scale for 32 or 256 of them (fast). kFloat: kept in f32 (the reference that the fast form is
// judged against).
enum class Activations { kInt8, kFloat };

// Made by Runtime (ops/runtime.hpp). One forward pass at a time uses a context.
struct Context {
  Isa isa = Isa::kRef;
  const KernelTable* kernels = nullptr;  // of that isa, complete; never null
  ThreadPool* pool = nullptr;            // not owned
  Arena* arena = nullptr;                // not owned; temporaries of ops
  Activations activations = Activations::kInt8;
  Profile* profile = nullptr;  // not owned; null: ops are not timed
};

}  // namespace ponder
