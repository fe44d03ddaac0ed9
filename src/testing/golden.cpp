#include "testing/golden.hpp"

#include "io/safetensors.hpp"

namespace ponder::testing {

std::map<std::string, GoldenTensor> load_golden(const std::string& path) {
  const auto file = SafetensorsFile::open(path);
  PONDER_CHECK(file.ok());
  const TensorMap& map = file.value().tensors();
  std::map<std::string, GoldenTensor> tensors;
  for (const std::string& name : map.names()) {
    const TensorView& view = *map.find(name);
    GoldenTensor& tensor = tensors[name];
    tensor.dtype = view.dtype;
    for (int i = 0; i < view.shape.rank; ++i) tensor.shape.push_back(view.shape[i]);
    tensor.bytes.assign(view.bytes.begin(), view.bytes.end());
  }
  return tensors;
}

}  // namespace ponder::testing
