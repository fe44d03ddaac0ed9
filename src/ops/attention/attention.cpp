#include "ops/attention/attention.hpp"

#include <algorithm>

#include "base/macros.hpp"
#include "ops/kernel_table.hpp"
#include "ops/split.hpp"

namespace ponder {
namespace {

// Partial results held at a time, in floats (16 MiB): longer calls go token range by token range.
constexpr int64_t kMaxPartialFloats = int64_t{1} << 22;

// Rows of a task: enough to use what a chunk brings into the L2 cache many times; split further
// only while threads are idle.
constexpr int64_t kMaxTaskRows = 64;
constexpr int64_t kMinTaskRows = 4;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

void check_cache(const KvView& cache, int64_t position, int64_t tokens) {
  PONDER_CHECK(cache.dtype == DType::kF32 || cache.dtype == DType::kF16);
  PONDER_CHECK(cache.heads > 0 && cache.key_dim > 0 && cache.value_dim > 0);
  PONDER_CHECK(cache.layout == KvLayout::kBlocked ||
               (cache.heads == 1 && cache.value_dim <= cache.key_dim));
  PONDER_CHECK(cache.keys != nullptr && cache.capacity % kKeyBlock == 0);
  PONDER_CHECK(cache.values != nullptr || cache.layout == KvLayout::kLatent);
  PONDER_CHECK(position >= 0 && tokens >= 0 && position + tokens <= cache.capacity);
}

int64_t count_chunks(const AttentionArgs& args) {
  return divide_up(args.position + args.tokens, kAttentionChunk);
}

int64_t rows_of_task(const AttentionArgs& args, int64_t chunks, int64_t threads) {
  const int64_t rows = args.tokens * args.heads / args.cache.heads;
  int64_t task_rows = std::min(rows, kMaxTaskRows);
  while (task_rows > kMinTaskRows &&
         chunks * args.cache.heads * divide_up(rows, task_rows) < threads) {
    task_rows = divide_up(task_rows, 2);
  }
  return task_rows;
}

void run_chunks(const Context& context, const AttentionArgs& args,
                const AttentionPartials& partials) {
  const int64_t chunks = count_chunks(args);
  const int64_t rows = args.tokens * args.heads / args.cache.heads;
  const int64_t task_rows = rows_of_task(args, chunks, context.pool->size());
  const int64_t row_tasks = divide_up(rows, task_rows);
  const int64_t scratch_floats = attention_scratch_floats(args.cache.key_dim);
  float* scratch = context.arena->take<float>(context.pool->size() * scratch_floats);
  context.pool->run(chunks * args.cache.heads * row_tasks, [&](int64_t i, int thread) {
    AttentionTask task{.partials = partials, .scratch = scratch + thread * scratch_floats};
    task.row_begin = i % row_tasks * task_rows;
    task.row_end = std::min(task.row_begin + task_rows, rows);
    task.key_head = i / row_tasks % args.cache.heads;
    task.chunk = i / row_tasks / args.cache.heads;
    context.kernels->attention.chunk(args, task);
  });
}

// Tokens few enough for their partial results to be held at once.
void attend(const Context& context, const AttentionArgs& args) {
  const Arena::Scope scope(*context.arena);
  const int64_t rows = args.tokens * args.heads;
  int64_t row_cost = count_chunks(args) * args.cache.value_dim;
  AttentionPartials partials;
  if (context.kernels->attention.chunk != nullptr) {
    const int64_t partial_rows = count_chunks(args) * rows;
    partials.value_stride = divide_up(args.cache.value_dim, kKeyBlock) * kKeyBlock;
    partials.sums = context.arena->take<float>(partial_rows * partials.value_stride);
    partials.maxima = context.arena->take<float>(partial_rows);
    partials.totals = context.arena->take<float>(partial_rows);
    run_chunks(context, args, partials);
  } else {
    row_cost = (args.position + args.tokens) * (args.cache.key_dim + args.cache.value_dim);
  }
  for_row_ranges(context, rows, row_cost, [&](int64_t begin, int64_t end) {
    context.kernels->attention.finish(args, partials, begin, end);
  });
}

}  // namespace

void attention(const Context& context, const AttentionArgs& args) {
  check_cache(args.cache, args.position, args.tokens);
  PONDER_CHECK(args.heads > 0 && args.heads % args.cache.heads == 0);
  PONDER_CHECK(args.tokens <= 1 || args.q_stride >= args.heads * args.cache.key_dim);
  const int64_t out_stride = args.heads * args.cache.value_dim;
  const int64_t token_floats = count_chunks(args) * (out_stride + args.heads * kKeyBlock);
  const int64_t batch_tokens =
      std::max<int64_t>(1, kMaxPartialFloats / std::max<int64_t>(1, token_floats));
  for (int64_t begin = 0; begin < args.tokens; begin += batch_tokens) {
    AttentionArgs batch = args;
    batch.tokens = std::min(batch_tokens, args.tokens - begin);
    batch.position += begin;
    batch.q += begin * args.q_stride;
    batch.out += begin * out_stride;
    attend(context, batch);
  }
}

void kv_write(const Context& context, const KvWriteArgs& args) {
  const KvView& cache = args.cache;
  check_cache(cache, args.position, args.tokens);
  PONDER_CHECK(args.tokens <= 1 || args.key_stride >= cache.heads * cache.key_dim);
  PONDER_CHECK(cache.layout == KvLayout::kLatent || args.tokens <= 1 ||
               args.value_stride >= cache.heads * cache.value_dim);
  // Ranges begin where a block of keys does, so that threads do not share cache lines.
  const int64_t first = args.position / kKeyBlock;
  const int64_t blocks = divide_up(args.position + args.tokens, kKeyBlock) - first;
  const int64_t cost = kKeyBlock * cache.heads * (cache.key_dim + cache.value_dim);
  for_row_ranges(context, args.tokens > 0 ? blocks : 0, cost, [&](int64_t begin, int64_t end) {
    const int64_t from = std::max<int64_t>(0, (first + begin) * kKeyBlock - args.position);
    const int64_t to = std::min(args.tokens, (first + end) * kKeyBlock - args.position);
    context.kernels->attention.write(args, from, to);
  });
}

}  // namespace ponder
