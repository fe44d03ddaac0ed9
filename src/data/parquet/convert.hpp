// A file of JSON lines as a Parquet file.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace ponder {

// Reads `lines` (may be packed) twice and writes `target`, which is whole and on the disk when this
// returns. `gzip`: pages are packed by it instead of zstd.
Result<void> lines_to_parquet(const std::filesystem::path& lines,
                              const std::filesystem::path& target, bool gzip);

}  // namespace ponder
