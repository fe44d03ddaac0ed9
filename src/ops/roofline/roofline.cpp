#include "ops/roofline/roofline.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "base/checked_math.hpp"
#include "core/buffer.hpp"
#include "ops/kernel_table.hpp"

namespace ponder {
namespace {

using Clock = std::chrono::steady_clock;

// A virtual machine may be told of less cache than there is.
constexpr int64_t kLeastBuffer = int64_t{1} << 30;
constexpr int64_t kMostBuffer = int64_t{2} << 30;
constexpr int64_t kReadTask = int64_t{1} << 20;
constexpr int kReads = 16;            // the first ones are slower
constexpr double kMostSeconds = 1.0;  // of reading
constexpr int kMultiplications = 5;
// Long enough that starting the threads does not count.
constexpr double kLeastSeconds = 0.01;

// Results of kernels go here, so that no kernel is left out as useless.
std::atomic<uint32_t> kept{0};

template <typename Work>
double seconds_of(Work&& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Several times the last cache, but no large part of the memory. (Free memory would be a wrong
// measure: a model that was just read leaves little, and much that can be taken back.)
int64_t buffer_bytes() {
  const int64_t cache = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  const int64_t memory = ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE);
  const int64_t wanted = std::clamp(8 * cache, kLeastBuffer, kMostBuffer);
  return std::max(std::min(wanted, memory / 8), kReadTask) / kReadTask * kReadTask;
}

double measure_reading(const Context& context) {
  const auto read = context.kernels->roofline.read;
  Buffer<std::byte> buffer(static_cast<size_t>(buffer_bytes()));
  const int64_t tasks = std::ssize(buffer.span()) / kReadTask;
  context.pool->run(tasks, [&](int64_t task, int) {  // pages that nobody wrote are all one page
    std::fill_n(buffer.data() + task * kReadTask, kReadTask, std::byte{1});
  });
  double best = 0, spent = 0;
  for (int i = 0; i < kReads && spent < kMostSeconds; ++i) {
    const double seconds = seconds_of([&] {
      context.pool->run(tasks, [&](int64_t task, int) {
        kept.fetch_add(read(buffer.data() + task * kReadTask, kReadTask),
                       std::memory_order_relaxed);
      });
    });
    best = std::max(best, static_cast<double>(buffer.size()) / seconds);
    spent += seconds;
  }
  return best;
}

// Products per second of all threads; run(rounds) does `products` each round.
template <typename Run>
double measure_products(const Context& context, int64_t products, Run&& run) {
  const int64_t threads = context.pool->size();
  const auto seconds_for = [&](int64_t rounds) {
    return seconds_of([&] {
      context.pool->run(threads, [&](int64_t, int) {
        kept.fetch_add(static_cast<uint32_t>(run(rounds) != 0.0f), std::memory_order_relaxed);
      });
    });
  };
  int64_t rounds = 1024;
  while (seconds_for(rounds) < kLeastSeconds) rounds *= 2;
  double best = 0;
  for (int i = 0; i < kMultiplications; ++i) {
    best = std::max(best, static_cast<double>(rounds * products * threads) / seconds_for(rounds));
  }
  return best;
}

}  // namespace

Roofline measure_roofline(const Context& context) {
  const RooflineKernels& kernels = context.kernels->roofline;
  Buffer<int8_t> weights(kRooflineWeights), activations(kRooflineActivations);
  Buffer<float> float_weights(kRooflineWeights / 4), float_activations(kRooflineActivations);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<int8_t>(i * 7 % 16);
  for (size_t i = 0; i < activations.size(); ++i)
    activations[i] = static_cast<int8_t>(i * 37 % 255 - 127);
  for (size_t i = 0; i < float_weights.size(); ++i)
    float_weights[i] = static_cast<float>(i % 16) - 7.5f;
  for (size_t i = 0; i < float_activations.size(); ++i)
    float_activations[i] = static_cast<float>(i % 5) - 2.0f;
  return {.bytes_per_second = measure_reading(context),
          .int8_products_per_second = measure_products(
              context, kernels.int8_products,
              [&](int64_t rounds) {
                return kernels.multiply_int8(weights.data(), activations.data(), rounds);
              }),
          .float_products_per_second =
              measure_products(context, kernels.float_products, [&](int64_t rounds) {
                return kernels.multiply_floats(float_weights.data(), float_activations.data(),
                                               rounds);
              })};
}

}  // namespace ponder
