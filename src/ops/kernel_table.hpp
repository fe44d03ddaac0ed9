// The kernels of one instruction set. Every table is complete: what an ISA lacks, the reference
// does.
#pragma once

#include <string>
#include <vector>

#include "ops/adamw/adamw.hpp"
#include "ops/add/add.hpp"
#include "ops/attention/attention_kernel.hpp"
#include "ops/matmul/matmul_kernel.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"
#include "ops/roofline/roofline.hpp"
#include "ops/rope/rope.hpp"
#include "ops/swiglu/swiglu.hpp"
#include "ops/xent/xent.hpp"

namespace ponder {

struct KernelTable {
  AdamwKernel adamw = nullptr;
  AddKernel add = nullptr;
  AttentionKernels attention;
  GemmKernels gemm;  // of f32, many columns
  MatmulKernels matmul;
  RmsnormKernel rmsnorm = nullptr;
  RmsnormBackwardKernels rmsnorm_backward;
  RooflineKernels roofline;  // for measuring the machine
  RopeKernel rope = nullptr;
  SoftmaxKernel scaled_softmax = nullptr;
  SwigluKernel swiglu = nullptr;
  SwigluBackwardKernel swiglu_backward = nullptr;
};

const KernelTable& kernel_table(Isa isa);

// For `ponder info`: each kernel's name and whether this ISA has its own (else that of the ISA
// below it runs).
struct KernelStatus {
  std::string name;
  bool native = false;
};
std::vector<KernelStatus> kernel_status(Isa isa);

}  // namespace ponder
