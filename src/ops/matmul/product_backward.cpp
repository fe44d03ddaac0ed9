#include "ops/matmul/product_backward.hpp"

#include <algorithm>

#include "base/macros.hpp"
#include "ops/kernel_table.hpp"
#include "ops/matmul/gemm_split.hpp"
#include "ops/matmul/matmul_ref.hpp"
#include "ops/matmul/packed.hpp"

namespace ponder {
namespace {

constexpr int64_t kTransposeGroups = 16;  // groups of N whose lines are turned at once
constexpr int64_t kTurnedFor = 2;         // times as many rows as elsewhere, since lines are turned

// A part of a gradient: groups of 16 of one side, and groups or rows of the other.
template <typename Gradient>
struct Piece {
  const Gradient* gradient;
  int64_t group_begin, group_end;
  int64_t other_begin, other_end;
};

// Of one gradient: how much there is of either side, and in how many pieces.
struct Sizes {
  int64_t groups, group_pieces, others, other_pieces;
};

// The split for all gradients, and its pieces.
template <typename Gradient, typename SizesOf>
std::span<const Piece<Gradient>> cut_evenly(const Context& context,
                                            std::span<const Gradient> gradients,
                                            const SizesOf& sizes) {
  const auto count = [&](const GemmSplit& split) {
    int64_t total = 0;
    for (const Gradient& g : gradients) {
      const Sizes of = sizes(g, split);
      total += of.group_pieces * of.other_pieces;
    }
    return total;
  };
  const GemmSplit split = split_gemm(context.pool->size(), gradients.size() == 1, count);
  auto* pieces = context.arena->take<Piece<Gradient>>(count(split));
  size_t next = 0;
  for (const Gradient& g : gradients) {
    const Sizes s = sizes(g, split);
    for (int64_t i = 0; i < s.group_pieces; ++i) {
      for (int64_t j = 0; j < s.other_pieces; ++j)
        pieces[next++] = {&g, piece_begin(s.groups, s.group_pieces, i),
                          piece_begin(s.groups, s.group_pieces, i + 1),
                          piece_begin(s.others, s.other_pieces, j),
                          piece_begin(s.others, s.other_pieces, j + 1)};
    }
  }
  return {pieces, next};
}

// Elements of K [16·group_begin, …) for rows [other_begin, other_end): the weight's lines are
// turned, a block of N at a time.
void input_piece(const Context& context, const Piece<InputGradient>& piece, float* scratch) {
  const InputGradient& g = *piece.gradient;
  const Weight& weight = *g.weight;
  const GemmKernels& kernels = context.kernels->gemm;
  const auto turn = kernels.transpose[static_cast<size_t>(weight.dtype())];
  const int64_t col_begin = piece.group_begin * kGroupRows;
  const int64_t col_end = std::min(piece.group_end * kGroupRows, weight.cols());
  const int64_t groups = weight_groups(weight.rows());
  const int64_t first = piece.other_begin;
  for (int64_t begin = 0; begin < groups; begin += kTransposeGroups) {
    const int64_t end = std::min(begin + kTransposeGroups, groups);
    turn({.weight = weight.packed(g.matrix),
          .group_bytes = weight.group_bytes(),
          .cols = weight.cols(),
          .block_scale = weight.block_scale(g.matrix),
          .group_begin = begin,
          .group_end = end,
          .col_begin = col_begin,
          .col_end = col_end,
          .out = scratch});
    kernels.multiply(
        {.lines = scratch,
         .group_stride = (end - begin) * kGroupRows * kGroupRows,
         .lanes = col_end - col_begin,
         .x = g.dy.rows(first, begin * kGroupRows),
         .columns = piece.other_end - first,
         .depth = std::min(end * kGroupRows, weight.rows()) - begin * kGroupRows,
         .y = g.dx + first * g.dx_stride + col_begin,
         .y_group = kGroupRows,
         .y_column = g.dx_stride,
         .start = begin == 0 && !g.accumulate ? GemmStart::kZero : GemmStart::kContinue});
  }
}

// Groups of N [group_begin, group_end) and groups of K [other_begin, other_end): chunk by chunk.
void weight_piece(const Context& context, const Piece<WeightGradient>& piece, float* scratch) {
  const WeightGradient& g = *piece.gradient;
  const int64_t rows = g.weight->rows(), cols = g.weight->cols();
  const GemmKernels& kernels = context.kernels->gemm;
  const int64_t group_floats = cols * kGroupRows;
  const int64_t n = piece.group_begin * kGroupRows, k = piece.other_begin * kGroupRows;
  const int64_t lanes = std::min(piece.group_end * kGroupRows, rows) - n;
  const int64_t columns = std::min(piece.other_end * kGroupRows, cols) - k;
  for (int64_t first = 0; first < g.x.count; first += kGradientChunk) {
    const int64_t count = std::min(kGradientChunk, g.x.count - first);
    kernels.pack_lines({.x = g.dy.rows(first, n), .rows = count, .columns = lanes, .out = scratch});
    kernels.multiply({.lines = scratch,
                      .group_stride = count * kGroupRows,
                      .lanes = (piece.group_end - piece.group_begin) * kGroupRows,
                      .x = g.x.rows(first, k),
                      .transposed = true,
                      .columns = columns,
                      .depth = count,
                      .y = g.dw +
                           (g.matrix * weight_groups(rows) + piece.group_begin) * group_floats +
                           k * kGroupRows,
                      .y_group = group_floats,
                      .y_column = kGroupRows,
                      .start = GemmStart::kAdd});
  }
}

// The pieces on the threads, each of which has scratch memory.
template <typename Gradient, typename Body>
void run_pieces(const Context& context, std::span<const Piece<Gradient>> pieces,
                int64_t scratch_floats, const Body& body) {
  float* scratch = context.arena->take<float>(context.pool->size() * scratch_floats);
  context.pool->run(static_cast<int64_t>(pieces.size()), [&](int64_t i, int thread) {
    body(context, pieces[static_cast<size_t>(i)], scratch + thread * scratch_floats);
  });
}

}  // namespace

void backward_inputs(const Context& context, std::span<const InputGradient> gradients) {
  if (context.isa == Isa::kRef) {
    for (const InputGradient& g : gradients) {
      context.pool->run(g.dy.count, [&](int64_t t, int) { ref::backward_input_row(g, t); });
    }
    return;
  }
  const Arena::Scope scope(*context.arena);
  const auto sizes = [&](const InputGradient& g, const GemmSplit& split) {
    const int64_t groups = weight_groups(g.weight->cols());
    // A block format is decoded in whole blocks.
    const int64_t step =
        dtype_info(g.weight->dtype()).quantised ? kTransposeCols / kGroupRows : split.groups;
    return Sizes{groups, ceil_div(groups, step), g.dy.count,
                 ceil_div(g.dy.count, kTurnedFor * split.columns)};
  };
  const auto pieces = cut_evenly<InputGradient>(context, gradients, sizes);
  constexpr int64_t kScratch = kTransposeCols * kTransposeGroups * kGroupRows;
  run_pieces<InputGradient>(context, pieces, kScratch, input_piece);
}

void backward_weights(const Context& context, std::span<const WeightGradient> gradients) {
  for (const WeightGradient& g : gradients) {
    PONDER_CHECK(g.weight->dtype() == DType::kF32 && g.x.count == g.dy.count);
  }
  if (context.isa == Isa::kRef) {
    for (const WeightGradient& g : gradients) {
      context.pool->run(g.weight->rows(), [&](int64_t n, int) { ref::backward_weight_row(g, n); });
    }
    return;
  }
  const Arena::Scope scope(*context.arena);
  const auto sizes = [&](const WeightGradient& g, const GemmSplit& split) {
    const int64_t groups = weight_groups(g.weight->rows()),
                  others = weight_groups(g.weight->cols());
    const int64_t step = split.columns / kGroupRows;  // 512 elements of K or fewer
    if (g.x.count == 0) return Sizes{groups, 0, others, 0};
    return Sizes{groups, ceil_div(groups, split.groups), others, ceil_div(others, step)};
  };
  const auto pieces = cut_evenly<WeightGradient>(context, gradients, sizes);
  constexpr int64_t kScratch = GemmSplit{}.groups * kGroupRows * kGradientChunk;
  run_pieces<WeightGradient>(context, pieces, kScratch, weight_piece);
}

}  // namespace ponder
