#include "device/cpu.hpp"

#include <cpuid.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace ponder {
namespace {

constexpr std::array<std::string_view, kIsaCount> kNames = {"ref", "avx2", "avx512", "avx512_vnni",
                                                            "amx"};

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

// Extended control register 0: which register states the operating system saves (Intel SDM 13.3).
uint64_t xcr0() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

bool bit(uint32_t word, int position) { return (word >> position & 1) != 0; }

bool supports(Isa isa) {
  if (isa == Isa::kRef) return true;
  const Registers basic = cpuid(1), extended = cpuid(7);
  const bool os_saves = bit(basic.c, 27);  // OSXSAVE
  if (!os_saves) return false;
  const uint64_t state = xcr0();
  const bool fma = bit(basic.c, 12), f16c = bit(basic.c, 29), avx2 = bit(extended.b, 5);
  if (!((state & 0x6) == 0x6 && fma && f16c && avx2)) return false;
  if (isa == Isa::kAvx2) return true;
  const bool foundation = bit(extended.b, 16), dq = bit(extended.b, 17), bw = bit(extended.b, 30),
             vl = bit(extended.b, 31), vnni = bit(extended.c, 11);
  if (!((state & 0xE6) == 0xE6 && foundation && dq && bw && vl)) return false;
  if (isa == Isa::kAvx512) return true;
  if (!vnni) return false;
  if (isa == Isa::kAvx512Vnni) return true;
  const bool amx_bf16 = bit(extended.d, 22), tile = bit(extended.d, 24),
             amx_int8 = bit(extended.d, 25);
  return (state & 0x60000) == 0x60000 && amx_bf16 && tile && amx_int8;
}

}  // namespace

std::string_view isa_name(Isa isa) { return kNames[static_cast<size_t>(isa)]; }

std::vector<std::string> isa_names() { return {kNames.begin(), kNames.end()}; }

std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (int i = 0; i < kIsaCount; ++i) {
    if (supports(static_cast<Isa>(i))) isas.push_back(static_cast<Isa>(i));
  }
  return isas;
}

Result<Isa> choose_isa(std::string_view name) {
  const auto isas = available_isas();
  if (name.empty()) return isas.back();
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) {
    return Failure{{.what = "unknown instruction set '" + std::string(name) + "'",
                    .where = "PONDER_ISA",
                    .mend = "use ref, avx2, avx512, avx512_vnni or amx"}};
  }
  const Isa isa = static_cast<Isa>(found - kNames.begin());
  if (std::find(isas.begin(), isas.end(), isa) == isas.end()) {
    return Failure{{.what = "this machine cannot run '" + std::string(name) + "'",
                    .where = "PONDER_ISA",
                    .mend = "the best it has is '" + std::string(isa_name(isas.back())) + "'"}};
  }
  return isa;
}

std::string cpu_model_name() {
  std::array<char, 49> name = {};
  for (uint32_t i = 0; i < 3; ++i) {
    const Registers r = cpuid(0x80000002 + i);
    std::memcpy(name.data() + 16 * i, &r, 16);
  }
  std::string text(name.data());
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace ponder
