// What each op costs at least: the bytes and multiply-adds of its definition. For profiles and for
// comparing with the roofline of the machine. T tokens, K inputs, N outputs, other letters as in
// the headers of the ops.
#pragma once

#include <span>

#include "device/profile.hpp"
#include "ops/adamw/adamw.hpp"
#include "ops/add/add.hpp"
#include "ops/attention/attention.hpp"
#include "ops/attention/attention_backward.hpp"
#include "ops/embedding/embedding.hpp"
#include "ops/gate/gate.hpp"
#include "ops/lora/lora.hpp"
#include "ops/matmul/matmul.hpp"
#include "ops/matmul/matmul_backward.hpp"
#include "ops/moe/moe.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"
#include "ops/rope/rope.hpp"
#include "ops/swiglu/swiglu.hpp"
#include "ops/xent/xent.hpp"

namespace ponder {

// Weights once, in their format; T·N·K multiply-adds.
Cost cost_of(const Context& context, const MatmulArgs& args);
Cost cost_of(const Context& context, const GatedMatmulArgs& args);
Cost cost_of(const Context& context, const StackedMatmulArgs& args);
// The same again for each gradient that is asked for.
Cost cost_of(const MatmulBackwardArgs& args);
Cost cost_of(const LoraArgs& args);
Cost cost_of(const LoraBackwardArgs& args);
// Only the experts that were chosen, once each; T·k·3·H·I multiply-adds.
Cost cost_of(const Context& context, const MoeArgs& args);
Cost cost_of(const Context& context, const MoeBackwardArgs& args);
// Keys and values of all positions so far once; h·(d_k + d_v) multiply-adds for each pair of a
// token and a position that it sees.
Cost cost_of(std::span<const AttentionArgs> sequences);
// 5·h·(d_k + d_v)/2 multiply-adds for each such pair.
Cost cost_of(std::span<const AttentionBackwardArgs> sequences);
Cost cost_of(const KvWriteArgs& args);
// The rows of the table that are read.
Cost cost_of(const EmbeddingArgs& args);
// Elementwise ops: nothing but activations.
Cost cost_of(const AddArgs& args);
Cost cost_of(const GateArgs& args);
Cost cost_of(const RmsnormArgs& args);
Cost cost_of(const RopeArgs& args);
Cost cost_of(const SwigluArgs& args);
Cost cost_of(const AdamwArgs& args);
Cost cost_of(const EmbeddingBackwardArgs& args);
Cost cost_of(const GateBackwardArgs& args);
Cost cost_of(const RmsnormBackwardArgs& args);
Cost cost_of(const SwigluBackwardArgs& args);
Cost cost_of(const XentArgs& args);
Cost cost_of(const XentBackwardArgs& args);

}  // namespace ponder
