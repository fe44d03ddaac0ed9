// Around the tests' main(): asks for a number when everything is loaded, and gives it back when the
// tests are through. The linker calls __wrap_main instead of main. Plain system calls, so that no
// function of the candidate's takes part.
extern "C" int __real_main(int, char**);

namespace {
constexpr long kRead = 0, kWrite = 1, kChannel = 3;
constexpr unsigned long kSize = 32;

[[gnu::always_inline]] inline long call(long number, const void* bytes, unsigned long size) {
  long result = number;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(kChannel), "S"(bytes), "d"(size)
               : "rcx", "r11", "memory");
  return result;
}
}  // namespace

extern "C" int __wrap_main(int count, char** values) {
  char number[kSize];
  call(kWrite, "r", 1);
  for (unsigned long have = 0; have < kSize;) {
    const long size = call(kRead, number + have, kSize - have);
    if (size <= 0) return 87;
    have += static_cast<unsigned long>(size);
  }
  const int status = __real_main(count, values);
  if (status == 0) call(kWrite, number, kSize);
  return status;
}
