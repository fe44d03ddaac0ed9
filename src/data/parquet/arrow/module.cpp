#include "data/parquet/arrow/module.hpp"

namespace ponder {

std::string arrow_message(const arrow::Status& status) {
  std::string line;
  for (const char c : status.message().substr(0, 300))
    line += static_cast<uint8_t>(c) < 0x20 ? ' ' : c;
  return line;
}

}  // namespace ponder

extern "C" const ponder::ParquetModule* ponder_parquet_module();

extern "C" const ponder::ParquetModule* ponder_parquet_module() {
  static constexpr ponder::ParquetModule kModule = {.version = ponder::kParquetVersion,
                                                    .read = ponder::read_parquet,
                                                    .write = ponder::write_parquet};
  return &kModule;
}
