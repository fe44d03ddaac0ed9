// Real models by name: their configuration without their weights.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/config.hpp"

namespace ponder {

// "qwen2-0.5b" … and tiny ones of each family for tests. Any may be followed by "-N-layers".
std::vector<std::string> shape_names();

struct NamedShape {
  std::string name;          // "deepseek-v3-4-layers"
  std::string pretokenizer;  // its name in GGUF
  Config config;
};

// `layers` instead of those of the model; the first ones stay dense as far as there are so many.
// Errors: an unknown name, a number of layers that is impossible or given twice.
Result<NamedShape> named_shape(std::string_view name, std::optional<int64_t> layers = {});

}  // namespace ponder
