// What this CPU and operating system can run, and which instruction set was chosen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ponder {

// Instruction-set levels, each a complete table of kernels (kernels missing from one fall back to
// the reference). kAvx2: AVX2+FMA+F16C. kAvx512: F, BW, DQ and VL. kAvx512Vnni: + VNNI. kAmx: + AMX
// tiles.
enum class Isa { kRef, kAvx2, kAvx512, kAvx512Vnni, kAmx };
inline constexpr int kIsaCount = 5;

std::string_view isa_name(Isa isa);    // "ref", "avx2", "avx512", "avx512_vnni", "amx"
std::vector<std::string> isa_names();  // of all levels, whatever this machine can run

// The levels that this machine can run, kRef first, best last.
std::vector<Isa> available_isas();

// The level to use: `name` if not empty ("" = best). Fails for an unknown or unsupported name.
Result<Isa> choose_isa(std::string_view name);

std::string cpu_model_name();  // as the CPU reports it

}  // namespace ponder
