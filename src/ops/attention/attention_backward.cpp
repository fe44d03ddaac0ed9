#include "ops/attention/attention_backward.hpp"

#include <algorithm>

#include "base/macros.hpp"
#include "ops/attention/attention_kernel.hpp"
#include "ops/cost.hpp"
#include "ops/kernel_table.hpp"
#include "ops/split.hpp"

namespace ponder {
namespace {

// A sequence with what its heads give for the keys that they share.
struct Job {
  const AttentionBackwardArgs* args = nullptr;
  float* dkeys = nullptr;    // (h, P + T, d_k)
  float* dvalues = nullptr;  // (h, P + T, d_v), kBlocked only
  int64_t first_task = 0;    // a task for each head

  int64_t group() const { return args->heads / args->cache.heads; }
  int64_t keys() const { return args->position + args->tokens; }
};

void check(const AttentionBackwardArgs& args) {
  const KvView& cache = args.cache;
  PONDER_CHECK(cache.dtype == DType::kF32 && cache.heads > 0 && args.heads % cache.heads == 0);
  PONDER_CHECK(cache.layout == KvLayout::kBlocked ||
               (cache.heads == 1 && cache.value_dim <= cache.key_dim));
  PONDER_CHECK(args.tokens >= 0 && args.position >= 0 &&
               args.position + args.tokens <= cache.capacity());
  PONDER_CHECK(args.position == 0 || args.earlier_dkeys != nullptr);
  PONDER_CHECK(args.tokens <= 1 || args.q_stride >= args.heads * cache.key_dim);
}

// Position t of the keys: y (n, width) = or += Σ over the heads of each group of parts (h, P + T,
// width).
void add_heads(const Job& job, const float* parts, int64_t width, int64_t t, float* y, bool add) {
  const int64_t keys = job.keys(), heads = job.args->cache.heads, group = job.group();
  for (int64_t key_head = 0; key_head < heads; ++key_head) {
    float* sum = y + key_head * width;
    const float* part = parts + (key_head * group * keys + t) * width;
    for (int64_t i = 0; i < group; ++i, part += keys * width) {
      if (i == 0 && !add) {
        std::copy_n(part, width, sum);
      } else {
        for (int64_t j = 0; j < width; ++j) sum[j] += part[j];
      }
    }
  }
}

// Where the gradient of position t goes; of those before the sequence, to the earlier rows.
float* row_of(const Job& job, int64_t t, int64_t width, float* earlier, float* own) {
  const int64_t row = job.args->cache.heads * width, before = job.args->position;
  return t < before ? earlier + t * row : own + (t - before) * row;
}

}  // namespace

void attention_backward(const Context& context, std::span<const AttentionBackwardArgs> sequences) {
  const ProfileScope profile(context, "attention_backward", [&] { return cost_of(sequences); });
  const Arena::Scope scope(*context.arena);
  const auto count = static_cast<int64_t>(sequences.size());
  Job* jobs = context.arena->take<Job>(count);
  int64_t tasks = 0, scratch_floats = 0;
  for (int64_t i = 0; i < count; ++i) {
    const AttentionBackwardArgs& args = sequences[static_cast<size_t>(i)];
    check(args);
    const int64_t rows = (args.position + args.tokens) * args.heads;
    jobs[i] = {.args = &args,
               .dkeys = context.arena->take<float>(rows * args.cache.key_dim),
               .first_task = tasks};
    if (args.cache.layout == KvLayout::kBlocked)
      jobs[i].dvalues = context.arena->take<float>(rows * args.cache.value_dim);
    tasks += args.heads;
    scratch_floats =
        std::max(scratch_floats,
                 attention_backward_floats(args.tokens, args.cache.key_dim, args.cache.value_dim));
  }
  float* scratch = context.arena->take<float>(context.pool->size() * scratch_floats);
  context.pool->run(tasks, [&](int64_t i, int thread) {
    const Job& job =
        *(std::upper_bound(jobs, jobs + count, i,
                           [](int64_t at, const Job& j) { return at < j.first_task; }) -
          1);
    const int64_t head = i - job.first_task, rows = head * job.keys();
    AttentionBackwardTask task{.head = head,
                               .dkeys = job.dkeys + rows * job.args->cache.key_dim,
                               .scratch = scratch + thread * scratch_floats};
    if (job.dvalues != nullptr) task.dvalues = job.dvalues + rows * job.args->cache.value_dim;
    context.kernels->attention.backward(*job.args, task);
  });
  for (int64_t i = 0; i < count; ++i) {
    const Job& job = jobs[i];
    const KvView& cache = job.args->cache;
    const int64_t cost = job.args->heads * (cache.key_dim + cache.value_dim);
    const AttentionBackwardArgs& args = *job.args;
    for_row_ranges(context, job.keys(), cost, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const bool add = t < args.position;
        add_heads(job, job.dkeys, cache.key_dim, t,
                  row_of(job, t, cache.key_dim, args.earlier_dkeys, args.dkeys), add);
        if (job.dvalues != nullptr)
          add_heads(job, job.dvalues, cache.value_dim, t,
                    row_of(job, t, cache.value_dim, args.earlier_dvalues, args.dvalues), add);
      }
    });
  }
}

}  // namespace ponder
