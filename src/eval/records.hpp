// Records of a file that nobody has checked: JSON lines, a JSON array, or CSV with a head line.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/json.hpp"

namespace ponder {

struct Records {
  std::vector<Json> all;  // objects; of CSV all values are texts
  std::string sha256;     // of the file as it is
};

// Plain or gzip, by its first bytes. Errors: larger than 2 GiB when inflated, more than a million
// records, broken ones (with the number of the line or record).
Result<Records> read_records(const std::filesystem::path& file);
// The same of bytes in memory; errors name `where`.
Result<Records> parse_records(std::string_view bytes, const std::string& where);

// RFC 4180: quoted fields may hold commas, quotes and line ends.
Result<std::vector<Json>> parse_csv(std::string_view text, const std::string& where);

// zlib or gzip data; an error if it is broken or would be larger than `limit`.
Result<std::string> inflate(std::string_view bytes, size_t limit, const std::string& where);

// Standard base64 with padding; white space is skipped.
Result<std::string> decode_base64(std::string_view text, const std::string& where);

// The one string that a Python pickle holds; nothing else is understood, and nothing is run.
Result<std::string> pickled_text(std::string_view bytes, const std::string& where);

}  // namespace ponder
