// Conversion: written files are read back and run.
#include "model/convert.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "io/gguf.hpp"
#include "io/json.hpp"
#include "io/safetensors.hpp"
#include "io/safetensors_writer.hpp"
#include "model/convert_format.hpp"
#include "model/model_testing.hpp"
#include "quant/codec.hpp"
#include "text/tokenizer.hpp"

namespace ponder::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Root mean square of b − a over that of a.
double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double error = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    error += std::pow(static_cast<double>(b[i]) - static_cast<double>(a[i]), 2);
    size += std::pow(static_cast<double>(a[i]), 2);
  }
  return std::sqrt(error / size);
}

// relative_error() of all matrices but the embedding of two GGUF files.
double weight_error(const fs::path& exact, const fs::path& coarse) {
  const auto a = GgufFile::open(exact), b = GgufFile::open(coarse);
  EXPECT_TRUE(a.ok() && b.ok());
  std::vector<float> values[2];
  for (const std::string& name : a.value().tensors().names()) {
    for (int i = 0; i < 2; ++i) {
      const TensorView* view = (i == 0 ? a : b).value().tensors().find(name);
      if (view->shape.rank < 2 || name == "token_embd.weight") continue;
      const size_t begin = values[i].size();
      values[i].resize(begin + static_cast<size_t>(view->shape.elements()));
      decode_row(view->dtype, view->bytes.data(), view->shape.elements(), values[i].data() + begin);
    }
  }
  return relative_error(values[0], values[1]);
}

class Convert : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("ponder_convert_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Converts a golden model (or the path `from`) and returns the path of the result.
  fs::path converted(const fs::path& from, const std::string& type, bool keep_mtp = false) {
    const fs::path to = folder_ / (from.filename().string() + "." + type + ".gguf");
    const auto done =
        convert({.input = from, .output = to, .type = type, .keep_mtp = keep_mtp, .threads = 2});
    EXPECT_TRUE(done.ok()) << (done.ok() ? "" : done.error().message());
    return to;
  }

  std::vector<float> logits(const fs::path& path, Isa isa, const ModelOptions& options = {}) {
    const Runtime runtime = make_runtime(isa);
    const auto model = Model::open(path, runtime.context(), options);
    if (!model.ok()) {
      ADD_FAILURE() << model.error().message();
      return {};
    }
    return run(runtime.context(), model.value(), tokens());
  }

  static std::vector<int32_t> tokens() {
    return load_golden(kModels + "qwen2-s1/expected.safetensors").at("tokens").values<int32_t>();
  }

  fs::path folder_;
};

// The same numbers in another file give the same logits, bit for bit.
TEST_F(Convert, KeepsEveryBitInF32) {
  for (const std::string name :
       {"qwen2-s1", "qwen3-s1", "deepseek_v2-s1", "deepseek_v2_full-s1", "deepseek_v3-s1"}) {
    const fs::path gguf = converted(kModels + name, "f32");
    for (const Isa isa : available_isas()) {
      EXPECT_EQ(logits(kModels + name, isa), logits(gguf, isa)) << name;
      EXPECT_EQ(logits(kModels + name, isa, {.mla = MlaForm::kPlain}),
                logits(gguf, isa, {.mla = MlaForm::kPlain}))
          << name;
    }
    const fs::path again = converted(gguf, "f32");
    EXPECT_EQ(logits(gguf, Isa::kRef), logits(again, Isa::kRef)) << name;
  }
}

// Rotation in other places and frequencies by division: equal but for rounding. FP8 decodes to f32
// with its scales multiplied in.
TEST_F(Convert, RewritesLlamaAndFp8) {
  for (const std::string name : {"llama3-s1", "deepseek_v3_fp8-s1"}) {
    const fs::path gguf = converted(kModels + name, "f32");
    const auto expected = load_golden(kModels + name + "/expected.safetensors");
    const Runtime runtime = make_runtime(available_isas().back());
    const auto model = Model::open(gguf, runtime.context());
    ASSERT_TRUE(model.ok()) << model.error().message();
    EXPECT_LE(max_difference(
                  run(runtime.context(), model.value(), expected.at("tokens").values<int32_t>()),
                  expected.at("logits").values<float>()),
              2e-4)
        << name;
  }
}

// Our files hold what the reference writer's hold, tensor by tensor.
TEST_F(Convert, WritesWhatTheReferenceWriterWrites) {
  for (const std::string name : {"llama3-s1", "qwen2-s1", "deepseek_v3-s1"}) {
    const auto ours = GgufFile::open(converted(kModels + name, "f32"));
    const auto theirs = GgufFile::open(kModels + name + ".f32.gguf");
    ASSERT_TRUE(ours.ok() && theirs.ok());
    const TensorMap& a = ours.value().tensors();
    const TensorMap& b = theirs.value().tensors();
    EXPECT_EQ(a.names().size(), b.names().size());
    for (const std::string& tensor : b.names()) {
      ASSERT_NE(a.find(tensor), nullptr) << tensor;
      EXPECT_EQ(a.find(tensor)->shape, b.find(tensor)->shape) << tensor;
      EXPECT_EQ(a.find(tensor)->dtype, b.find(tensor)->dtype) << tensor;
      if (tensor == "rope_freqs.weight") continue;  // within rounding
      EXPECT_TRUE(std::ranges::equal(a.find(tensor)->bytes, b.find(tensor)->bytes)) << tensor;
    }
    for (const std::string& key : theirs.value().keys()) {
      if (key.starts_with("tokenizer.") || key.starts_with("general.")) continue;
      const auto number = theirs.value().number(key);
      if (!number.ok()) continue;
      const auto own = ours.value().number(key);
      ASSERT_TRUE(own.ok()) << key;
      EXPECT_EQ(own.value(), number.value()) << key;
    }
  }
}

// Of normally distributed weights in blocks of 32 the largest is about 2.2σ: q8_0's step
// is 2.2σ/127 and its error 1/√12 of that, 0.5 %; q4_0's 16 times that. The logits of this random
// model magnify an error of the weights by about 5 to 7, as f16's shows.
TEST_F(Convert, QuantisesWithinBounds) {
  const fs::path exact = converted(kModels + "qwen2-s1", "f32");
  const auto expected = logits(exact, Isa::kRef);
  struct Bound {
    const char* type;
    double weights;
  };
  for (const auto& [type, bound] :
       {Bound{"f16", 3e-4}, {"bf16", 2.5e-3}, {"q8_0", 6e-3}, {"q4_0", 0.1}, {"q4_k_m", 0.05}}) {
    const fs::path path = converted(kModels + "qwen2-s1", type);
    const double error = weight_error(exact, path);
    EXPECT_GT(error, bound / 4) << type;
    EXPECT_LT(error, bound) << type;
    EXPECT_LT(relative_error(expected, logits(path, Isa::kRef)), 8 * error) << type;
  }
}

// The reference writer's q8_0 has all matrices but the embedding in q8_0; ours has that too.
TEST_F(Convert, EncodesQ8AsTheReference) {
  const auto ours = GgufFile::open(converted(kModels + "qwen2-s1", "q8_0"));
  const auto theirs = GgufFile::open(kModels + "qwen2-s1.q8_0.gguf");
  ASSERT_TRUE(ours.ok() && theirs.ok());
  for (const std::string& name : theirs.value().tensors().names()) {
    const TensorView* view = ours.value().tensors().find(name);
    ASSERT_NE(view, nullptr) << name;
    if (name == "token_embd.weight") continue;
    EXPECT_TRUE(std::ranges::equal(view->bytes, theirs.value().tensors().find(name)->bytes))
        << name;
  }
}

// What the multi-token-prediction block makes of the golden tokens.
std::vector<float> mtp_logits(const fs::path& path, Isa isa, MlaForm form) {
  const Runtime runtime = make_runtime(isa);
  const auto model = Model::open(path, runtime.context(), {.mla = form, .load_mtp = true});
  if (!model.ok()) {
    ADD_FAILURE() << model.error().message();
    return {};
  }
  const Config& config = model.value().config();
  const auto tokens =
      load_golden(kModels + "deepseek_v3-s1/expected.safetensors").at("tokens").values<int32_t>();
  std::vector<float> hidden(tokens.size() * static_cast<size_t>(config.hidden));
  run(runtime.context(), model.value(), tokens, {.hidden = hidden.data()});
  KvCache cache = make_cache(model.value(), DType::kF32, 1);
  std::vector<float> logits((tokens.size() - 1) * static_cast<size_t>(config.vocab));
  const auto done = mtp_forward(runtime.context(), model.value(), cache,
                                {.next_tokens = std::span(tokens).subspan(1),
                                 .hidden = hidden.data(),
                                 .logit_rows = std::ssize(tokens) - 1,
                                 .logits = logits.data()});
  EXPECT_TRUE(done.ok());
  return logits;
}

TEST_F(Convert, KeepsMtpWhenAsked) {
  const fs::path source = kModels + "deepseek_v3-s1";
  const fs::path first = converted(source, "f32", true);
  const fs::path second = folder_ / "second.gguf";
  ASSERT_TRUE(convert({.input = first, .output = second, .type = "f32", .keep_mtp = true}).ok());
  for (const Isa isa : available_isas()) {
    for (const MlaForm form : {MlaForm::kAbsorbed, MlaForm::kPlain}) {
      const auto expected = mtp_logits(source, isa, form);
      EXPECT_EQ(mtp_logits(first, isa, form), expected);
      EXPECT_EQ(mtp_logits(second, isa, form), expected);
    }
  }
  EXPECT_EQ(logits(first, Isa::kRef), logits(source, Isa::kRef));
  EXPECT_LT(
      relative_error(mtp_logits(source, Isa::kRef, MlaForm::kAbsorbed),
                     mtp_logits(converted(source, "f16", true), Isa::kRef, MlaForm::kAbsorbed)),
      0.02);
  // The names and the count that llama.cpp has for such blocks.
  const auto file = GgufFile::open(first);
  ASSERT_TRUE(file.ok());
  for (const std::string name :
       {"nextn.eh_proj", "nextn.embed_tokens", "nextn.enorm", "nextn.hnorm",
        "nextn.shared_head_head", "nextn.shared_head_norm", "attn_k_b", "ffn_up_exps"})
    EXPECT_NE(file.value().tensors().find("blk.5." + name + ".weight"), nullptr) << name;
  EXPECT_EQ(file.value().integer("deepseek2.nextn_predict_layers").value(), 1);
  EXPECT_EQ(file.value().integer("deepseek2.block_count").value(), 6);
}

TEST_F(Convert, TellsThatThereIsNoMtp) {
  const fs::path dropped = converted(converted(kModels + "deepseek_v3-s1", "f32", true), "bf16");
  EXPECT_EQ(read_config(dropped).value().layers, 5);
  EXPECT_EQ(read_config(dropped).value().mtp_layers, 0);
  const Runtime runtime = make_runtime(Isa::kRef);
  for (const fs::path& path : {dropped, fs::path(kModels + "qwen2-s1")}) {
    const auto model = Model::open(path, runtime.context(), {.load_mtp = true});
    ASSERT_FALSE(model.ok());
    EXPECT_THAT(model.error().message(), HasSubstr("no multi-token-prediction block"));
    const auto kept = convert({.input = path, .output = folder_ / "x.gguf", .keep_mtp = true});
    ASSERT_FALSE(kept.ok());
    EXPECT_THAT(kept.error().message(), HasSubstr("--mtp"));
  }
}

// A model whose vocabulary is that of a golden tokenizer.
TEST_F(Convert, BringsTheTokenizerAlong) {
  const fs::path source = folder_ / "model";
  fs::create_directories(source);
  std::ifstream in(kModels + "qwen2-s1/config.json");
  Json config = Json::parse(in);
  config["vocab_size"] = 600;
  std::ofstream(source / "config.json") << config.dump();
  fs::copy_file("tests/golden/text/qwen2.tokenizer.json", source / "tokenizer.json");
  const auto file = SafetensorsFile::open(kModels + "qwen2-s1");
  ASSERT_TRUE(file.ok());
  auto writer = SafetensorsWriter::create(source / "model.safetensors");
  ASSERT_TRUE(writer.ok());
  const std::vector<std::byte> wide(600 * 64 * 4);
  const auto is_wide = [](const std::string& name) {
    return name == "lm_head.weight" || name == "model.embed_tokens.weight";
  };
  const TensorMap& tensors = file.value().tensors();
  for (const std::string& name : tensors.names()) {
    writer.value().declare(name, DType::kF32,
                           is_wide(name) ? Shape::of({600, 64}) : tensors.find(name)->shape);
  }
  ASSERT_TRUE(writer.value().begin().ok());
  for (const std::string& name : tensors.names())
    ASSERT_TRUE(
        writer.value().write(is_wide(name) ? std::span(wide) : tensors.find(name)->bytes).ok());
  ASSERT_TRUE(writer.value().commit().ok());

  const auto from_json = Tokenizer::from_json(source / "tokenizer.json");
  const auto from_gguf = Tokenizer::load(converted(source, "q8_0"));
  ASSERT_TRUE(from_json.ok() && from_gguf.ok()) << from_gguf.error().message();
  for (const std::string text :
       {"Hello world!  It's 12345.\n\n", "<think>\nok</think>", "déjà vu 今天天气很好"}) {
    EXPECT_EQ(from_gguf.value().encode(text), from_json.value().encode(text)) << text;
  }
  for (int32_t id = 0; id < from_json.value().vocab_size(); ++id) {
    EXPECT_EQ(from_gguf.value().token_bytes(id), from_json.value().token_bytes(id));
    EXPECT_EQ(from_gguf.value().is_special(id), from_json.value().is_special(id)) << id;
  }
  // A vocabulary that is too small for the tokenizer.
  config["vocab_size"] = 256;
  std::ofstream(source / "config.json") << config.dump();
  const auto bad = convert({.input = source, .output = folder_ / "bad.gguf"});
  ASSERT_FALSE(bad.ok());
}

TEST_F(Convert, LeavesNothingBehindWhenItFails) {
  const fs::path output = folder_ / "out.gguf";
  const auto unknown = convert({.input = kModels + "qwen2-s1", .output = output, .type = "q3_z"});
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error().message(), HasSubstr("q4_k_m"));
  const auto stopped = convert({.input = kModels + "qwen2-s1",
                                .output = output,
                                .progress = [](const ProgressReport& report) {
                                  EXPECT_LE(report.done, report.total);
                                  return report.done < report.total / 2;
                                }});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().what, "stopped");
  EXPECT_FALSE(convert({.input = "/nowhere", .output = output}).ok());
  EXPECT_FALSE(convert({.input = kModels + "qwen2-s1", .output = "/nowhere/out.gguf"}).ok());
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST(ConvertFormat, FollowsTheMix) {
  const auto config = read_config(kModels + "qwen2-s1").value();
  Config wide = config;
  wide.layers = 16;
  const auto type = conversion_type("q4_k_m").value();
  const auto chosen = [&](ParamKind kind, int64_t layer, int64_t rows, int64_t cols) {
    return choose_format(type, wide, {kind, layer, Shape::of({rows, cols})}, cols).dtype;
  };
  EXPECT_EQ(chosen(ParamKind::kQ, 0, 512, 512), DType::kQ4_K);
  EXPECT_EQ(chosen(ParamKind::kOutput, -1, 512, 512), DType::kQ6_K);
  EXPECT_EQ(chosen(ParamKind::kEmbedding, -1, 512, 512), DType::kQ4_K);
  EXPECT_EQ(chosen(ParamKind::kRouter, 3, 64, 512), DType::kF32);
  std::vector<int64_t> favoured;
  for (int64_t layer = 0; layer < 16; ++layer)
    if (chosen(ParamKind::kDown, layer, 512, 512) == DType::kQ6_K) favoured.push_back(layer);
  EXPECT_EQ(favoured, (std::vector<int64_t>{0, 1, 4, 7, 10, 13, 14, 15}));
  EXPECT_EQ(chosen(ParamKind::kQ, 0, 512, 96), DType::kQ5_0);
  EXPECT_EQ(chosen(ParamKind::kV, 0, 512, 96), DType::kQ8_0);
  EXPECT_EQ(chosen(ParamKind::kQ, 0, 512, 40), DType::kF16);
  EXPECT_EQ(choose_format(type, wide, {ParamKind::kAttnNorm, 0, Shape::of({512})}, 512).dtype,
            DType::kF32);
}

}  // namespace
}  // namespace ponder::testing
