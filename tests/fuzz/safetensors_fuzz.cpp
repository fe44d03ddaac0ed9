// safetensors: any bytes as a file.
#include "io/safetensors.hpp"

#include "testing/input_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ponder;
  const auto header = parse_safetensors(std::as_bytes(std::span(data, size)), "input");
  if (!header.ok()) return 0;
  for (const auto& tensor : header.value().tensors)
    testing::keep(testing::touch(tensor.view.bytes));
  return 0;
}
