#include "train/event_file.hpp"

#include <array>
#include <bit>
#include <cmath>

namespace ponder {
namespace {

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table = {};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    table[byte] = crc;
  }
  return table;
}

// TFRecord stores a rotated sum, so that sums of sums do not cancel.
uint32_t masked(uint32_t crc) { return std::rotr(crc, 15) + 0xA282EAD8u; }

template <typename T>
std::string little_endian(T value) {
  std::string bytes(sizeof value, '\0');
  for (size_t i = 0; i < sizeof value; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  return bytes;
}

// Fields of protobuf: a key of number and wire type, then the value.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}
std::string whole_field(uint64_t number, uint64_t value) {
  return varint(number << 3) + varint(value);
}
std::string double_field(uint64_t number, double value) {
  return varint(number << 3 | 1) + little_endian(std::bit_cast<uint64_t>(value));
}
std::string float_field(uint64_t number, float value) {
  return varint(number << 3 | 5) + little_endian(std::bit_cast<uint32_t>(value));
}
std::string bytes_field(uint64_t number, std::string_view value) {
  return varint(number << 3 | 2) + varint(value.size()) + std::string(value);
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = make_table();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ crc >> 8;
  return ~crc;
}

Result<EventFile> EventFile::create(const std::filesystem::path& path) {
  EventFile file;
  file.file_.open(path, std::ios::binary | std::ios::trunc);
  if (!file.file_) return Failure{{.what = "cannot create", .where = path.string()}};
  // Event: wall_time 1, step 2, file_version 3, summary 5.
  file.write_record(double_field(1, 0.0) + bytes_field(3, "brain.Event:2"));
  file.file_.flush();
  return file;
}

void EventFile::add(int64_t step, double time,
                    std::span<const std::pair<std::string, double>> scalars) {
  std::string values;
  // Summary: value 1; Value: tag 1, simple_value 2.
  for (const auto& [name, value] : scalars)
    if (std::isfinite(value))
      values += bytes_field(1, bytes_field(1, name) + float_field(2, static_cast<float>(value)));
  write_record(double_field(1, time) + whole_field(2, static_cast<uint64_t>(step)) +
               bytes_field(5, values));
  file_.flush();
}

void EventFile::write_record(std::string_view data) {
  const std::string length = little_endian(static_cast<uint64_t>(data.size()));
  file_ << length << little_endian(masked(crc32c(length))) << data
        << little_endian(masked(crc32c(data)));
}

}  // namespace ponder
