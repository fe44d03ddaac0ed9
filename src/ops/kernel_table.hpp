// The kernels of one instruction set. Every table is complete: what an ISA lacks, the reference
// does.
#pragma once

#include <string>
#include <vector>

#include "ops/add/add.hpp"
#include "ops/attention/attention_kernel.hpp"
#include "ops/matmul/matmul_kernel.hpp"
#include "ops/rmsnorm/rmsnorm.hpp"
#include "ops/roofline/roofline.hpp"
#include "ops/rope/rope.hpp"
#include "ops/swiglu/swiglu.hpp"

namespace ponder {

struct KernelTable {
  AddKernel add = nullptr;
  AttentionKernels attention;
  MatmulKernels matmul;
  RmsnormKernel rmsnorm = nullptr;
  RooflineKernels roofline;  // for measuring the machine
  RopeKernel rope = nullptr;
  SwigluKernel swiglu = nullptr;
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
