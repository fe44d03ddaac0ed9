#include "eval/records.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "io/sha256.hpp"

namespace ponder {
namespace {

constexpr size_t kLargestText = size_t{2} << 30;
constexpr size_t kMostRecords = 1'000'000;
constexpr size_t kMostFields = 1000;

Failure too_many(const std::string& where) {
  return Failure{{.what = "more than " + std::to_string(kMostRecords) + " records",
                  .where = where,
                  .mend = "cut the file"}};
}

Result<std::vector<Json>> parse_lines(std::string_view text, const std::string& where) {
  std::vector<Json> all;
  int64_t line = 0;
  while (!text.empty()) {
    ++line;
    const std::string_view here = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), here.size() + 1));
    if (here.find_first_not_of(" \t\r") == here.npos) continue;
    if (all.size() == kMostRecords) return too_many(where);
    Json record = PONDER_TRY(parse_json(here, where + ": line " + std::to_string(line)));
    if (!record.is_object())
      return Failure{{.what = "is no object", .where = where + ": line " + std::to_string(line)}};
    all.push_back(std::move(record));
  }
  return all;
}

Result<std::vector<Json>> parse_array(std::string_view text, const std::string& where) {
  const Json list = PONDER_TRY(parse_json(text, where));
  if (list.size() > kMostRecords) return too_many(where);
  std::vector<Json> all;
  for (const Json& record : list) {
    if (!record.is_object())
      return Failure{
          {.what = "is no object", .where = where + ": record " + std::to_string(all.size() + 1)}};
    all.push_back(record);
  }
  return all;
}

// One field of CSV; `text` then begins with what ended it, or is empty.
Result<std::string> csv_field(std::string_view& text, const std::string& where) {
  std::string field;
  if (!text.starts_with('"')) {
    const size_t end = std::min(text.find_first_of(",\r\n"), text.size());
    field = text.substr(0, end);
    text.remove_prefix(end);
    return field;
  }
  text.remove_prefix(1);
  while (true) {
    const size_t quote = text.find('"');
    if (quote == text.npos) return Failure{{.what = "a quote is not closed", .where = where}};
    field += text.substr(0, quote);
    text.remove_prefix(quote + 1);
    if (!text.starts_with('"')) break;
    field += '"';
    text.remove_prefix(1);
  }
  if (!text.empty() && text[0] != ',' && text[0] != '\r' && text[0] != '\n')
    return Failure{{.what = "text behind a closed quote", .where = where}};
  return field;
}

Result<std::vector<std::string>> csv_row(std::string_view& text, const std::string& where) {
  std::vector<std::string> row;
  while (true) {
    if (row.size() == kMostFields) return Failure{{.what = "too many fields", .where = where}};
    row.push_back(PONDER_TRY(csv_field(text, where)));
    if (!text.starts_with(',')) break;
    text.remove_prefix(1);
  }
  if (text.starts_with('\r')) text.remove_prefix(1);
  if (text.starts_with('\n')) text.remove_prefix(1);
  return row;
}

}  // namespace

Result<Records> read_records(const std::filesystem::path& file) {
  const MappedFile mapped = PONDER_TRY(MappedFile::open(file));
  const std::span<const std::byte> bytes = mapped.bytes();
  return parse_records({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

Result<Records> parse_records(std::string_view bytes, const std::string& where) {
  Sha256 sum;
  sum.update(std::as_bytes(std::span(bytes)));
  std::string_view text = bytes;
  std::string inflated;
  if (text.starts_with("\x1f\x8b")) {
    inflated = PONDER_TRY(inflate(text, kLargestText, where));
    text = inflated;
  }
  if (text.size() > kLargestText) return Failure{{.what = "is larger than 2 GiB", .where = where}};
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return Failure{{.what = "is empty", .where = where}};
  Records records{.all = {}, .sha256 = sum.hex()};
  records.all = text[first] == '{'   ? PONDER_TRY(parse_lines(text, where))
                : text[first] == '[' ? PONDER_TRY(parse_array(text, where))
                                     : PONDER_TRY(parse_csv(text, where));
  return records;
}

Result<std::vector<Json>> parse_csv(std::string_view text, const std::string& where) {
  const auto names = PONDER_TRY(csv_row(text, where + ": head"));
  std::vector<Json> all;
  while (!text.empty()) {
    const std::string here = where + ": record " + std::to_string(all.size() + 1);
    if (all.size() == kMostRecords) return too_many(where);
    auto row = PONDER_TRY(csv_row(text, here));
    if (row.size() == 1 && row[0].empty()) continue;  // an empty line
    if (row.size() != names.size())
      return Failure{{.what = "has " + std::to_string(row.size()) + " fields, the head " +
                              std::to_string(names.size()),
                      .where = here}};
    Json record = Json::object();
    for (size_t i = 0; i < names.size(); ++i) record[names[i]] = std::move(row[i]);
    all.push_back(std::move(record));
  }
  return all;
}

Result<std::string> inflate(std::string_view bytes, size_t limit, const std::string& where) {
  constexpr int kAnyHead = 15 + 32;  // the largest window; zlib's or gzip's head
  z_stream stream{};
  if (inflateInit2(&stream, kAnyHead) != Z_OK)
    return Failure{{.what = "no memory to inflate", .where = where}};
  std::string out;
  std::array<char, 1 << 16> piece;
  int code = Z_OK;
  size_t taken = 0;
  do {
    if (stream.avail_in == 0) {
      const size_t next = std::min(bytes.size() - taken, size_t{1} << 20);
      stream.next_in =
          reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + taken));  // zlib only reads it
      stream.avail_in = static_cast<uInt>(next);
      taken += next;
    }
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    code = inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
    if (code == Z_STREAM_END && (stream.avail_in > 0 || taken < bytes.size()))
      code = inflateReset(&stream) == Z_OK ? Z_OK : Z_DATA_ERROR;  // gzip may have several members
  } while (code == Z_OK && out.size() <= limit);
  inflateEnd(&stream);
  if (out.size() > limit)
    return Failure{{.what = "is larger than " + std::to_string(limit) + " bytes when inflated",
                    .where = where}};
  if (code != Z_STREAM_END)
    return Failure{{.what = "the compressed data is broken or cut off", .where = where}};
  return out;
}

Result<std::string> decode_base64(std::string_view text, const std::string& where) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0, padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    const size_t digit = kDigits.find(c);
    if (c == '=') ++padding;
    if ((digit == kDigits.npos && c != '=') || (padding > 0 && c != '=') || padding > 2)
      return Failure{{.what = "is no base64", .where = where}};
    bits = bits << 6 | (c == '=' ? 0 : static_cast<uint32_t>(digit));
    if (++count % 4 != 0) continue;
    for (int i = 0; i < 3 - padding; ++i) out += static_cast<char>(bits >> (16 - 8 * i) & 0xFF);
    bits = 0;
  }
  if (count % 4 != 0) return Failure{{.what = "the base64 is cut off", .where = where}};
  return out;
}

Result<std::string> pickled_text(std::string_view bytes, const std::string& where) {
  const Failure odd{{.what = "is no pickled string", .where = where}};
  const auto little = [&](size_t at, int size) {
    uint64_t value = 0;
    for (int i = size; i-- > 0;)
      value = value << 8 | static_cast<uint8_t>(bytes[at + static_cast<size_t>(i)]);
    return value;
  };
  size_t at = 0;
  while (at < bytes.size()) {
    const auto code = static_cast<uint8_t>(bytes[at++]);
    int width = 0;
    if (code == 0x80) {  // PROTO and its number
      ++at;
      continue;
    }
    if (code == 0x95) {  // FRAME and its length
      at += 8;
      continue;
    }
    if (code == 0x8C)
      width = 1;  // SHORT_BINUNICODE
    else if (code == 'X')
      width = 4;  // BINUNICODE
    else if (code == 0x8D)
      width = 8;  // BINUNICODE8
    else
      return odd;
    if (bytes.size() - at < static_cast<size_t>(width)) return odd;
    const uint64_t length = little(at, width);
    at += static_cast<size_t>(width);
    if (length > bytes.size() - at) return odd;
    const std::string_view rest = bytes.substr(at + length);
    // MEMOIZE or BINPUT, then STOP.
    if (rest != "." && rest != "\x94." && !(rest.size() == 3 && rest[0] == 'q' && rest[2] == '.'))
      return odd;
    return std::string(bytes.substr(at, length));
  }
  return odd;
}

}  // namespace ponder
