#include "ops/kernel_table.hpp"

namespace ponder {
namespace {

KernelTable ref_table() {
  return {.add = ref::add,
          .attention = ref::attention_kernels(),
          .matmul = ref::matmul_kernels(),
          .rmsnorm = ref::rmsnorm,
          .roofline = ref::roofline_kernels(),
          .rope = ref::rope,
          .swiglu = ref::swiglu};
}

KernelTable avx2_table() {
  return {.add = avx2::add,
          .attention = avx2::attention_kernels(),
          .matmul = avx2::matmul_kernels(),
          .rmsnorm = avx2::rmsnorm,
          .roofline = avx2::roofline_kernels(),
          .rope = avx2::rope,
          .swiglu = avx2::swiglu};
}

KernelTable avx512_table() {
  return {.add = avx512::add,
          .attention = avx512::attention_kernels(),
          .matmul = avx512::matmul_kernels(),
          .rmsnorm = avx512::rmsnorm,
          .roofline = avx512::roofline_kernels(),
          .rope = avx512::rope,
          .swiglu = avx512::swiglu};
}

}  // namespace

const KernelTable& kernel_table(Isa isa) {
  // AMX has tiles for products alone, and no kernel uses them yet: it runs those of AVX-512.
  static const KernelTable tables[kIsaCount] = {ref_table(), avx2_table(), avx512_table(),
                                                avx512_table()};
  return tables[static_cast<int>(isa)];
}

std::vector<KernelStatus> kernel_status(Isa isa) {
  const bool is_lowest = isa == Isa::kRef;
  const KernelTable& own = kernel_table(isa);
  const KernelTable lower =
      is_lowest ? KernelTable{} : kernel_table(static_cast<Isa>(static_cast<int>(isa) - 1));
  return {{"add", own.add != lower.add},
          {"attention", own.attention.finish != lower.attention.finish},
          {"matmul", is_lowest || own.matmul.pack_int8 != lower.matmul.pack_int8},
          {"rmsnorm", own.rmsnorm != lower.rmsnorm},
          {"rope", own.rope != lower.rope},
          {"swiglu", own.swiglu != lower.swiglu}};
}

}  // namespace ponder
