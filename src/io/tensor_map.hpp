// Named tensors in mapped files: what GGUF and safetensors have in common.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "core/tensor_view.hpp"

namespace ponder {

class TensorMap {
 public:
  // Fails if the name is taken. The view must lie inside the file, which is kept alive.
  Result<void> add(std::string name, const TensorView& view,
                   std::shared_ptr<const MappedFile> file);

  const TensorView* find(std::string_view name) const;              // nullptr if absent
  const std::vector<std::string>& names() const { return names_; }  // in file order
  std::string where(std::string_view name) const;  // "model.gguf: tensor 'blk.0.attn_q.weight'"
  // Lets the system drop the tensor's pages from memory; they are read again when touched.
  void release(std::string_view name) const;
  uint64_t total_bytes() const { return total_bytes_; }  // of the tensors' data

 private:
  struct Entry {
    TensorView view;
    std::shared_ptr<const MappedFile> file;
  };
  std::vector<std::string> names_;
  std::map<std::string, Entry, std::less<>> entries_;
  uint64_t total_bytes_ = 0;
};

}  // namespace ponder
