// Whole models against the vectors of Hugging Face transformers (model-spec §17), on every
// instruction set of this machine.
#include "model/model.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "model/model_testing.hpp"

namespace ponder::testing {
namespace {

// The reference's own noise in f32 is 4e-5 (model-spec §17).
constexpr double kLogitTolerance = 2e-4;

struct Case {
  std::string model;     // file or folder
  std::string expected;  // folder or file of the expected values
  MlaForm mla = MlaForm::kAbsorbed;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.model << (c.mla == MlaForm::kPlain ? " (plain)" : "");
}

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const std::string name : {"llama3-s1", "qwen2-s1", "qwen3-s1"})
    list.push_back({name, name + "/expected.safetensors"});
  for (const std::string name :
       {"deepseek_v2-s1", "deepseek_v2_full-s1", "deepseek_v3-s1", "deepseek_v3_fp8-s1"}) {
    list.push_back({name, name + "/expected.safetensors"});
    list.push_back({name, name + "/expected.safetensors", MlaForm::kPlain});
  }
  for (const std::string name : {"llama3-s1", "qwen2-s1", "deepseek_v3-s1"})
    list.push_back({name + ".f32.gguf", name + "/expected.safetensors"});
  list.push_back(
      {"deepseek_v3-s1.f32.gguf", "deepseek_v3-s1/expected.safetensors", MlaForm::kPlain});
  list.push_back({"qwen2-s1.q8_0.gguf", "qwen2-s1.q8_0.expected.safetensors"});
  return list;
}

// What a tap saw, joined over chunks: point and layer → rows.
struct Recorder {
  std::map<std::string, std::vector<float>> values;
  std::map<std::string, std::vector<int32_t>> indices;
  Tap tap = [this](const TapValues& seen) {
    static const std::map<TapPoint, std::string> kNames = {
        {TapPoint::kHidden, "hidden_"},
        {TapPoint::kAttentionOut, "attn_out_"},
        {TapPoint::kMlpOut, "mlp_out_"},
        {TapPoint::kRouterLogits, "router_logits_"},
        {TapPoint::kRouterExperts, "router_idx_"},
        {TapPoint::kRouterWeights, "router_weight_"},
        {TapPoint::kFinalNorm, "final_norm"}};
    std::string name = kNames.at(seen.point);
    if (name.back() == '_') name += std::to_string(seen.layer);
    const int64_t count = seen.rows * seen.width;
    if (seen.indices != nullptr) {
      indices[name].insert(indices[name].end(), seen.indices, seen.indices + count);
    } else {
      values[name].insert(values[name].end(), seen.values, seen.values + count);
    }
  };
};

class ModelVectors : public ::testing::TestWithParam<std::tuple<Isa, Case>> {
 protected:
  Isa isa() const { return std::get<0>(GetParam()); }
  const Case& model_case() const { return std::get<1>(GetParam()); }
};

TEST_P(ModelVectors, MatchTheReference) {
  const Runtime runtime = make_runtime(isa());
  const Context& context = runtime.context();
  const Model model = load_model(model_case().model, context, {.mla = model_case().mla});
  const auto expected = load_golden(kModels + model_case().expected);
  Recorder recorder;
  const auto tokens = expected.at("tokens").values<int32_t>();
  const auto logits = run(context, model, tokens, {.chunk = 16, .tap = &recorder.tap});
  EXPECT_LE(max_difference(logits, expected.at("logits").values<float>()), kLogitTolerance);
  int compared = 0;
  for (const auto& [name, tensor] : expected) {
    if (const auto seen = recorder.values.find(name); seen != recorder.values.end()) {
      EXPECT_LE(max_difference(seen->second, tensor.values<float>()), kLogitTolerance) << name;
      ++compared;
    } else if (const auto routed = recorder.indices.find(name); routed != recorder.indices.end()) {
      EXPECT_EQ(routed->second, tensor.values<int32_t>()) << name;
      ++compared;
    }
  }
  // hidden_0 … hidden_L, attn_out and mlp_out of each layer, final_norm, and routing.
  if (expected.count("final_norm") > 0) {
    const Config& config = model.config();
    const int64_t routed = config.moe ? config.layers - config.moe->first_layer : 0;
    EXPECT_EQ(compared, 3 * config.layers + 2 + 3 * routed);
  }
}

TEST_P(ModelVectors, GreedyTokensAreThoseOfTheReference) {
  const auto expected = load_golden(kModels + model_case().expected);
  if (expected.count("greedy_tokens") == 0) return;
  const Runtime runtime = make_runtime(isa());
  const Context& context = runtime.context();
  const Model model = load_model(model_case().model, context, {.mla = model_case().mla});
  KvCache cache = make_cache(model);
  std::vector<int32_t> next = expected.at("tokens").values<int32_t>();
  std::vector<int32_t> generated;
  std::vector<float> logits(static_cast<size_t>(model.config().vocab));
  while (generated.size() < 24) {
    ASSERT_TRUE(forward(context, model, cache, next, {.logits = logits.data()}).ok());
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    generated.push_back(static_cast<int32_t>(best));
    next = {generated.back()};
  }
  EXPECT_EQ(generated, expected.at("greedy_tokens").values<int32_t>());
}

INSTANTIATE_TEST_SUITE_P(AllIsas, ModelVectors,
                         ::testing::Combine(::testing::ValuesIn(available_isas()),
                                            ::testing::ValuesIn(cases())));

class PerIsa : public ::testing::TestWithParam<Isa> {};

// Rounding activations to 8 bits moves each product by about 2^-8 of its scale; over these layers
// and logits of standard deviation 2.7 that is a few hundredths. A wrong scale or layout gives ≥ 1.
TEST_P(PerIsa, Int8ActivationsStayNear) {
  const Runtime runtime = make_runtime(GetParam(), Activations::kInt8);
  const Model model = load_model("qwen2-s1.q8_0.gguf", runtime.context());
  const auto expected = load_golden(kModels + "qwen2-s1.q8_0.expected.safetensors");
  const auto logits = run(runtime.context(), model, expected.at("tokens").values<int32_t>());
  const auto wanted = expected.at("logits").values<float>();
  EXPECT_LE(max_difference(logits, wanted), 0.5);
  double squares = 0;
  for (size_t i = 0; i < wanted.size(); ++i) squares += std::pow(logits[i] - wanted[i], 2);
  EXPECT_LE(std::sqrt(squares / static_cast<double>(wanted.size())), 0.1);
}

// Halves have 11 bits and bfloats 8; bytes have 8 below the largest of a group. Of the coarser two
// the middle difference counts, as a router may choose other experts for some tokens.
TEST_P(PerIsa, RoundedCachesStayNear) {
  const Runtime runtime = make_runtime(GetParam());
  for (const Case& c : {Case{"qwen3-s1", ""}, Case{"deepseek_v3-s1", ""},
                        Case{"deepseek_v3-s1", "", MlaForm::kPlain}}) {
    const Model model = load_model(c.model, runtime.context(), {.mla = c.mla});
    const auto expected = load_golden(kModels + c.model + "/expected.safetensors");
    const auto tokens = expected.at("tokens").values<int32_t>();
    const auto wanted = expected.at("logits").values<float>();
    for (const auto& [dtype, most] :
         {std::pair(DType::kF16, 0.005f), {DType::kBF16, 0.05f}, {DType::kQ8_0, 0.15f}}) {
      const auto logits = run(runtime.context(), model, tokens, {.kv = dtype});
      std::vector<float> off(logits.size());
      for (size_t i = 0; i < off.size(); ++i) off[i] = std::abs(logits[i] - wanted[i]);
      std::sort(off.begin(), off.end());
      EXPECT_LE(off[off.size() / 2], most) << c.model << " " << dtype_name(dtype);
      EXPECT_GT(off[off.size() / 2], 0.0f) << dtype_name(dtype);
      if (dtype == DType::kF16) {
        EXPECT_LE(max_difference(logits, wanted), 0.1) << c.model;
      }
    }
  }
}

TEST_P(PerIsa, MtpMatchesTheReference) {
  const Runtime runtime = make_runtime(GetParam());
  const Context& context = runtime.context();
  for (const MlaForm form : {MlaForm::kAbsorbed, MlaForm::kPlain}) {
    const Model model = load_model("deepseek_v3-s1", context, {.mla = form, .load_mtp = true});
    ASSERT_TRUE(model.has_mtp());
    const auto expected = load_golden(kModels + "deepseek_v3-s1/mtp.safetensors");
    const auto tokens =
        load_golden(kModels + "deepseek_v3-s1/expected.safetensors").at("tokens").values<int32_t>();
    std::vector<float> hidden(tokens.size() * static_cast<size_t>(model.config().hidden));
    run(context, model, tokens, {.chunk = 7, .hidden = hidden.data()});
    EXPECT_LE(max_difference(hidden, expected.at("main_hidden_after_norm").values<float>()),
              kLogitTolerance);
    KvCache cache = make_cache(model, DType::kF32, 1);
    const auto wanted = expected.at("mtp_logits").values<float>();
    std::vector<float> logits(wanted.size());
    const auto vocab = static_cast<size_t>(model.config().vocab);
    const auto width = static_cast<size_t>(model.config().hidden);
    const auto next = std::span(tokens).subspan(1);
    for (size_t begin = 0; begin < next.size(); begin += 13) {
      const size_t count = std::min<size_t>(13, next.size() - begin);
      ASSERT_TRUE(mtp_forward(context, model, cache,
                              {.next_tokens = next.subspan(begin, count),
                               .hidden = hidden.data() + begin * width,
                               .logit_rows = static_cast<int64_t>(count),
                               .logits = logits.data() + begin * vocab})
                      .ok());
    }
    EXPECT_LE(max_difference(logits, wanted), kLogitTolerance);
  }
}

// Bit for bit, whatever the chunks, calls and threads.
TEST_P(PerIsa, NumbersDoNotMove) {
  const std::vector<Case> models = {{"qwen2-s1.q8_0.gguf", "", MlaForm::kAbsorbed},
                                    {"qwen3-s1", "", MlaForm::kAbsorbed},
                                    {"deepseek_v3_fp8-s1", "", MlaForm::kAbsorbed},
                                    {"deepseek_v3-s1", "", MlaForm::kPlain}};
  const auto tokens =
      load_golden(kModels + "qwen2-s1/expected.safetensors").at("tokens").values<int32_t>();
  for (const Activations activations : {Activations::kInt8, Activations::kFloat}) {
    const Runtime two = make_runtime(GetParam(), activations, 2);
    const Runtime one = make_runtime(GetParam(), activations, 1);
    for (const Case& c : models) {
      const Model model = load_model(c.model, two.context(), {.mla = c.mla});
      for (const DType kv : {DType::kF16, DType::kBF16, DType::kQ8_0}) {
        const std::string what = c.model + ", " + std::string(dtype_name(kv)) + " cache";
        const auto whole = run(two.context(), model, tokens, {.kv = kv});
        for (const int64_t size : {1, 3, 16, 33}) {
          EXPECT_EQ(whole, run(two.context(), model, tokens, {.call = size, .kv = kv}))
              << what << " in calls of " << size;
          EXPECT_EQ(whole, run(two.context(), model, tokens, {.chunk = size, .kv = kv}))
              << what << " in chunks of " << size;
        }
        EXPECT_EQ(whole, run(one.context(), model, tokens, {.kv = kv})) << what << ", one thread";
      }
    }
  }
}

// Sequences of several lengths, also one that stands in the middle of its prompt, together: each
// gets the bits it gets alone.
TEST_P(PerIsa, BatchesDoNotMoveNumbers) {
  const std::vector<Case> models = {{"qwen2-s1.q8_0.gguf", "", MlaForm::kAbsorbed},
                                    {"deepseek_v3_fp8-s1", "", MlaForm::kAbsorbed},
                                    {"deepseek_v3-s1", "", MlaForm::kPlain}};
  const auto tokens =
      load_golden(kModels + "qwen2-s1/expected.safetensors").at("tokens").values<int32_t>();
  const Runtime runtime = make_runtime(GetParam(), Activations::kInt8, 2);
  const Context& context = runtime.context();
  for (const Case& c : models) {
    const Model model = load_model(c.model, context, {.mla = c.mla});
    const auto vocab = static_cast<size_t>(model.config().vocab);
    const auto width = static_cast<size_t>(model.config().hidden);
    // Already in the cache, new, logits wanted.
    struct Size {
      size_t before, count, rows;
    };
    const std::vector<Size> sizes = {{0, 7, 1}, {5, 1, 1}, {20, 3, 3}, {0, 21, 0}, {1, 2, 2}};
    const std::vector<std::pair<int64_t, DType>> ways = {{512, DType::kF16},
                                                         {4, DType::kF16},
                                                         {4, DType::kBF16},
                                                         {512, DType::kQ8_0},
                                                         {4, DType::kQ8_0}};
    for (const auto& [chunk, kv] : ways) {
      std::vector<KvCache> caches;
      std::vector<SequenceStep> steps;
      std::vector<std::vector<float>> logits, hidden;
      for (size_t i = 0; i < sizes.size(); ++i) {
        caches.push_back(make_cache(model, kv));
        logits.emplace_back(sizes[i].rows * vocab);
        hidden.emplace_back(sizes[i].count * width);
      }
      for (size_t i = 0; i < sizes.size(); ++i) {
        const auto own = std::span(tokens).subspan(i);
        ASSERT_TRUE(
            forward(context, model, caches[i], own.first(sizes[i].before), {.logit_rows = 0}).ok());
        steps.push_back({.cache = &caches[i],
                         .tokens = own.subspan(sizes[i].before, sizes[i].count),
                         .logit_rows = static_cast<int64_t>(sizes[i].rows),
                         .logits = logits[i].data(),
                         .hidden = i == 2 ? hidden[i].data() : nullptr});
      }
      ASSERT_TRUE(forward_batch(context, model, steps, {.chunk = chunk}).ok());
      for (size_t i = 0; i < sizes.size(); ++i) {
        KvCache cache = make_cache(model, kv);
        const auto own = std::span(tokens).subspan(i, sizes[i].before + sizes[i].count);
        std::vector<float> alone(sizes[i].rows * vocab), states(own.size() * width);
        ASSERT_TRUE(forward(context, model, cache, own,
                            {.logit_rows = static_cast<int64_t>(sizes[i].rows),
                             .logits = alone.data(),
                             .hidden = states.data()})
                        .ok());
        EXPECT_EQ(cache.length(), caches[i].length());
        EXPECT_EQ(alone, logits[i]) << c.model << ", sequence " << i << ", chunk " << chunk;
        if (i == 2) {
          states.erase(states.begin(),
                       states.begin() + static_cast<ptrdiff_t>(sizes[i].before * width));
          EXPECT_EQ(states, hidden[i]);
        }
      }
    }
  }
}

TEST_P(PerIsa, ForwardRejectsBadInput) {
  const Runtime runtime = make_runtime(GetParam());
  const Model model = load_model("qwen2-s1", runtime.context());
  KvCache cache = make_cache(model);
  std::vector<float> logits(static_cast<size_t>(model.config().vocab));
  for (const int32_t bad : {-1, 256, INT32_MAX}) {
    const auto done = forward(runtime.context(), model, cache, std::vector<int32_t>{1, bad},
                              {.logits = logits.data()});
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message(), ::testing::HasSubstr("vocabulary of 256"));
  }
  const auto full = forward(runtime.context(), model, cache, std::vector<int32_t>(129, 1),
                            {.logits = logits.data()});
  ASSERT_FALSE(full.ok());
  EXPECT_THAT(full.error().message(), ::testing::HasSubstr("context"));
  std::atomic<bool> stop{true};
  EXPECT_FALSE(forward(runtime.context(), model, cache, std::vector<int32_t>{1},
                       {.logits = logits.data(), .stop = &stop})
                   .ok());
  EXPECT_EQ(cache.length(), 0);
}

INSTANTIATE_TEST_SUITE_P(AllIsas, PerIsa, ::testing::ValuesIn(available_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

}  // namespace
}  // namespace ponder::testing
