#include "ops/attention/attention.hpp"

#include <algorithm>

#include "base/macros.hpp"
#include "ops/attention/attention_kernel.hpp"
#include "ops/cost.hpp"
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

void check_cache(const KvView& cache, int64_t position, int64_t tokens) {
  PONDER_CHECK(is_kv_type(cache.dtype));
  PONDER_CHECK(cache.heads > 0 && cache.key_dim > 0 && cache.value_dim > 0);
  PONDER_CHECK(cache.layout == KvLayout::kBlocked ||
               (cache.heads == 1 && cache.value_dim <= cache.key_dim));
  PONDER_CHECK(cache.page_positions > 0 && cache.page_positions % kKeyBlock == 0);
  PONDER_CHECK(cache.pages != nullptr || cache.page_count == 0);
  PONDER_CHECK(position >= 0 && tokens >= 0 && position + tokens <= cache.capacity());
}

int64_t count_chunks(const AttentionArgs& args) {
  return divide_up(args.position + args.tokens, kAttentionChunk);
}

// Some tokens of one sequence: what is worked on at a time, with its partial results.
struct Job {
  AttentionArgs args;
  AttentionPartials partials;
  int64_t task_rows = 0, row_tasks = 0;  // of one key head and chunk
  int64_t first_task = 0;                // in the numbering over all jobs of a wave

  int64_t head_rows() const { return args.tokens * args.heads / args.cache.heads; }
  int64_t rows() const { return args.tokens * args.heads; }
  int64_t chunk_heads() const { return count_chunks(args) * args.cache.heads; }
  int64_t tasks() const { return chunk_heads() * row_tasks; }
};

// Floats of the partial results of one token.
int64_t token_floats(const AttentionArgs& args) {
  return count_chunks(args) * args.heads * (args.cache.value_dim + kKeyBlock);
}

// Splits the rows of each task until there is one for every thread, or it is not worth it.
void choose_tasks(std::span<Job> jobs, int64_t threads) {
  int64_t limit = kMaxTaskRows, tasks = 0;
  do {
    tasks = 0;
    for (Job& job : jobs) {
      job.task_rows = std::min(job.head_rows(), limit);
      job.row_tasks = divide_up(job.head_rows(), job.task_rows);
      job.first_task = tasks;
      tasks += job.tasks();
    }
    limit = divide_up(limit, 2);
  } while (tasks < threads && limit >= kMinTaskRows);
}

void run_chunks(const Context& context, std::span<Job> jobs) {
  int64_t scratch_floats = 0;
  for (Job& job : jobs) {
    const KvView& cache = job.args.cache;
    const int64_t rows = job.chunk_heads() * job.head_rows();
    job.partials.value_stride = divide_up(cache.value_dim, kKeyBlock) * kKeyBlock;
    job.partials.sums = context.arena->take<float>(rows * job.partials.value_stride);
    job.partials.maxima = context.arena->take<float>(rows);
    job.partials.totals = context.arena->take<float>(rows);
    scratch_floats = std::max(scratch_floats, attention_scratch_floats(cache.key_dim));
  }
  choose_tasks(jobs, context.pool->size());
  float* scratch = context.arena->take<float>(context.pool->size() * scratch_floats);
  context.pool->run(jobs.back().first_task + jobs.back().tasks(), [&](int64_t i, int thread) {
    size_t j = jobs.size() - 1;
    while (jobs[j].first_task > i) --j;
    const Job& job = jobs[j];
    i -= job.first_task;
    AttentionTask task{.partials = job.partials, .scratch = scratch + thread * scratch_floats};
    task.row_begin = i % job.row_tasks * job.task_rows;
    task.row_end = std::min(task.row_begin + job.task_rows, job.head_rows());
    task.key_head = i / job.row_tasks % job.args.cache.heads;
    task.chunk = i / job.row_tasks / job.args.cache.heads;
    context.kernels->attention.chunk(job.args, task);
  });
}

// Jobs few enough for their partial results to be held at once.
void run_wave(const Context& context, std::span<Job> jobs) {
  const Arena::Scope scope(*context.arena);
  const bool chunked = context.kernels->attention.chunk != nullptr;
  if (chunked) run_chunks(context, jobs);
  int64_t rows = 0, cost = 0;
  for (const Job& job : jobs) {
    const KvView& cache = job.args.cache;
    rows += job.rows();
    cost = std::max(
        cost, chunked ? count_chunks(job.args) * cache.value_dim
                      : (job.args.position + job.args.tokens) * (cache.key_dim + cache.value_dim));
  }
  for_row_ranges(context, rows, cost, [&](int64_t begin, int64_t end) {
    int64_t first = 0;  // row of the wave that the job starts with
    for (const Job& job : jobs) {
      const int64_t from = std::max(begin - first, int64_t{0});
      const int64_t to = std::min(end - first, job.rows());
      if (from < to) context.kernels->attention.finish(job.args, job.partials, from, to);
      first += job.rows();
    }
  });
}

}  // namespace

void attention(const Context& context, std::span<const AttentionArgs> sequences) {
  const ProfileScope profile(context, "attention", [&] { return cost_of(sequences); });
  int64_t most = 0;  // jobs
  for (const AttentionArgs& args : sequences) {
    check_cache(args.cache, args.position, args.tokens);
    PONDER_CHECK(args.heads > 0 && args.heads % args.cache.heads == 0);
    PONDER_CHECK(args.tokens <= 1 || args.q_stride >= args.heads * args.cache.key_dim);
    most += 2 + args.tokens * token_floats(args) / kMaxPartialFloats;
  }
  const Arena::Scope scope(*context.arena);
  Job* jobs = context.arena->take<Job>(most);
  size_t count = 0;
  int64_t floats = 0;
  const auto run_collected = [&] {
    if (count > 0) run_wave(context, {jobs, count});
    count = 0;
    floats = 0;
  };
  for (const AttentionArgs& args : sequences) {
    const int64_t room = std::max<int64_t>(1, kMaxPartialFloats / token_floats(args));
    for (int64_t begin = 0; begin < args.tokens; begin += room) {
      Job job{.args = args, .partials = {}};
      job.args.tokens = std::min(room, args.tokens - begin);
      job.args.position += begin;
      job.args.q += begin * args.q_stride;
      job.args.out += begin * args.heads * args.cache.value_dim;
      if (args.log_sums != nullptr) job.args.log_sums += begin * args.heads;
      const int64_t more = job.args.tokens * token_floats(args);
      if (floats + more > kMaxPartialFloats) run_collected();
      jobs[count++] = job;
      floats += more;
    }
  }
  run_collected();
}

void attention(const Context& context, const AttentionArgs& args) {
  attention(context, std::span(&args, 1));
}

void kv_write(const Context& context, const KvWriteArgs& args) {
  const ProfileScope profile(context, "kv_write", [&] { return cost_of(args); });
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
