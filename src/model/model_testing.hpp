// What the tests of this module share: runtimes, golden models and one-call forward passes.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/forward.hpp"
#include "model/model.hpp"
#include "ops/runtime.hpp"
#include "testing/golden.hpp"

namespace ponder::testing {

inline const std::string kModels = "tests/golden/model/";

inline Runtime make_runtime(Isa isa, Activations activations = Activations::kFloat,
                            int threads = 2) {
  auto runtime = Runtime::create(
      {.threads = threads, .isa = std::string(isa_name(isa)), .activations = activations});
  EXPECT_TRUE(runtime.ok());
  return std::move(runtime).take_value();
}

inline Model load_model(const std::string& name, const Context& context,
                        const ModelOptions& options = {}) {
  auto model = Model::open(kModels + name, context, options);
  if (!model.ok()) ADD_FAILURE() << model.error().message();
  return std::move(model).take_value();
}

inline KvCache make_cache(const Model& model, DType dtype = DType::kF32, int64_t layers = -1) {
  auto cache = KvCache::create(model.config(), {.capacity = 128, .dtype = dtype, .layers = layers});
  EXPECT_TRUE(cache.ok());
  return std::move(cache).take_value();
}

// Logits (T, V) of `tokens` from an empty cache, cut into calls of `call` and chunks of `chunk`.
struct RunOptions {
  int64_t call = 1 << 20;
  int64_t chunk = 512;
  DType kv = DType::kF32;
  const Tap* tap = nullptr;
  float* hidden = nullptr;
};
inline std::vector<float> run(const Context& context, const Model& model,
                              const std::vector<int32_t>& tokens, const RunOptions& options = {}) {
  KvCache cache = make_cache(model, options.kv);
  const auto vocab = static_cast<size_t>(model.config().vocab);
  std::vector<float> logits(tokens.size() * vocab);
  for (size_t begin = 0; begin < tokens.size();) {
    const size_t count = std::min(static_cast<size_t>(options.call), tokens.size() - begin);
    float* hidden = options.hidden;
    if (hidden != nullptr) hidden += begin * static_cast<size_t>(model.config().hidden);
    const auto done = forward(context, model, cache, std::span(tokens).subspan(begin, count),
                              {.logit_rows = static_cast<int64_t>(count),
                               .logits = logits.data() + begin * vocab,
                               .hidden = hidden,
                               .chunk = options.chunk,
                               .tap = options.tap});
    if (!done.ok()) ADD_FAILURE() << done.error().message();
    begin += count;
  }
  return logits;
}

inline double max_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(d <= most)) most = d;  // NaN stays
  }
  return most;
}

}  // namespace ponder::testing
