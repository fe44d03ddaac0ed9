// config.json: any text; an accepted one must give sizes that can be computed with.
#include "model/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ponder;
  const auto config = config_from_json({reinterpret_cast<const char*>(data), size}, "config.json");
  if (!config.ok()) return 0;
  const Config& c = config.value();
  if (c.vocab <= 0 || c.hidden <= 0 || c.layers <= 0) __builtin_trap();
  return 0;
}
