// Products of f32 and their gradients beside OpenBLAS's, if that is installed, in one run:
//   build/release/ops_bench --benchmark_filter=gemm/.*1024 --benchmark_repetitions=5
//   OPENBLAS_CORETYPE=HASWELL build/release/ops_bench --benchmark_filter='gemm/.*(avx2|blas)'
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

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

struct Matrices {
  std::vector<float> x, w, y;

  explicit Matrices(const GemmShape& s)
      : x(testing::random_floats(1, s.rows * s.inputs)),
        w(testing::random_floats(2, s.outputs * s.inputs)),
        y(testing::random_floats(3, s.rows * s.outputs)) {}
};

void count_products(benchmark::State& state, const GemmShape& s) {
  const double products = static_cast<double>(s.rows * s.outputs * s.inputs);
  state.counters["GFLOP/s"] = benchmark::Counter(
      2e-9 * products * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void time_own(benchmark::State& state, Isa isa, int threads, Direction direction,
              const GemmShape& s) {
  const Runtime runtime = testing::make_runtime(isa, threads);
  const Context& context = runtime.context();
  Matrices m(s);
  const Weight weight = Weight::from_floats(context, m.w.data(), 1, s.outputs, s.inputs);
  std::vector<float> dw(weight.values().size());
  for (auto _ : state) {
    if (direction == Direction::kForward) {
      matmul(context, m.x.data(), s.rows,
             {.weight = &weight, .y = m.y.data(), .y_stride = s.outputs});
    } else {
      const bool input = direction == Direction::kInput;
      matmul_backward(context, {.weight = &weight,
                                .x = {.data = m.x.data(), .stride = s.inputs},
                                .dy = {.data = m.y.data(), .stride = s.outputs},
                                .dx = {.data = input ? m.x.data() : nullptr, .stride = s.inputs},
                                .dw = input ? nullptr : dw.data(),
                                .rows = s.rows});
    }
    benchmark::ClobberMemory();
  }
  count_products(state, s);
}

#ifdef PONDER_HAS_OPENBLAS
void time_blas(benchmark::State& state, int threads, Direction direction, const GemmShape& s) {
  openblas_set_num_threads(threads);
  Matrices m(s);
  const auto rows = static_cast<int>(s.rows), outputs = static_cast<int>(s.outputs),
             inputs = static_cast<int>(s.inputs);
  for (auto _ : state) {
    if (direction == Direction::kForward) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, outputs, inputs, 1.0f, m.x.data(),
                  inputs, m.w.data(), inputs, 0.0f, m.y.data(), outputs);
    } else if (direction == Direction::kInput) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, inputs, outputs, 1.0f,
                  m.y.data(), outputs, m.w.data(), inputs, 0.0f, m.x.data(), inputs);
    } else {
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, outputs, inputs, rows, 1.0f, m.y.data(),
                  outputs, m.x.data(), inputs, 1.0f, m.w.data(), inputs);
    }
    benchmark::ClobberMemory();
  }
  count_products(state, s);
}
#endif

template <typename Body>
void register_gemm(const std::string& name, Body body) {
  benchmark::RegisterBenchmark(name.c_str(), body)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond)
      ->MinTime(0.05);
}

const bool kRegistered = [] {
  for (const GemmShape& shape : kGemmShapes) {
    for (const auto& [direction, label] : {std::pair{Direction::kForward, "forward"},
                                           {Direction::kInput, "dx"},
                                           {Direction::kWeight, "dw"}}) {
      for (const int threads : {1, 2}) {
        const auto name = [&, way = label](std::string_view who) {
          return "gemm/" + shape.name() + "/" + way + "/threads:" + std::to_string(threads) + "/" +
                 std::string(who);
        };
        for (const Isa isa : available_isas()) {
          if (isa == Isa::kRef) continue;
          register_gemm(name(isa_name(isa)), [=, way = direction](benchmark::State& state) {
            time_own(state, isa, threads, way, shape);
          });
        }
#ifdef PONDER_HAS_OPENBLAS
        register_gemm(name("openblas"), [=, way = direction](benchmark::State& state) {
          time_blas(state, threads, way, shape);
        });
#endif
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace ponder
