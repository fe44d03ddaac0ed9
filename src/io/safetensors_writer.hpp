// Writing a safetensors file without holding its tensors in memory.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "core/tensor_view.hpp"

namespace ponder {

// Use: create(), declare() each tensor, begin(), write() all data in the order of declaration in
// pieces of any size, commit(). Without commit() no file appears.
class SafetensorsWriter {
 public:
  static Result<SafetensorsWriter> create(const std::filesystem::path& path);

  // Before begin(). The name must be new, the format one that safetensors has.
  void declare(const std::string& name, DType dtype, const Shape& shape);
  void set_metadata(const std::string& key, const std::string& value);

  Result<void> begin();
  Result<void> write(std::span<const std::byte> bytes);
  Result<void> commit();

 private:
  explicit SafetensorsWriter(AtomicFile file) : file_(std::move(file)) {}

  struct Declared {
    std::string name;
    DType dtype;
    Shape shape;
  };

  AtomicFile file_;
  std::vector<Declared> tensors_;
  std::map<std::string, std::string> metadata_;
  uint64_t end_ = 0;  // of the file, known after begin()
};

}  // namespace ponder
