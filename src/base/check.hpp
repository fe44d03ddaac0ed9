// What PONDER_CHECK calls when an invariant of the program is broken.
#pragma once

namespace ponder {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace ponder
