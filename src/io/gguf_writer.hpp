// Writing a GGUF v3 file without holding its tensors in memory.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "io/gguf.hpp"

namespace ponder {

// Use: create(), set_…() and declare(), begin(), write() the data of all tensors in the order of
// declaration in pieces of any size, commit(). Without commit() no file appears. Padding between
// tensors (alignment 32) is the writer's business.
class GgufWriter {
 public:
  static Result<GgufWriter> create(const std::filesystem::path& path);

  // Metadata, before begin(). A key set again keeps its place and gets the new value.
  void set_u32(std::string_view key, uint32_t value);
  void set_u64(std::string_view key, uint64_t value);
  void set_f32(std::string_view key, float value);
  void set_bool(std::string_view key, bool value);
  void set_text(std::string_view key, std::string_view value);
  void set_texts(std::string_view key, std::span<const std::string> values);
  void set_i32s(std::string_view key, std::span<const int32_t> values);
  void set_f32s(std::string_view key, std::span<const float> values);
  // As it is in another file. Leaves out what describes that file and not the model: the alignment
  // and the splits.
  void copy(std::string_view key, const GgufValue& value);

  // The shape outermost first, as in Shape. The name must be new, the format one of GGUF, a row
  // whole blocks.
  void declare(std::string_view name, DType dtype, const Shape& shape);

  // Bytes that the whole file will have.
  uint64_t file_bytes() const;

  Result<void> begin();
  Result<void> write(std::span<const std::byte> bytes);
  Result<void> commit();

 private:
  explicit GgufWriter(AtomicFile file) : file_(std::move(file)) {}

  struct Key {
    std::string name;
    std::string bytes;  // type and value, encoded
  };
  struct Tensor {
    std::string name;
    DType dtype;
    Shape shape;
    uint64_t bytes;
  };

  void set(std::string_view key, std::string bytes);
  std::string header() const;  // all before the data, padding included

  AtomicFile file_;
  std::vector<Key> keys_;
  std::vector<Tensor> tensors_;
  bool begun_ = false;
  size_t current_ = 0;         // tensor that is being written
  uint64_t current_done_ = 0;  // bytes of it written
};

}  // namespace ponder
