#include "ops/kernel_table.hpp"

namespace ponder {
namespace {

KernelTable ref_table() {
  return {.adamw = ref::adamw,
          .add = ref::add,
          .attention = ref::attention_kernels(),
          .gemm = ref::gemm_kernels(),
          .matmul = ref::matmul_kernels(),
          .rmsnorm = ref::rmsnorm,
          .rmsnorm_backward = ref::rmsnorm_backward_kernels(),
          .roofline = ref::roofline_kernels(),
          .rope = ref::rope,
          .scaled_softmax = ref::scaled_softmax,
          .swiglu = ref::swiglu,
          .swiglu_backward = ref::swiglu_backward};
}

KernelTable avx2_table() {
  return {.adamw = avx2::adamw,
          .add = avx2::add,
          .attention = avx2::attention_kernels(),
          .gemm = avx2::gemm_kernels(),
          .matmul = avx2::matmul_kernels(),
          .rmsnorm = avx2::rmsnorm,
          .rmsnorm_backward = avx2::rmsnorm_backward_kernels(),
          .roofline = avx2::roofline_kernels(),
          .rope = avx2::rope,
          .scaled_softmax = avx2::scaled_softmax,
          .swiglu = avx2::swiglu,
          .swiglu_backward = avx2::swiglu_backward};
}

KernelTable avx512_table() {
  return {.adamw = avx512::adamw,
          .add = avx512::add,
          .attention = avx512::attention_kernels(),
          .gemm = avx512::gemm_kernels(),
          .matmul = avx512::matmul_kernels(),
          .rmsnorm = avx512::rmsnorm,
          .rmsnorm_backward = avx512::rmsnorm_backward_kernels(),
          .roofline = avx512::roofline_kernels(),
          .rope = avx512::rope,
          .scaled_softmax = avx512::scaled_softmax,
          .swiglu = avx512::swiglu,
          .swiglu_backward = avx512::swiglu_backward};
}

// VNNI has instructions for products of bytes alone.
KernelTable avx512_vnni_table() {
  KernelTable table = avx512_table();
  table.matmul = avx512_vnni::matmul_kernels();
  table.roofline = avx512_vnni::roofline_kernels();
  return table;
}

}  // namespace

const KernelTable& kernel_table(Isa isa) {
  // AMX has tiles for products alone, and no kernel uses them yet: it runs those of VNNI.
  static const KernelTable tables[kIsaCount] = {ref_table(), avx2_table(), avx512_table(),
                                                avx512_vnni_table(), avx512_vnni_table()};
  return tables[static_cast<int>(isa)];
}

std::vector<KernelStatus> kernel_status(Isa isa) {
  const bool is_lowest = isa == Isa::kRef;
  const KernelTable& own = kernel_table(isa);
  const KernelTable lower =
      is_lowest ? KernelTable{} : kernel_table(static_cast<Isa>(static_cast<int>(isa) - 1));
  return {{"adamw", own.adamw != lower.adamw},
          {"add", own.add != lower.add},
          {"attention", own.attention.finish != lower.attention.finish},
          {"matmul", is_lowest || own.matmul.pack_int8 != lower.matmul.pack_int8},
          {"rmsnorm", own.rmsnorm != lower.rmsnorm},
          {"rope", own.rope != lower.rope},
          {"swiglu", own.swiglu != lower.swiglu},
          {"xent", own.scaled_softmax != lower.scaled_softmax}};
}

}  // namespace ponder
