// Products of f32 and their gradients beside OpenBLAS's, if that is installed, in one run:
//   build/release/ops_bench --benchmark_filter=gemm/.*1024 --benchmark_repetitions=5
//   OPENBLAS_CORETYPE=HASWELL build/release/ops_bench --benchmark_filter='gemm/.*avx2'
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "core/buffer.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/matmul/matmul_backward.hpp"
#include "testing/isas.hpp"
#include "testing/numbers.hpp"

#ifdef PONDER_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace ponder {
namespace {

enum class Direction { kForward, kInput, kWeight };

struct GemmShape {
  int64_t rows, outputs, inputs;  // T, N, K

  std::string name() const {
    return std::to_string(rows) + "x" + std::to_string(outputs) + "x" + std::to_string(inputs);
  }
};

// A cube, the shapes of small models (attention, feed-forward, expert), and Qwen2.5 0.5B.
constexpr GemmShape kGemmShapes[] = {{1024, 1024, 1024}, {512, 128, 128},  {4096, 128, 128},
                                     {1024, 256, 256},   {2048, 512, 256}, {2048, 256, 512},
                                     {4096, 512, 512},   {512, 512, 128},  {512, 4864, 896}};

// In the memory that the trainer uses (large pages), for both sides.
Buffer<float> random_buffer(uint64_t seed, int64_t count) {
  const auto values = testing::random_floats(seed, count);
  Buffer<float> buffer(values.size());
  prefer_huge_pages(buffer.data(), buffer.size() * sizeof(float));
  std::copy(values.begin(), values.end(), buffer.data());
  return buffer;
}

struct Matrices {
  Buffer<float> x, w, y, dw;

  explicit Matrices(const GemmShape& s)
      : x(random_buffer(1, s.rows * s.inputs)),
        w(random_buffer(2, s.outputs * s.inputs)),
        y(random_buffer(3, s.rows * s.outputs)),
        dw(random_buffer(4, s.inputs * (s.outputs + 15) / 16 * 16)) {}
};

// One thread's own time, which others on the machine do not add to; time by the clock for several.
double clock_seconds(int threads) {
  timespec now{};
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Seconds of calls, in rounds: the peer's threads are asleep again before a round begins, since
// idle ones of OpenBLAS keep a core busy for a while.
template <typename Call>
void time_round(int threads, std::vector<double>& seconds, Call&& call) {
  constexpr auto kAsleep = std::chrono::milliseconds(40);
  constexpr double kRound = 6e-3;
  if (threads > 1) std::this_thread::sleep_for(kAsleep);
  for (int i = 0; i < 2; ++i) call();  // caches and threads get ready
  double now = clock_seconds(threads);
  const double end = now + kRound;
  for (int i = 0; i < 3 || now < end; ++i) {
    const double start = now;
    call();
    now = clock_seconds(threads);
    seconds.push_back(now - start);
  }
}

// The tenth part of calls takes no longer: what others do on the machine is left out.
double fastest_tenth(std::vector<double> values) {
  const auto place = values.begin() + std::ssize(values) / 10;
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

class Own {
 public:
  Own(Isa isa, int threads, Direction direction, const GemmShape& shape)
      : runtime_(testing::make_runtime(isa, threads)),
        direction_(direction),
        s_(shape),
        m_(shape),
        weight_(Weight::from_floats(runtime_.context(), m_.w.data(), 1, s_.outputs, s_.inputs)) {}

  void operator()() {
    const Context& context = runtime_.context();
    if (direction_ == Direction::kForward) {
      matmul(context, m_.x.data(), s_.rows,
             {.weight = &weight_, .y = m_.y.data(), .y_stride = s_.outputs});
      return;
    }
    const bool input = direction_ == Direction::kInput;
    matmul_backward(context, {.weight = &weight_,
                              .x = {.data = m_.x.data(), .stride = s_.inputs},
                              .dy = {.data = m_.y.data(), .stride = s_.outputs},
                              .dx = {.data = input ? m_.x.data() : nullptr, .stride = s_.inputs},
                              .dw = input ? nullptr : m_.dw.data(),
                              .rows = s_.rows});
  }

 private:
  Runtime runtime_;
  Direction direction_;
  GemmShape s_;
  Matrices m_;
  Weight weight_;
};

#ifdef PONDER_HAS_OPENBLAS
class Blas {
 public:
  Blas(int threads, Direction direction, const GemmShape& shape)
      : direction_(direction), s_(shape), m_(shape) {
    openblas_set_num_threads(threads);
  }

  void operator()() {
    const auto rows = static_cast<int>(s_.rows), outputs = static_cast<int>(s_.outputs),
               inputs = static_cast<int>(s_.inputs);
    if (direction_ == Direction::kForward) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, outputs, inputs, 1.0f, m_.x.data(),
                  inputs, m_.w.data(), inputs, 0.0f, m_.y.data(), outputs);
    } else if (direction_ == Direction::kInput) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, inputs, outputs, 1.0f,
                  m_.y.data(), outputs, m_.w.data(), inputs, 0.0f, m_.x.data(), inputs);
    } else {
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, outputs, inputs, rows, 1.0f, m_.y.data(),
                  outputs, m_.x.data(), inputs, 1.0f, m_.dw.data(), inputs);
    }
  }

 private:
  Direction direction_;
  GemmShape s_;
  Matrices m_;
};
#endif

// One iteration is a round of ours and one of the peer's. The figures are of the fastest tenth of
// the calls of either.
void time_both(benchmark::State& state, Isa isa, int threads, Direction direction,
               const GemmShape& s) {
  Own own(isa, threads, direction, s);
  std::vector<double> ours;
#ifdef PONDER_HAS_OPENBLAS
  Blas blas(threads, direction, s);
  std::vector<double> theirs;
#endif
  for (auto _ : state) {
    time_round(threads, ours, own);
#ifdef PONDER_HAS_OPENBLAS
    time_round(threads, theirs, blas);
#endif
    state.SetIterationTime(ours.back());
  }
  const double flops = 2e-9 * static_cast<double>(s.rows * s.outputs * s.inputs);
  state.counters["GFLOP/s"] = flops / fastest_tenth(ours);
#ifdef PONDER_HAS_OPENBLAS
  state.counters["OpenBLAS"] = flops / fastest_tenth(theirs);
  state.counters["ratio"] = fastest_tenth(theirs) / fastest_tenth(ours);
#endif
}

const bool kRegistered = [] {
  for (const GemmShape& shape : kGemmShapes) {
    for (const auto& [direction, label] : {std::pair{Direction::kForward, "forward"},
                                           {Direction::kInput, "dx"},
                                           {Direction::kWeight, "dw"}}) {
      for (const int threads : {1, 2}) {
        for (const Isa isa : available_isas()) {
          if (isa == Isa::kRef) continue;
          const auto name = "gemm/" + shape.name() + "/" + label +
                            "/threads:" + std::to_string(threads) + "/" +
                            std::string(isa_name(isa));
          benchmark::RegisterBenchmark(name.c_str(),
                                       [=, way = direction](benchmark::State& state) {
                                         time_both(state, isa, threads, way, shape);
                                       })
              ->UseManualTime()
              ->Iterations(5)
              ->Unit(benchmark::kMicrosecond);
        }
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace ponder
