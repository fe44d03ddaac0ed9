#include "ops/runtime.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "ops/kernel_table.hpp"

namespace ponder {
namespace {

// Sets PONDER_ISA for one test.
class IsaVariable {
 public:
  explicit IsaVariable(const char* value) { setenv("PONDER_ISA", value, 1); }
  ~IsaVariable() { unsetenv("PONDER_ISA"); }
  IsaVariable(const IsaVariable&) = delete;
  IsaVariable& operator=(const IsaVariable&) = delete;
};

TEST(Runtime, TakesTheBestInstructionSet) {
  unsetenv("PONDER_ISA");
  const auto runtime = Runtime::create();
  ASSERT_TRUE(runtime.ok());
  const Context& context = runtime.value().context();
  EXPECT_EQ(context.isa, available_isas().back());
  EXPECT_EQ(context.kernels, &kernel_table(context.isa));
  EXPECT_EQ(context.pool->size(), available_cpus());
  EXPECT_NE(context.arena, nullptr);
  EXPECT_EQ(context.activations, Activations::kInt8);
}

TEST(Runtime, TheVariableForcesOne) {
  const IsaVariable variable("ref");
  const auto runtime = Runtime::create({.threads = 1});
  ASSERT_TRUE(runtime.ok());
  EXPECT_EQ(runtime.value().context().isa, Isa::kRef);
  EXPECT_EQ(runtime.value().context().pool->size(), 1);
}

TEST(Runtime, TheOptionGoesBeforeTheVariable) {
  const IsaVariable variable("nonsense");
  EXPECT_TRUE(Runtime::create({.threads = 1, .isa = "ref"}).ok());
}

TEST(Runtime, RefusesAnUnknownInstructionSet) {
  const IsaVariable variable("avx1024");
  const auto runtime = Runtime::create();
  ASSERT_FALSE(runtime.ok());
  EXPECT_EQ(runtime.error().where, "PONDER_ISA");
  EXPECT_NE(runtime.error().what.find("avx1024"), std::string::npos);
  EXPECT_FALSE(runtime.error().mend.empty());
}

TEST(Runtime, RefusesAbsurdThreads) {
  for (const int threads : {-1, 1025, 2147483647})
    EXPECT_FALSE(Runtime::create({.threads = threads}).ok()) << threads;
}

TEST(Runtime, SurvivesBeingMoved) {
  auto first = Runtime::create({.threads = 2, .isa = "ref"});
  ASSERT_TRUE(first.ok());
  const Runtime moved = std::move(first).take_value();
  int64_t sum = 0;
  moved.context().pool->run(1, [&](int64_t, int) { sum += 7; });
  EXPECT_EQ(sum, 7);
}

TEST(KernelTable, EveryTableIsComplete) {
  for (int i = 0; i < kIsaCount; ++i) {
    const KernelTable& table = kernel_table(static_cast<Isa>(i));
    EXPECT_NE(table.add, nullptr);
    EXPECT_NE(table.attention.finish, nullptr);
    EXPECT_NE(table.attention.write, nullptr);
    const bool packs = i != 0;  // the reference reads weights as they are
    EXPECT_EQ(table.matmul.pack_floats != nullptr, packs);
    EXPECT_NE(table.rmsnorm, nullptr);
    EXPECT_NE(table.rope, nullptr);
    EXPECT_NE(table.swiglu, nullptr);
  }
}

TEST(KernelTable, TellsWhichKernelsAreItsOwn) {
  for (const Isa isa : {Isa::kRef, Isa::kAvx2, Isa::kAvx512}) {
    for (const KernelStatus& status : kernel_status(isa))
      EXPECT_TRUE(status.native) << isa_name(isa) << ' ' << status.name;
  }
  for (const KernelStatus& status : kernel_status(Isa::kAvx512Vnni))
    EXPECT_EQ(status.native, status.name == "matmul") << status.name;
  for (const KernelStatus& status : kernel_status(Isa::kAmx))  // runs the kernels of VNNI
    EXPECT_FALSE(status.native) << status.name;
}

}  // namespace
}  // namespace ponder
