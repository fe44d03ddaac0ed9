// Every truncation and every flipped bit of small files: no crash, no large allocation. Run under
// the sanitizers, this also shows that nothing is read past the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <numeric>

#include "io/gguf_parse.hpp"
#include "io/gguf_writer.hpp"
#include "io/json.hpp"
#include "io/safetensors.hpp"
#include "io/safetensors_writer.hpp"
#include "testing/temp_folder.hpp"

namespace {

thread_local size_t largest_allocation = 0;

}  // namespace

// Not inlined: the compiler would see malloc() here and the library's delete there.
__attribute__((noinline)) void* operator new(size_t size) {
  largest_allocation = std::max(largest_allocation, size);
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace ponder {
namespace {

using testing::content_of;
using testing::TempFolder;

constexpr size_t kFileBytes = 4096;

std::string small_gguf() {
  const TempFolder folder;
  auto writer = GgufWriter::create(folder.path() / "x.gguf").value();
  writer.set_text("general.architecture", "qwen2");
  writer.set_u32("qwen2.block_count", 2);
  writer.set_f32("qwen2.rope.freq_base", 10000);
  writer.set_bool("tokenizer.ggml.add_bos_token", false);
  const std::vector<std::string> tokens = {"a", "b", "<|end|>", "世"};
  writer.set_texts("tokenizer.ggml.tokens", tokens);
  const std::vector<int32_t> kinds = {1, 1, 3, 1};
  writer.set_i32s("tokenizer.ggml.token_type", kinds);
  writer.declare("token_embd.weight", DType::kF32, Shape::of({4, 32}));
  writer.declare("blk.0.attn_q.weight", DType::kQ8_0, Shape::of({8, 64}));
  writer.declare("output_norm.weight", DType::kF16, Shape::of({64}));
  writer.declare("rest", DType::kI8, Shape::of({1600}));
  EXPECT_TRUE(writer.begin().ok());
  std::vector<std::byte> data(4 * 32 * 4 + 8 * 68 + 128 + 1600);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 37);
  EXPECT_TRUE(writer.write(data).ok());
  EXPECT_TRUE(writer.commit().ok());
  return content_of(folder.path() / "x.gguf");
}

std::string small_safetensors() {
  const TempFolder folder;
  auto writer = SafetensorsWriter::create(folder.path() / "x.safetensors").value();
  writer.set_metadata("format", "pt");
  writer.declare("model.embed_tokens.weight", DType::kBF16, Shape::of({16, 32}));
  writer.declare("model.norm.weight", DType::kF32, Shape::of({32}));
  writer.declare("q", DType::kF8E4M3, Shape::of({50, 50}));
  EXPECT_TRUE(writer.begin().ok());
  EXPECT_TRUE(writer.write(std::vector<std::byte>(1024 + 128 + 2500)).ok());
  EXPECT_TRUE(writer.commit().ok());
  return content_of(folder.path() / "x.safetensors");
}

// Reads all that the parsers let through.
template <typename Tensors>
unsigned touch(const Tensors& tensors) {
  unsigned sum = 0;
  for (const auto& tensor : tensors) {
    for (const std::byte byte : tensor.view.bytes) sum += std::to_integer<unsigned>(byte);
  }
  return sum;
}

bool read_gguf(std::span<const std::byte> bytes) {
  const auto header = parse_gguf(bytes, "x", GgufPart::kAll);
  if (!header.ok()) return false;
  volatile unsigned sum = touch(header.value().tensors);
  for (const auto& [key, value] : header.value().values) {
    for (const std::byte byte : value.bytes) sum = sum + std::to_integer<unsigned>(byte);
  }
  return true;
}

bool read_safetensors(std::span<const std::byte> bytes) {
  const auto header = parse_safetensors(bytes, "x");
  if (!header.ok()) return false;
  [[maybe_unused]] volatile unsigned sum = touch(header.value().tensors);
  return true;
}

// Calls `read` with every truncation and every flip; returns how many flips it accepted.
template <typename Read>
size_t damage(const std::string& whole, Read read) {
  const auto all = std::as_bytes(std::span(whole));
  EXPECT_TRUE(read(all));
  largest_allocation = 0;
  for (size_t length = 0; length < whole.size(); ++length) {
    // A copy of exactly this size, so that a sanitizer sees a read past its end.
    const std::vector<std::byte> cut(all.begin(), all.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_FALSE(read(std::span<const std::byte>(cut))) << "cut to " << length;
  }
  size_t accepted = 0;
  std::vector<std::byte> flipped(all.begin(), all.end());
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1 << (bit % 8));
    flipped[bit / 8] ^= mask;
    accepted += read(std::span<const std::byte>(flipped));
    flipped[bit / 8] ^= mask;
  }
  EXPECT_LE(largest_allocation, 4 * whole.size());
  return accepted;
}

TEST(Damage, Gguf) {
  const std::string file = small_gguf();
  EXPECT_NEAR(static_cast<double>(file.size()), kFileBytes, 800);
  const size_t accepted = damage(file, read_gguf);
  // A flip in tensor data or in a value is not for the reader to notice; one in the structure is.
  EXPECT_GT(accepted, 8u * 2500);
  EXPECT_LT(accepted, 8 * file.size());
}

TEST(Damage, Safetensors) {
  const std::string file = small_safetensors();
  EXPECT_NEAR(static_cast<double>(file.size()), kFileBytes, 800);
  const size_t accepted = damage(file, read_safetensors);
  EXPECT_GT(accepted, 8u * 3652);
  EXPECT_LT(accepted, 8 * file.size());
}

TEST(Damage, Json) {
  const std::string text = R"({"hidden_size": 64, "rope_scaling": {"factor": 40.0, "type": "yarn"},
      "architectures": ["DeepseekV3ForCausalLM"], "tie": false, "x": null, "y": [[1, -2.5e3]]})";
  damage(text, [](std::span<const std::byte> bytes) {
    return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "x").ok();
  });
}

}  // namespace
}  // namespace ponder
