#include "ops/matmul/product.hpp"

#include <algorithm>

#include "base/checked_math.hpp"
#include "base/macros.hpp"
#include "ops/kernel_table.hpp"
#include "ops/matmul/gemm_split.hpp"
#include "ops/matmul/matmul_ref.hpp"
#include "ops/matmul/packed.hpp"
#include "quant/formats.hpp"

namespace ponder {
namespace {

// A task streams at most this much weight, so that it stays in a second-level cache while the tiles
// of columns pass over it (AVX2), or is read twice for 512 columns (AVX-512).
constexpr int64_t kTaskBytes = 512 << 10;
// Tasks per thread, if there is enough work, to even out threads that run at different speeds.
constexpr int64_t kTasksPerThread = 4;
// Rounding a column is given to a thread of its own from this many elements in all.
constexpr int64_t kParallelElements = 32 << 10;

// From so many columns on, a product with an f32 weight works as in gemm.hpp. The bits are the
// same.
constexpr int64_t kGemmColumns = 8;

bool uses_gemm(const Context& context, const Product& product) {
  return context.isa != Isa::kRef && product.weight->dtype() == DType::kF32 &&
         product.input->count >= kGemmColumns;
}

// Columns [begin, end) of groups [group_begin, group_end).
struct Range {
  const Product* product;
  int64_t group_begin, group_end;
  int64_t begin, end;
};

void gemm_task(const Context& context, const Range& range) {
  const Product& product = *range.product;
  const Weight& weight = *product.weight;
  const int64_t row = range.group_begin * kGroupRows;
  context.kernels->gemm.multiply(
      {.lines = reinterpret_cast<const float*>(weight.packed(product.matrix)) + row * weight.cols(),
       .group_stride = weight.cols() * kGroupRows,
       .lanes = std::min(range.group_end * kGroupRows, weight.rows()) - row,
       .x = product.input->rows(range.begin),
       .columns = range.end - range.begin,
       .depth = weight.cols(),
       .y = product.y + range.begin * product.y_stride + row,
       .y_group = kGroupRows,
       .y_column = product.y_stride,
       .bias = product.bias == nullptr ? nullptr : product.bias + row});
}

// Groups of 16 rows that one task of this weight takes; `groups_in_all` over all products.
int64_t groups_per_task(const Context& context, const Weight& weight, int64_t groups_in_all) {
  const int64_t by_threads = ceil_div(groups_in_all, context.pool->size() * kTasksPerThread);
  const int64_t group_bytes =
      weight.group_bytes() > 0 ? weight.group_bytes() : weight.cols() * 4 * kGroupRows;
  const int64_t groups = std::max<int64_t>(1, std::min(by_threads, kTaskBytes / group_bytes));
  return groups > 4 ? groups / 4 * 4 : groups;  // kernels like to work on four at a time
}

// Groups [begin, end) of one product in the form `int8` or f32.
struct TaskOf {
  const Weight* weight;
  int64_t matrix;
  const Columns* input;
  int64_t begin, end;
};
MatmulTask matmul_task_of(const TaskOf& of, bool int8) {
  const Weight& weight = *of.weight;
  return {.weight = weight.packed(of.matrix),
          .group_bytes = weight.group_bytes(),
          .group_begin = of.begin,
          .group_end = of.end,
          .rows = weight.rows(),
          .cols = weight.cols(),
          .block_scale = weight.block_scale(of.matrix),
          .activations = int8 ? of.input->int8 : of.input->floats,
          .count = of.input->count};
}

// Rows of the product that belong to groups [begin, end).
void multiply_task(const Context& context, const Product& product, int64_t begin, int64_t end) {
  const Weight& weight = *product.weight;
  if (context.isa == Isa::kRef) {
    ref::matmul_rows(product, begin * kGroupRows, std::min(end * kGroupRows, weight.rows()));
    return;
  }
  const bool int8 = uses_int8(context, weight);
  PONDER_CHECK(product.input->count == 0 ||
               (int8 ? product.input->int8 : product.input->floats) != nullptr);
  MatmulTask task = matmul_task_of({&weight, product.matrix, product.input, begin, end}, int8);
  task.y = product.y;
  task.y_stride = product.y_stride;
  task.bias = product.bias;
  const MatmulKernels& kernels = context.kernels->matmul;
  const auto format = static_cast<size_t>(weight.dtype());
  (int8 ? kernels.int8[format] : kernels.floats[format])(task);
}

// Floats of what a gated task holds of each of its two products: half of a second-level cache for
// both.
constexpr int64_t kGatedFloats = int64_t{64} << 10;

// Groups of a gated product that one task takes.
int64_t gated_groups(const Context& context, const GatedProduct& product, int64_t groups_in_all) {
  const int64_t fit = kGatedFloats / (kGroupRows * std::max<int64_t>(1, product.input->count));
  const int64_t groups = std::max<int64_t>(1, fit >= 4 ? fit / 4 * 4 : fit);
  return std::min(groups, groups_per_task(context, *product.gate, groups_in_all));
}

// Rows of groups [begin, end); scratch: (2, T, 16·(end − begin)).
void gated_task(const Context& context, const GatedProduct& product, const Range& range,
                float* scratch) {
  const int64_t count = product.input->count, row = range.group_begin * kGroupRows;
  const int64_t rows = std::min(range.group_end * kGroupRows, product.gate->rows()) - row;
  float* results[] = {scratch, scratch + count * rows};
  const Weight* weights[] = {product.gate, product.up};
  for (int i = 0; i < 2; ++i) {
    MatmulTask task = matmul_task_of({weights[i], product.matrix, product.input, 0, 0}, true);
    task.weight += range.group_begin * task.group_bytes;
    task.group_end = range.group_end - range.group_begin;
    task.rows = rows;
    task.y = results[i];
    task.y_stride = rows;
    context.kernels->matmul.int8[static_cast<size_t>(weights[i]->dtype())](task);
  }
  context.kernels->swiglu({.gate = results[0],
                           .up = results[1],
                           .y = product.y + row,
                           .rows = count,
                           .width = rows,
                           .stride = rows,
                           .y_stride = product.y_stride},
                          0, count);
}

}  // namespace

bool uses_int8(const Context& context, const Weight& weight) {
  return context.isa != Isa::kRef && context.activations == Activations::kInt8 &&
         dtype_info(weight.dtype()).quantised;
}

void PackForms::add(const Context& context, const Weight& weight) {
  const bool is_f32 = weight.dtype() == DType::kF32;
  (uses_int8(context, weight) ? int8_ : is_f32 ? few_floats_ : floats_) = true;
}

bool PackForms::floats(int64_t columns) const {
  return floats_ || (few_floats_ && columns < kGemmColumns);
}

void pack_columns(const Context& context, std::span<Columns> inputs, int64_t cols,
                  PackForms forms) {
  if (context.isa == Isa::kRef) return;
  const MatmulKernels& kernels = context.kernels->matmul;
  const int64_t int8_bytes = kernels.int8_column_bytes(cols);
  int64_t total = 0;
  for (auto& input : inputs) {
    if (forms.int8()) input.int8 = context.arena->take<std::byte>(input.count * int8_bytes);
    if (forms.floats(input.count))
      input.floats = context.arena->take<std::byte>(input.count * float_column_bytes(cols));
    if (input.int8 != nullptr || input.floats != nullptr) total += input.count;
  }
  if (total == 0) return;
  const auto pack_column = [&](const Columns& input, int64_t i) {
    ActivationTask task{
        .x = input.column(i), .cols = cols, .column = i, .count = input.count, .packed = nullptr};
    if (input.int8 != nullptr) {
      task.packed = const_cast<std::byte*>(input.int8);
      kernels.pack_int8(task);
    }
    if (input.floats != nullptr) {
      task.packed = const_cast<std::byte*>(input.floats);
      kernels.pack_floats(task);
    }
  };
  if (total == 1 || total * cols < kParallelElements) {
    for (const auto& input : inputs) {
      for (int64_t i = 0; i < input.count; ++i) pack_column(input, i);
    }
    return;
  }
  for (const auto& input : inputs) {
    // One loop for a large input; the many small ones of experts are loops of their own only when
    // they are worth waking threads for.
    if (input.count * cols < kParallelElements && inputs.size() > 1) continue;
    context.pool->run(input.count, [&](int64_t i, int) { pack_column(input, i); });
  }
  if (inputs.size() > 1) {
    context.pool->run(static_cast<int64_t>(inputs.size()), [&](int64_t s, int) {
      const Columns& input = inputs[static_cast<size_t>(s)];
      if (input.count * cols >= kParallelElements) return;
      for (int64_t i = 0; i < input.count; ++i) pack_column(input, i);
    });
  }
}

void multiply(const Context& context, std::span<const Product> products) {
  const Arena::Scope scope(*context.arena);
  const auto gemm_pieces = [&](const GemmSplit& split) {
    int64_t count = 0;
    for (const Product& p : products) {
      if (uses_gemm(context, p))
        count += pieces(split, weight_groups(p.weight->rows()), p.input->count);
    }
    return count;
  };
  const GemmSplit split = split_gemm(context.pool->size(), products.size() == 1, gemm_pieces);
  int64_t groups_in_all = 0;
  for (const Product& p : products) {
    if (!uses_gemm(context, p)) groups_in_all += weight_groups(p.weight->rows());
  }
  Range* ranges = context.arena->take<Range>(gemm_pieces(split) + groups_in_all);
  int64_t count = 0;
  for (const Product& p : products) {
    const int64_t columns = p.input->count, groups = weight_groups(p.weight->rows());
    if (columns == 0) continue;
    const bool gemm = uses_gemm(context, p);
    const int64_t step = gemm ? split.groups : groups_per_task(context, *p.weight, groups_in_all);
    const int64_t wide = gemm ? ceil_div(columns, split.columns) : 1;
    const int64_t high = ceil_div(groups, step);
    for (int64_t i = 0; i < high; ++i) {
      for (int64_t j = 0; j < wide; ++j) {
        ranges[count++] = {
            &p, gemm ? piece_begin(groups, high, i) : i * step,
            gemm ? piece_begin(groups, high, i + 1) : std::min((i + 1) * step, groups),
            piece_begin(columns, wide, j), piece_begin(columns, wide, j + 1)};
      }
    }
  }
  context.pool->run(count, [&](int64_t task, int) {
    const Range& range = ranges[task];
    if (uses_gemm(context, *range.product)) {
      gemm_task(context, range);
    } else {
      multiply_task(context, *range.product, range.group_begin, range.group_end);
    }
  });
}

void multiply_gated(const Context& context, std::span<const GatedProduct> products) {
  const Arena::Scope scope(*context.arena);
  int64_t groups_in_all = 0;
  for (const GatedProduct& p : products) {
    PONDER_CHECK(uses_int8(context, *p.gate) && uses_int8(context, *p.up));
    PONDER_CHECK(p.gate->rows() == p.up->rows() && p.gate->cols() == p.up->cols());
    PONDER_CHECK(p.input->count == 0 || p.input->int8 != nullptr);
    groups_in_all += weight_groups(p.gate->rows());
  }
  struct Piece {
    const GatedProduct* product;
    Range range;
  };
  Piece* pieces = context.arena->take<Piece>(groups_in_all);
  int64_t count = 0, floats = 0;
  for (const GatedProduct& p : products) {
    if (p.input->count == 0) continue;
    const int64_t groups = weight_groups(p.gate->rows());
    const int64_t step = gated_groups(context, p, 2 * groups_in_all);
    floats = std::max(floats, 2 * p.input->count * step * kGroupRows);
    for (int64_t begin = 0; begin < groups; begin += step)
      pieces[count++] = {&p,
                         {.product = nullptr,
                          .group_begin = begin,
                          .group_end = std::min(begin + step, groups),
                          .begin = 0,
                          .end = p.input->count}};
  }
  float* scratch = context.arena->take<float>(context.pool->size() * floats);
  context.pool->run(count, [&](int64_t i, int thread) {
    gated_task(context, *pieces[i].product, pieces[i].range, scratch + thread * floats);
  });
}

}  // namespace ponder
