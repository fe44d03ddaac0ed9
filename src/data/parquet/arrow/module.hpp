// The parts of the module. Everything in this folder uses Arrow, and nothing else does.
#pragma once

#include <arrow/status.h>

#include "data/parquet/parquet.hpp"

namespace ponder {

Result<std::unique_ptr<ParquetRows>> read_parquet(const std::filesystem::path& path,
                                                  const ParquetReading& options);
std::unique_ptr<ParquetWriter> write_parquet(const std::filesystem::path& path, bool gzip);

// One line, and no longer than a line of text.
std::string arrow_message(const arrow::Status& status);

// Calls a function that gives an arrow::Status; Arrow's exceptions become one.
template <typename Function>
arrow::Status guarded(Function&& function) {
  try {
    return function();
  } catch (const std::exception& failure) {
    return arrow::Status::Invalid(failure.what());
  }
}

}  // namespace ponder
