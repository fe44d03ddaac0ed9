// What Model::open says about files that are incomplete, damaged or of something else.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/rng.hpp"
#include "io/gguf.hpp"
#include "io/gguf_writer.hpp"
#include "io/safetensors.hpp"
#include "io/safetensors_writer.hpp"
#include "model/convert.hpp"
#include "model/model_testing.hpp"

namespace ponder::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Loader : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("ponder_loader_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A copy of a golden folder whose tensors `change` may alter or drop (returns false).
  template <typename Change>
  void copy_model(const std::string& name, Change change) {
    fs::copy_file(kModels + name + "/config.json", folder_ / "config.json",
                  fs::copy_options::overwrite_existing);
    const auto file = SafetensorsFile::open(kModels + name);
    ASSERT_TRUE(file.ok());
    std::vector<SafetensorsEntry> tensors;
    for (const std::string& tensor : file.value().tensors().names()) {
      SafetensorsEntry entry{tensor, *file.value().tensors().find(tensor)};
      if (change(entry)) tensors.push_back(entry);
    }
    auto writer = SafetensorsWriter::create(folder_ / "model.safetensors");
    ASSERT_TRUE(writer.ok());
    for (const auto& entry : tensors)
      writer.value().declare(entry.name, entry.view.dtype, entry.view.shape);
    ASSERT_TRUE(writer.value().begin().ok());
    for (const auto& entry : tensors) ASSERT_TRUE(writer.value().write(entry.view.bytes).ok());
    ASSERT_TRUE(writer.value().commit().ok());
  }

  std::string error(const fs::path& path, const ModelOptions& options = {}) {
    const Runtime runtime = make_runtime(Isa::kRef);
    const auto model = Model::open(path, runtime.context(), options);
    return model.ok() ? "" : model.error().message();
  }

  fs::path folder_;
};

TEST_F(Loader, OpensEveryFormOfPath) {
  const Runtime runtime = make_runtime(Isa::kRef);
  for (const std::string path :
       {"qwen2-s1", "qwen2-s1/config.json", "qwen2-s1/model.safetensors", "qwen2-s1.f32.gguf"}) {
    const auto model = Model::open(kModels + path, runtime.context());
    EXPECT_TRUE(model.ok()) << path;
  }
  fs::copy_file(kModels + "qwen2-s1.q8_0.gguf", folder_ / "a.gguf");
  const auto model = Model::open(folder_, runtime.context());
  ASSERT_TRUE(model.ok()) << model.error().message();
  EXPECT_EQ(model.value().main_dtype(), DType::kQ8_0);
  EXPECT_EQ(model.value().path(), folder_ / "a.gguf");
  fs::copy_file(kModels + "qwen2-s1.f32.gguf", folder_ / "b.gguf");
  EXPECT_THAT(error(folder_), HasSubstr("2 GGUF models"));
  fs::rename(folder_ / "b.gguf", folder_ / "sha256-0123");
  EXPECT_TRUE(Model::open(folder_ / "sha256-0123", runtime.context()).ok()) << "as ollama has it";
}

TEST_F(Loader, RejectsWhatIsNoModel) {
  EXPECT_THAT(error("/nowhere/model.gguf"), HasSubstr("no such file"));
  EXPECT_THAT(error(folder_), HasSubstr("neither config.json nor"));
  std::ofstream(folder_ / "model.txt") << "hello";
  EXPECT_THAT(error(folder_ / "model.txt"), HasSubstr("not a model file"));
  std::ofstream(folder_ / "model.gguf") << "hello";
  EXPECT_NE(error(folder_ / "model.gguf"), "");
}

TEST_F(Loader, NamesTheMissingTensor) {
  const std::string name = "model.layers.2.mlp.experts.5.up_proj.weight";
  copy_model("deepseek_v3-s1", [&](auto& entry) { return entry.name != name; });
  EXPECT_THAT(error(folder_), AllOf(HasSubstr(name), HasSubstr("missing"), HasSubstr("(40, 64)")));
}

TEST_F(Loader, ChecksTheMtpBlockWhenItIsWanted) {
  const std::string name = "model.layers.5.hnorm.weight";
  copy_model("deepseek_v3-s1", [&](auto& entry) { return entry.name != name; });
  EXPECT_EQ(error(folder_), "");
  EXPECT_THAT(error(folder_, {.load_mtp = true}), AllOf(HasSubstr(name), HasSubstr("missing")));
  copy_model("deepseek_v3-s1", [&](auto& entry) {
    if (entry.name == name) entry.view.shape = Shape::of({4, 16});
    return true;
  });
  EXPECT_THAT(error(folder_, {.load_mtp = true}), AllOf(HasSubstr(name), HasSubstr("(4, 16)")));
}

TEST_F(Loader, TellsFoundAndExpectedShape) {
  const std::string name = "model.layers.1.self_attn.k_proj.weight";
  copy_model("qwen2-s1", [&](auto& entry) {
    if (entry.name == name) entry.view.shape = Shape::of({64, 32});
    return true;
  });
  EXPECT_THAT(error(folder_), AllOf(HasSubstr(name), HasSubstr("(64, 32)"), HasSubstr("(32, 64)"),
                                    HasSubstr("model.safetensors")));
}

TEST_F(Loader, RejectsFormatsThatWeightsCannotHave) {
  const std::string name = "model.norm.weight";
  copy_model("qwen2-s1", [&](auto& entry) {
    if (entry.name == name) entry.view.dtype = DType::kI32;
    return true;
  });
  EXPECT_THAT(error(folder_), AllOf(HasSubstr(name), HasSubstr("i32")));
}

TEST_F(Loader, RejectsFp8WithoutScales) {
  const std::string name = "model.layers.0.mlp.up_proj.weight_scale_inv";
  copy_model("deepseek_v3_fp8-s1", [&](auto& entry) { return entry.name != name; });
  EXPECT_THAT(error(folder_), AllOf(HasSubstr(name), HasSubstr("missing")));
  copy_model("deepseek_v3_fp8-s1", [&](auto& entry) {
    if (entry.name == name) entry.view.shape = Shape::of({2, 3});
    return true;
  });
  EXPECT_THAT(error(folder_), AllOf(HasSubstr(name), HasSubstr("(2, 3)"), HasSubstr("(3, 2)")));
}

TEST_F(Loader, RejectsTruncatedFiles) {
  fs::copy_file(kModels + "qwen2-s1/config.json", folder_ / "config.json");
  fs::copy_file(kModels + "qwen2-s1/model.safetensors", folder_ / "model.safetensors");
  fs::resize_file(folder_ / "model.safetensors", 500000);
  EXPECT_THAT(error(folder_), HasSubstr("model.safetensors"));
  for (const uint64_t size : {0, 3, 100, 5000, 200000}) {
    const fs::path path = folder_ / "cut.gguf";
    fs::copy_file(kModels + "qwen2-s1.q8_0.gguf", path, fs::copy_options::overwrite_existing);
    fs::resize_file(path, size);
    EXPECT_NE(error(path), "") << size;
  }
}

// Bytes changed at random: an error, or a model that runs; never a crash or a wait.
TEST_F(Loader, SurvivesRandomDamage) {
  const Runtime runtime = make_runtime(available_isas().back());
  std::vector<float> logits(1 << 12);
  const auto try_model = [&](const fs::path& path, bool load_mtp = false) {
    const auto model = Model::open(path, runtime.context(), {.load_mtp = load_mtp});
    if (!model.ok() || model.value().config().vocab > static_cast<int64_t>(logits.size())) return;
    auto cache = KvCache::create(model.value().config(), {.capacity = 4});
    if (!cache.ok()) return;
    const auto done = forward(runtime.context(), model.value(), cache.value(),
                              std::vector<int32_t>{0, 1, 2}, {.logits = logits.data()});
    EXPECT_TRUE(done.ok() || !done.error().what.empty());
    if (!load_mtp) return;
    auto own = KvCache::create(model.value().config(), {.capacity = 4, .layers = 1});
    const std::vector<float> hidden(static_cast<size_t>(3 * model.value().config().hidden));
    if (!own.ok()) return;
    const std::vector<int32_t> next = {0, 1, 2};
    const auto drafted =
        mtp_forward(runtime.context(), model.value(), own.value(),
                    {.next_tokens = next, .hidden = hidden.data(), .logits = logits.data()});
    EXPECT_TRUE(drafted.ok() || !drafted.error().what.empty());
  };
  const fs::path with_mtp = folder_ / "with_mtp.gguf";
  ASSERT_TRUE(convert({.input = kModels + "deepseek_v3-s1",
                       .output = with_mtp,
                       .type = "f32",
                       .keep_mtp = true})
                  .ok());
  const auto damage = [&](const fs::path& from, const fs::path& to, uint64_t end, uint64_t seed) {
    std::ifstream in(from, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    Rng rng(seed);
    const uint64_t changes = 1 + rng.next_below(4);
    for (uint64_t i = 0; i < changes; ++i)
      bytes[rng.next_below(std::min<uint64_t>(end, bytes.size()))] =
          static_cast<char>(rng.next_below(4) == 0 ? 0xff : rng.next_below(256));
    std::ofstream(to, std::ios::binary) << bytes;
  };
  for (uint64_t seed = 0; seed < 60; ++seed) {
    for (const std::string name : {"qwen2-s1.q8_0.gguf", "deepseek_v3-s1.f32.gguf"}) {
      damage(kModels + name, folder_ / "model.gguf", 3000, seed);
      try_model(folder_ / "model.gguf");
    }
    damage(with_mtp, folder_ / "model.gguf", 7000, seed);
    try_model(folder_ / "model.gguf", true);
    const fs::path golden = kModels + "deepseek_v3_fp8-s1";
    damage(golden / "config.json", folder_ / "config.json", 1 << 20, seed);
    damage(golden / "model.safetensors", folder_ / "model.safetensors", 4000, seed % 2);
    try_model(folder_);
    fs::remove(folder_ / "config.json");
  }
}

TEST_F(Loader, StopsWhenToldTo) {
  int calls = 0;
  ModelOptions options;
  options.progress = [&](const ProgressReport& report) {
    EXPECT_LE(report.done, report.total);
    return ++calls < 5;
  };
  EXPECT_THAT(error(kModels + "qwen2-s1", options), HasSubstr("stopped"));
  EXPECT_EQ(calls, 5);
}

TEST_F(Loader, TiedOutputIsTheEmbedding) {
  std::vector<std::byte> table;
  copy_model("qwen2-s1", [&](auto& entry) {
    if (entry.name == "model.embed_tokens.weight")
      table.assign(entry.view.bytes.begin(), entry.view.bytes.end());
    return true;
  });
  copy_model("qwen2-s1", [&](auto& entry) {  // the embedding as the output, untied
    if (entry.name == "lm_head.weight") entry.view.bytes = table;
    return true;
  });
  const std::vector<int32_t> tokens = {1, 2, 3, 250};
  for (const Isa isa : available_isas()) {
    const Runtime runtime = make_runtime(isa);
    const auto untied = Model::open(folder_, runtime.context());
    ASSERT_TRUE(untied.ok());
    const auto expected = run(runtime.context(), untied.value(), tokens);
    const fs::path other = folder_ / "tied";
    fs::create_directories(other);
    std::ifstream in(folder_ / "config.json");
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const std::string from = "\"tie_word_embeddings\": false";
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), "\"tie_word_embeddings\": true");
    std::ofstream(other / "config.json") << text;
    fs::copy_file(folder_ / "model.safetensors", other / "model.safetensors",
                  fs::copy_options::overwrite_existing);
    const auto tied = Model::open(other, runtime.context());
    ASSERT_TRUE(tied.ok());
    EXPECT_EQ(run(runtime.context(), tied.value(), tokens), expected);
  }
}

// Other instruction sets copy the weights: then the mapped pages are given back, and nothing but
// the packed copy stays.
TEST_F(Loader, OwnsWhatItPacked) {
  for (const Isa isa : available_isas()) {
    const Runtime runtime = make_runtime(isa);
    const Model model = load_model("qwen2-s1.q8_0.gguf", runtime.context());
    if (isa == Isa::kRef) {
      EXPECT_LT(model.owned_bytes(), model.file_bytes() / 10);
    } else {
      EXPECT_GT(model.owned_bytes(), model.file_bytes() / 2);
      EXPECT_LT(model.owned_bytes(), model.file_bytes() * 115 / 100);
    }
  }
}

// Files from before the halves of kv_b were stored apart.
TEST_F(Loader, ReadsOldGgufWithWholeKvB) {
  const auto file = GgufFile::open(kModels + "deepseek_v3-s1.f32.gguf");
  const auto hf = SafetensorsFile::open(kModels + "deepseek_v3-s1");
  ASSERT_TRUE(file.ok() && hf.ok());
  auto writer = GgufWriter::create(folder_ / "old.gguf");
  ASSERT_TRUE(writer.ok());
  for (const std::string& key : file.value().keys()) {
    if (key.find("_mla") == std::string::npos) writer.value().copy(key, *file.value().find(key));
  }
  writer.value().set_u32("deepseek2.attention.key_length", 40);
  writer.value().set_u32("deepseek2.attention.value_length", 20);
  std::vector<TensorView> views;
  for (const std::string& name : file.value().tensors().names()) {
    std::string new_name = name;
    TensorView view = *file.value().tensors().find(name);
    if (name.find("attn_v_b") != std::string::npos) continue;
    if (const size_t at = name.find("attn_k_b"); at != std::string::npos) {
      new_name.replace(at, 8, "attn_kv_b");
      const std::string layer = name.substr(4, name.find('.', 4) - 4);
      view = *hf.value().tensors().find("model.layers." + layer + ".self_attn.kv_b_proj.weight");
    }
    writer.value().declare(new_name, view.dtype, view.shape);
    views.push_back(view);
  }
  ASSERT_TRUE(writer.value().begin().ok());
  for (const TensorView& view : views) ASSERT_TRUE(writer.value().write(view.bytes).ok());
  ASSERT_TRUE(writer.value().commit().ok());

  const Runtime runtime = make_runtime(available_isas().back());
  const auto tokens =
      load_golden(kModels + "deepseek_v3-s1/expected.safetensors").at("tokens").values<int32_t>();
  for (const MlaForm form : {MlaForm::kAbsorbed, MlaForm::kPlain}) {
    const auto old_model = Model::open(folder_ / "old.gguf", runtime.context(), {.mla = form});
    ASSERT_TRUE(old_model.ok()) << old_model.error().message();
    const Model new_model = load_model("deepseek_v3-s1.f32.gguf", runtime.context(), {.mla = form});
    EXPECT_EQ(run(runtime.context(), old_model.value(), tokens),
              run(runtime.context(), new_model, tokens));
  }
}

}  // namespace
}  // namespace ponder::testing
