// Gradients of a whole model as a file, to be compared with another implementation's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.hpp"
#include "device/context.hpp"

namespace ponder {

// Of the mean cross-entropy of `tokens` (model-spec §9, §10; no auxiliary losses): writes a
// safetensors file with `loss` (1) and `grad.NAME` for every tensor of the checkpoint but routers'
// biases, which have none. Gives the loss.
Result<double> check_grads(const Context& context, const std::filesystem::path& model,
                           std::span<const int32_t> tokens, const std::filesystem::path& out);

}  // namespace ponder
