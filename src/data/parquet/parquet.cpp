#include "data/parquet/parquet.hpp"

#include <dlfcn.h>

namespace ponder {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "libponder_parquet.so";

Failure missing(const std::string& why) {
  return Failure{{.what = "this program was built without Parquet (" + why + ")",
                  .mend = "run tools/setup.sh parquet and build again, or convert to JSONL"}};
}

Result<const ParquetModule*> load() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) return missing(error.message());
  // Beside the program, or where a package puts it.
  for (const fs::path& path : {folder / kFile, folder.parent_path() / "lib/ponder" / kFile}) {
    if (!fs::exists(path, error)) continue;
    void* module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) return missing(::dlerror());
    const auto entry =
        reinterpret_cast<const ParquetModule* (*)()>(::dlsym(module, "ponder_parquet_module"));
    if (entry == nullptr || entry()->version != kParquetVersion)
      return missing(path.string() + " belongs to another version");
    return entry();
  }
  return missing(std::string("there is no ") + kFile);
}

}  // namespace

Result<const ParquetModule*> parquet_module() {
  static const Result<const ParquetModule*> loaded = load();
  return loaded;
}

}  // namespace ponder
