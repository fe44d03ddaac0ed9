#include "ops/runtime.hpp"

#include "base/env.hpp"
#include "ops/kernel_table.hpp"

namespace ponder {
namespace {

constexpr int kMaxThreads = 1024;

}  // namespace

Result<Runtime> Runtime::create(const RuntimeOptions& options) {
  if (options.threads < 0 || options.threads > kMaxThreads) {
    return Failure{{.what = std::to_string(options.threads) + " threads cannot be started",
                    .where = "--threads",
                    .mend = "use 1 to " + std::to_string(kMaxThreads) + ", or 0 for one per CPU"}};
  }
  const std::string name =
      options.isa.empty() ? environment("PONDER_ISA").value_or("") : options.isa;
  const Isa isa = PONDER_TRY(choose_isa(name));
  Runtime runtime;
  runtime.pool_ = std::make_unique<ThreadPool>(options.threads);
  runtime.arena_ = std::make_unique<Arena>();
  runtime.context_ = {.isa = isa,
                      .kernels = &kernel_table(isa),
                      .pool = runtime.pool_.get(),
                      .arena = runtime.arena_.get(),
                      .activations = options.activations};
  return runtime;
}

}  // namespace ponder
