#include "cli/builtin_model.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/macros.hpp"

// Written by cmake/BuiltinModel.cmake.
extern "C" {
extern const std::byte ponder_builtin_model[];
extern const std::byte ponder_builtin_model_end[];
}

namespace ponder {
namespace {

// A file in memory that holds the model; its descriptor stays open.
Result<std::filesystem::path> make_path() {
  const auto failed = [] {
    return Failure{{.what = "cannot be put into memory: " + std::string(std::strerror(errno)),
                    .where = std::string(kBuiltinModel)}};
  };
  const int file = ::memfd_create("tiny-r1.gguf", MFD_CLOEXEC);
  if (file < 0) return failed();
  for (std::span<const std::byte> rest = builtin_model(); !rest.empty();) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    if (written <= 0) {
      const auto failure = failed();
      ::close(file);
      return failure;
    }
    rest = rest.subspan(static_cast<size_t>(written));
  }
  return std::filesystem::path("/proc/self/fd/" + std::to_string(file));
}

}  // namespace

std::span<const std::byte> builtin_model() {
  return {ponder_builtin_model,
          static_cast<size_t>(ponder_builtin_model_end - ponder_builtin_model)};
}

Result<std::filesystem::path> builtin_model_path() {
  static const Result<std::filesystem::path> path = make_path();
  return path.ok() ? Result<std::filesystem::path>(path.value()) : Failure{path.error()};
}

std::string_view builtin_model_note() {
  return "tiny-r1 is the built-in model. It was trained to do arithmetic modulo 10 with up to "
         "four\n"
         "operations, like (3+4)*(2-9), and knows nothing else. For everything there is a larger "
         "one:\n"
         "  ponder pull Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF   then   ponder run -m THAT "
         "\"...\"\n";
}

}  // namespace ponder
