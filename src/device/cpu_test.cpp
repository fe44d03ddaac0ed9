// The choice of an instruction set.
#include "device/cpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ponder {
namespace {

TEST(Isa, EveryAvailableOneCanBeForced) {
  const auto isas = available_isas();
  ASSERT_FALSE(isas.empty());
  EXPECT_EQ(isas.front(), Isa::kRef);
  for (const Isa isa : isas) EXPECT_EQ(choose_isa(isa_name(isa)).value(), isa);
  EXPECT_EQ(choose_isa("").value(), isas.back());
}

TEST(Isa, UnknownAndUnsupportedNamesFail) {
  EXPECT_THAT(choose_isa("sse9").error().message(), testing::HasSubstr("unknown"));
  for (const char* name : {"avx2", "avx512", "avx512_vnni", "amx"}) {
    bool available = false;
    for (const Isa isa : available_isas()) available |= isa_name(isa) == name;
    EXPECT_EQ(choose_isa(name).ok(), available);
  }
}

}  // namespace
}  // namespace ponder
