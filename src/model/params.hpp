// One description of every parameter: where it lives in memory, its shape and what it is. The
// loader, byte counts, conversion and (later) gradients and optimisers all walk for_each_param.
// H hidden, V vocabulary, h heads, n key heads, d head size, I feed-forward width, E experts;
// rk, rq latent ranks of keys and queries, dn, dr, dv as in MlaConfig.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/buffer.hpp"
#include "core/tensor_view.hpp"
#include "model/config.hpp"
#include "ops/matmul/weight.hpp"

namespace ponder {

enum class ParamKind {
  kEmbedding,      // (V, H)
  kFinalNorm,      // (H)
  kOutput,         // (V, H); absent when tied
  kAttnNorm,       // (H)
  kFfnNorm,        // (H)
  kQ,              // (h·d, H)
  kK,              // (n·d, H)
  kV,              // (n·d, H)
  kQBias,          // (h·d)
  kKBias,          // (n·d)
  kVBias,          // (n·d)
  kQNorm,          // (d)
  kKNorm,          // (d)
  kQA,             // (rq, H)
  kQANorm,         // (rq)
  kQB,             // (h·d, rq)
  kKvA,            // (rk + dr, H)
  kKvANorm,        // (rk)
  kKvB,            // (h·(dn + dv), rk): head by head its keys' rows, then its values' rows
  kO,              // (H, h·d) or (H, h·dv)
  kGate,           // (I, H)
  kUp,             // (I, H)
  kDown,           // (H, I)
  kRouter,         // (E, H)
  kRouterBias,     // (E)
  kExpertGate,     // (E, I, H)
  kExpertUp,       // (E, I, H)
  kExpertDown,     // (E, H, I)
  kSharedGate,     // (I, H)
  kSharedUp,       // (I, H)
  kSharedDown,     // (H, I)
  kMtpEmbedding,   // (V, H): a copy of kEmbedding
  kMtpOutput,      // (V, H): a copy of kOutput
  kMtpTokenNorm,   // (H): enorm
  kMtpHiddenNorm,  // (H): hnorm
  kMtpProjection,  // (H, 2H): eh_proj
  kMtpFinalNorm,   // (H): shared_head.norm
};

struct ParamInfo {
  ParamKind kind = ParamKind::kEmbedding;
  int64_t layer = -1;  // −1: none
  Shape shape;         // outermost first
  bool is_experts() const { return shape.rank == 3; }
  bool is_vector() const { return shape.rank == 1; }
};

// kKvB as the two forms of latent attention need it; only those of the chosen form are filled.
template <typename Matrix>
struct KvB {
  Matrix whole;   // (h·(dn + dv), rk)
  Matrix keys;    // (h, rk, dn): q̃ = U_kᵀ·q_n
  Matrix values;  // (h, dv, rk)
};

// Types: Matrix, Vector, Table (the embedding).
template <typename Types>
struct LayerParamsOf {
  using Matrix = typename Types::Matrix;
  using Vector = typename Types::Vector;
  Vector attn_norm, ffn_norm;
  Matrix q, k, v, o;  // MLA: q if it is projected directly; o
  Vector q_bias, k_bias, v_bias, q_norm, k_norm;
  Matrix q_a, q_b, kv_a;
  Vector q_a_norm, kv_a_norm;
  KvB<Matrix> kv_b;
  Matrix gate, up, down;  // dense layers
  Matrix router;
  Vector router_bias;
  Matrix expert_gate, expert_up, expert_down;
  Matrix shared_gate, shared_up, shared_down;
};

template <typename Types>
struct MtpParamsOf {
  typename Types::Vector token_norm, hidden_norm, final_norm;
  typename Types::Matrix projection;
  typename Types::Table embedding;  // empty: the model's
  typename Types::Matrix output;    // empty: the model's
  LayerParamsOf<Types> layer;
};

template <typename Types>
struct ParamsOf {
  typename Types::Table embedding;
  typename Types::Vector final_norm;
  typename Types::Matrix output;
  std::vector<LayerParamsOf<Types>> layers;
  std::vector<MtpParamsOf<Types>> mtp;
};

// What low-rank adaptation adds to a product (Hu et al. 2106.09685): y += scale·B·(A·x).
struct Adapter {
  Weight a;  // (r, K), f32
  Weight b;  // (N, r), f32
  float scale = 1.0f;
};

struct Linear : Weight {
  Linear() = default;
  Linear(Weight&& weight) : Weight(std::move(weight)) {}
  std::unique_ptr<Adapter> adapter;  // null: none
};

struct InferenceTypes {
  using Matrix = Linear;
  using Vector = Buffer<float>;
  using Table = TensorView;
};
using ModelParams = ParamsOf<InferenceTypes>;
using LayerParams = LayerParamsOf<InferenceTypes>;
using MtpParams = MtpParamsOf<InferenceTypes>;

namespace param_detail {

template <typename Layer, typename Visitor>
void visit_gqa(const AttentionConfig& c, int64_t hidden, int64_t l, Layer& p, Visitor&& visit) {
  const int64_t q_rows = c.heads * c.head_dim, kv_rows = c.kv_heads * c.head_dim;
  visit(ParamInfo{ParamKind::kQ, l, Shape::of({q_rows, hidden})}, p.q);
  visit(ParamInfo{ParamKind::kK, l, Shape::of({kv_rows, hidden})}, p.k);
  visit(ParamInfo{ParamKind::kV, l, Shape::of({kv_rows, hidden})}, p.v);
  if (c.qkv_bias) {
    visit(ParamInfo{ParamKind::kQBias, l, Shape::of({q_rows})}, p.q_bias);
    visit(ParamInfo{ParamKind::kKBias, l, Shape::of({kv_rows})}, p.k_bias);
    visit(ParamInfo{ParamKind::kVBias, l, Shape::of({kv_rows})}, p.v_bias);
  }
  if (c.qk_norm) {
    visit(ParamInfo{ParamKind::kQNorm, l, Shape::of({c.head_dim})}, p.q_norm);
    visit(ParamInfo{ParamKind::kKNorm, l, Shape::of({c.head_dim})}, p.k_norm);
  }
  visit(ParamInfo{ParamKind::kO, l, Shape::of({hidden, q_rows})}, p.o);
}

template <typename Layer, typename Visitor>
void visit_mla(const AttentionConfig& c, int64_t hidden, int64_t l, Layer& p, Visitor&& visit) {
  const MlaConfig& m = *c.mla;
  const int64_t q_rows = c.heads * c.head_dim;
  if (m.q_rank > 0) {
    visit(ParamInfo{ParamKind::kQA, l, Shape::of({m.q_rank, hidden})}, p.q_a);
    visit(ParamInfo{ParamKind::kQANorm, l, Shape::of({m.q_rank})}, p.q_a_norm);
    visit(ParamInfo{ParamKind::kQB, l, Shape::of({q_rows, m.q_rank})}, p.q_b);
  } else {
    visit(ParamInfo{ParamKind::kQ, l, Shape::of({q_rows, hidden})}, p.q);
  }
  visit(ParamInfo{ParamKind::kKvA, l, Shape::of({m.kv_rank + m.rope_dim, hidden})}, p.kv_a);
  visit(ParamInfo{ParamKind::kKvANorm, l, Shape::of({m.kv_rank})}, p.kv_a_norm);
  visit(ParamInfo{ParamKind::kKvB, l, Shape::of({c.heads * (m.nope_dim + m.value_dim), m.kv_rank})},
        p.kv_b);
  visit(ParamInfo{ParamKind::kO, l, Shape::of({hidden, c.heads * m.value_dim})}, p.o);
}

template <typename Layer, typename Visitor>
void visit_moe(const MoeConfig& c, int64_t hidden, int64_t l, Layer& p, Visitor&& visit) {
  const int64_t experts = c.gate.experts;
  visit(ParamInfo{ParamKind::kRouter, l, Shape::of({experts, hidden})}, p.router);
  if (c.correction_bias)
    visit(ParamInfo{ParamKind::kRouterBias, l, Shape::of({experts})}, p.router_bias);
  visit(ParamInfo{ParamKind::kExpertGate, l, Shape::of({experts, c.width, hidden})}, p.expert_gate);
  visit(ParamInfo{ParamKind::kExpertUp, l, Shape::of({experts, c.width, hidden})}, p.expert_up);
  visit(ParamInfo{ParamKind::kExpertDown, l, Shape::of({experts, hidden, c.width})}, p.expert_down);
  if (c.shared_width == 0) return;
  visit(ParamInfo{ParamKind::kSharedGate, l, Shape::of({c.shared_width, hidden})}, p.shared_gate);
  visit(ParamInfo{ParamKind::kSharedUp, l, Shape::of({c.shared_width, hidden})}, p.shared_up);
  visit(ParamInfo{ParamKind::kSharedDown, l, Shape::of({hidden, c.shared_width})}, p.shared_down);
}

template <typename Layer, typename Visitor>
void visit_layer(const Config& c, int64_t l, Layer& p, Visitor&& visit) {
  visit(ParamInfo{ParamKind::kAttnNorm, l, Shape::of({c.hidden})}, p.attn_norm);
  if (c.attention.mla) {
    visit_mla(c.attention, c.hidden, l, p, visit);
  } else {
    visit_gqa(c.attention, c.hidden, l, p, visit);
  }
  visit(ParamInfo{ParamKind::kFfnNorm, l, Shape::of({c.hidden})}, p.ffn_norm);
  if (c.is_moe_layer(l)) {
    visit_moe(*c.moe, c.hidden, l, p, visit);
  } else {
    visit(ParamInfo{ParamKind::kGate, l, Shape::of({c.ffn_width, c.hidden})}, p.gate);
    visit(ParamInfo{ParamKind::kUp, l, Shape::of({c.ffn_width, c.hidden})}, p.up);
    visit(ParamInfo{ParamKind::kDown, l, Shape::of({c.hidden, c.ffn_width})}, p.down);
  }
}

template <typename Mtp, typename Visitor>
void visit_mtp(const Config& c, int64_t l, Mtp& p, Visitor&& visit) {
  visit(ParamInfo{ParamKind::kMtpEmbedding, l, Shape::of({c.vocab, c.hidden})}, p.embedding);
  visit(ParamInfo{ParamKind::kMtpTokenNorm, l, Shape::of({c.hidden})}, p.token_norm);
  visit(ParamInfo{ParamKind::kMtpHiddenNorm, l, Shape::of({c.hidden})}, p.hidden_norm);
  visit(ParamInfo{ParamKind::kMtpProjection, l, Shape::of({c.hidden, 2 * c.hidden})}, p.projection);
  visit_layer(c, l, p.layer, visit);
  visit(ParamInfo{ParamKind::kMtpFinalNorm, l, Shape::of({c.hidden})}, p.final_norm);
  visit(ParamInfo{ParamKind::kMtpOutput, l, Shape::of({c.vocab, c.hidden})}, p.output);
}

}  // namespace param_detail

// visit(info, member) for every parameter in the order of a forward pass; member is a Matrix&,
// Vector&, Table& or KvB<Matrix>& of `params`. MTP blocks are visited if params.mtp has room for
// them; the caller sizes params.layers and params.mtp (see size_params).
template <typename Params, typename Visitor>
void for_each_param(const Config& config, Params& params, Visitor&& visit) {
  visit(ParamInfo{ParamKind::kEmbedding, -1, Shape::of({config.vocab, config.hidden})},
        params.embedding);
  for (size_t l = 0; l < params.layers.size(); ++l)
    param_detail::visit_layer(config, static_cast<int64_t>(l), params.layers[l], visit);
  visit(ParamInfo{ParamKind::kFinalNorm, -1, Shape::of({config.hidden})}, params.final_norm);
  if (!config.tied)
    visit(ParamInfo{ParamKind::kOutput, -1, Shape::of({config.vocab, config.hidden})},
          params.output);
  for (size_t m = 0; m < params.mtp.size(); ++m)
    param_detail::visit_mtp(config, config.layers + static_cast<int64_t>(m), params.mtp[m], visit);
}

// All parameters without memory behind them.
std::vector<ParamInfo> list_params(const Config& config, bool with_mtp = false);

// Name in a Hugging Face checkpoint; of experts that of expert `expert`.
std::string hf_name(const ParamInfo& info, int64_t expert = 0);
// Name in a GGUF file (experts are one tensor); kKvB of older files, newer ones split it in two.
std::string gguf_name(const ParamInfo& info);
std::string gguf_k_b_name(int64_t layer);
std::string gguf_v_b_name(int64_t layer);
Shape gguf_k_b_shape(const AttentionConfig& config);  // (h, rk, dn)
Shape gguf_v_b_shape(const AttentionConfig& config);  // (h, dv, rk)

}  // namespace ponder
