// The gradient of attention as the formula says (attention.md), one query at a time.
#pragma once

#include <algorithm>
#include <vector>

#include "ops/attention/attention_kernel.hpp"
#include "ops/attention/attention_ref.hpp"

namespace ponder {

// One query head. dq: token t at dq + t·dq_stride (d_k); dkeys: (P + T, d_k); dvalues: (P + T, d_v)
// or, for a latent cache, dkeys, whose rows it shares.
template <typename Real>
struct AttentionHeadGradients {
  Real *dq, *dkeys, *dvalues;
  int64_t dq_stride, value_stride;
};

template <typename Real>
void attention_backward_row(const AttentionBackwardArgs& args, int64_t token, int64_t head,
                            const AttentionHeadGradients<Real>& g) {
  const KvView& cache = args.cache;
  const int64_t dk = cache.key_dim, dv = cache.value_dim;
  const int64_t key_head = head / (args.heads / cache.heads);
  const AttentionArgs forward{.q = args.q,
                              .cache = cache,
                              .tokens = args.tokens,
                              .heads = args.heads,
                              .q_stride = args.q_stride,
                              .position = args.position,
                              .scale = args.scale};
  const float* q = args.q + token * args.q_stride + head * dk;
  const float* dout = args.dout + (token * args.heads + head) * dv;
  std::vector<float> key(static_cast<size_t>(dk)), value(static_cast<size_t>(dv));
  std::vector<Real> out(static_cast<size_t>(dv));
  const Real log_sum = attention_row<Real>(forward, token, head, out.data());
  Real delta = 0;
  for (int64_t i = 0; i < dv; ++i)
    delta += out[static_cast<size_t>(i)] * static_cast<Real>(dout[i]);
  std::fill_n(g.dq + token * g.dq_stride, dk, Real(0));
  for (int64_t j = 0; j <= args.position + token; ++j) {
    kv_read(cache, KvPart::kKeys, key_head, j, key.data());
    kv_read(cache, KvPart::kValues, key_head, j, value.data());
    const Real p = std::exp(attention_score<Real>(forward, q, key.data()) - log_sum);
    Real dp = 0;
    for (int64_t i = 0; i < dv; ++i) {
      dp += static_cast<Real>(dout[i]) * static_cast<Real>(value[static_cast<size_t>(i)]);
      g.dvalues[j * g.value_stride + i] += p * static_cast<Real>(dout[i]);
    }
    const Real ds = p * (dp - delta) * static_cast<Real>(args.scale);
    for (int64_t i = 0; i < dk; ++i) {
      g.dq[token * g.dq_stride + i] += ds * static_cast<Real>(key[static_cast<size_t>(i)]);
      g.dkeys[j * dk + i] += ds * static_cast<Real>(q[i]);
    }
  }
}

namespace ref {

template <typename Real>
void attention_backward_head(const AttentionBackwardArgs& args,
                             const AttentionBackwardTask& task) noexcept {
  const int64_t dk = args.cache.key_dim, dv = args.cache.value_dim;
  const bool latent = args.cache.layout == KvLayout::kLatent;
  const int64_t keys = args.position + args.tokens;
  std::fill_n(task.dkeys, keys * dk, Real(0));
  if (!latent) std::fill_n(task.dvalues, keys * dv, Real(0));
  const AttentionHeadGradients<Real> g{.dq = args.dq + task.head * dk,
                                       .dkeys = task.dkeys,
                                       .dvalues = latent ? task.dkeys : task.dvalues,
                                       .dq_stride = args.heads * dk,
                                       .value_stride = latent ? dk : dv};
  for (int64_t t = 0; t < args.tokens; ++t) attention_backward_row(args, t, task.head, g);
}

}  // namespace ref
}  // namespace ponder
