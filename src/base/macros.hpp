// Every macro of the code base. Nothing else may define one outside its own .cpp file.
#pragma once

#include "base/check.hpp"

// Evaluates `expression`, a Result<T>. On error returns the error from the enclosing function
// (which must itself return a Result); otherwise yields the value.
//   auto file = PONDER_TRY(MappedFile::open(path));
#define PONDER_TRY(expression)                                          \
  ({                                                                    \
    auto&& ponder_result_ = (expression);                               \
    if (!ponder_result_.ok()) [[unlikely]]                              \
      return ::ponder::Failure{std::move(ponder_result_).take_error()}; \
    std::move(ponder_result_).take_value();                             \
  })

// Aborts with a message when an invariant of our own is broken. Never for bad input.
#define PONDER_CHECK(condition)                               \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::ponder::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)

// Force-inlines a helper of a kernel, so that no out-of-line copy with wide instructions exists.
#define PONDER_INLINE inline __attribute__((always_inline))
