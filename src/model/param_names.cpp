// Names of parameters in checkpoints (model-spec §1-§6, §14).
#include <array>

#include "base/macros.hpp"
#include "model/params.hpp"

namespace ponder {
namespace {

struct Name {
  ParamKind kind;
  std::string_view hf;    // after "model.layers.N." if the parameter is a layer's; * is the expert
  std::string_view gguf;  // after "blk.N."
};

constexpr std::array kNames = {
    Name{ParamKind::kEmbedding, "model.embed_tokens.weight", "token_embd.weight"},
    Name{ParamKind::kFinalNorm, "model.norm.weight", "output_norm.weight"},
    Name{ParamKind::kOutput, "lm_head.weight", "output.weight"},
    Name{ParamKind::kAttnNorm, "input_layernorm.weight", "attn_norm.weight"},
    Name{ParamKind::kFfnNorm, "post_attention_layernorm.weight", "ffn_norm.weight"},
    Name{ParamKind::kQ, "self_attn.q_proj.weight", "attn_q.weight"},
    Name{ParamKind::kK, "self_attn.k_proj.weight", "attn_k.weight"},
    Name{ParamKind::kV, "self_attn.v_proj.weight", "attn_v.weight"},
    Name{ParamKind::kQBias, "self_attn.q_proj.bias", "attn_q.bias"},
    Name{ParamKind::kKBias, "self_attn.k_proj.bias", "attn_k.bias"},
    Name{ParamKind::kVBias, "self_attn.v_proj.bias", "attn_v.bias"},
    Name{ParamKind::kQNorm, "self_attn.q_norm.weight", "attn_q_norm.weight"},
    Name{ParamKind::kKNorm, "self_attn.k_norm.weight", "attn_k_norm.weight"},
    Name{ParamKind::kQA, "self_attn.q_a_proj.weight", "attn_q_a.weight"},
    Name{ParamKind::kQANorm, "self_attn.q_a_layernorm.weight", "attn_q_a_norm.weight"},
    Name{ParamKind::kQB, "self_attn.q_b_proj.weight", "attn_q_b.weight"},
    Name{ParamKind::kKvA, "self_attn.kv_a_proj_with_mqa.weight", "attn_kv_a_mqa.weight"},
    Name{ParamKind::kKvANorm, "self_attn.kv_a_layernorm.weight", "attn_kv_a_norm.weight"},
    Name{ParamKind::kKvB, "self_attn.kv_b_proj.weight", "attn_kv_b.weight"},
    Name{ParamKind::kO, "self_attn.o_proj.weight", "attn_output.weight"},
    Name{ParamKind::kGate, "mlp.gate_proj.weight", "ffn_gate.weight"},
    Name{ParamKind::kUp, "mlp.up_proj.weight", "ffn_up.weight"},
    Name{ParamKind::kDown, "mlp.down_proj.weight", "ffn_down.weight"},
    Name{ParamKind::kRouter, "mlp.gate.weight", "ffn_gate_inp.weight"},
    Name{ParamKind::kRouterBias, "mlp.gate.e_score_correction_bias", "exp_probs_b.bias"},
    Name{ParamKind::kExpertGate, "mlp.experts.*.gate_proj.weight", "ffn_gate_exps.weight"},
    Name{ParamKind::kExpertUp, "mlp.experts.*.up_proj.weight", "ffn_up_exps.weight"},
    Name{ParamKind::kExpertDown, "mlp.experts.*.down_proj.weight", "ffn_down_exps.weight"},
    Name{ParamKind::kSharedGate, "mlp.shared_experts.gate_proj.weight", "ffn_gate_shexp.weight"},
    Name{ParamKind::kSharedUp, "mlp.shared_experts.up_proj.weight", "ffn_up_shexp.weight"},
    Name{ParamKind::kSharedDown, "mlp.shared_experts.down_proj.weight", "ffn_down_shexp.weight"},
    Name{ParamKind::kMtpEmbedding, "embed_tokens.weight", "nextn.embed_tokens.weight"},
    Name{ParamKind::kMtpOutput, "shared_head.head.weight", "nextn.shared_head_head.weight"},
    Name{ParamKind::kMtpTokenNorm, "enorm.weight", "nextn.enorm.weight"},
    Name{ParamKind::kMtpHiddenNorm, "hnorm.weight", "nextn.hnorm.weight"},
    Name{ParamKind::kMtpProjection, "eh_proj.weight", "nextn.eh_proj.weight"},
    Name{ParamKind::kMtpFinalNorm, "shared_head.norm.weight", "nextn.shared_head_norm.weight"},
};

const Name& name_of(ParamKind kind) {
  for (const Name& name : kNames)
    if (name.kind == kind) return name;
  PONDER_CHECK(!"a parameter without a name");
  return kNames[0];
}

std::string block(int64_t layer) { return "blk." + std::to_string(layer) + "."; }

}  // namespace

std::string hf_name(const ParamInfo& info, int64_t expert) {
  std::string name(name_of(info.kind).hf);
  if (const size_t star = name.find('*'); star != std::string::npos)
    name.replace(star, 1, std::to_string(expert));
  return info.layer < 0 ? name : "model.layers." + std::to_string(info.layer) + "." + name;
}

std::string gguf_name(const ParamInfo& info) {
  const std::string name(name_of(info.kind).gguf);
  return info.layer < 0 ? name : block(info.layer) + name;
}

std::string gguf_k_b_name(int64_t layer) { return block(layer) + "attn_k_b.weight"; }
std::string gguf_v_b_name(int64_t layer) { return block(layer) + "attn_v_b.weight"; }

Shape gguf_k_b_shape(const AttentionConfig& config) {
  return Shape::of({config.heads, config.mla->kv_rank, config.mla->nope_dim});
}
Shape gguf_v_b_shape(const AttentionConfig& config) {
  return Shape::of({config.heads, config.mla->value_dim, config.mla->kv_rank});
}

}  // namespace ponder
