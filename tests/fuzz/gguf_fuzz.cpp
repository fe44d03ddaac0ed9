// GGUF: any bytes as a file; every getter on every key, all bytes of all tensors, and the model's
// configuration from it.
#include "io/gguf.hpp"
#include "io/gguf_parse.hpp"
#include "model/config.hpp"
#include "testing/input_file.hpp"

namespace {

using namespace ponder;

// One getter for each key, whether it fits or not: which one depends on the place.
void read_values(const GgufFile& file) {
  for (size_t i = 0; i < file.keys().size(); ++i) {
    const auto& key = file.keys()[i];
    testing::keep(testing::touch(file.find(key)->bytes));
    switch (i % 6) {
      case 0:
        testing::keep(file.integer(key).ok());
        break;
      case 1:
        testing::keep(file.number(key).ok());
        break;
      case 2:
        testing::keep(file.text(key).ok());
        break;
      case 3:
        testing::keep(file.boolean_or(key, false).ok());
        break;
      case 4:
        testing::keep(file.integers(key).ok());
        break;
      default:
        testing::keep(file.numbers(key).ok());
    }
    if (file.find(key)->element != GgufType::kString) continue;
    const auto texts = file.texts(key);
    if (!texts.ok()) continue;
    for (const auto text : texts.value()) testing::keep(testing::touch(text));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // From memory, where the sanitizer knows the exact end …
  const auto bytes = std::as_bytes(std::span(data, size));
  if (!parse_gguf(bytes, "input", GgufPart::kMetadata).ok()) return 0;
  const auto header = parse_gguf(bytes, "input", GgufPart::kAll);
  if (header.ok()) {
    for (const auto& tensor : header.value().tensors) {
      testing::keep(testing::touch(tensor.view.bytes));
    }
  }
  // … and as users do. The names of splits do not come up, so what is accepted is the same, but for
  // a file that says it is one of several.
  const testing::InputFile input(data, size);
  const auto metadata = GgufFile::open_metadata(input.path());
  if (metadata.ok()) read_values(metadata.value());
  if (!header.ok()) return 0;
  const auto file = GgufFile::open(input.path());
  if (file.ok() != metadata.ok()) __builtin_trap();
  if (file.ok()) testing::keep(config_from_gguf(file.value()).ok());
  return 0;
}
