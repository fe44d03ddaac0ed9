#include "io/gguf_writer.hpp"

#include <algorithm>

#include "io/gguf_parse.hpp"

namespace ponder {
namespace {

constexpr uint64_t kAlignment = 32;

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

void append_text(std::string& out, std::string_view text) {
  append(out, uint64_t{text.size()});
  out += text;
}

std::string type_tag(GgufType type) {
  std::string out;
  append(out, static_cast<uint32_t>(type));
  return out;
}

template <typename T>
std::string scalar(GgufType type, const T& value) {
  std::string out = type_tag(type);
  append(out, value);
  return out;
}

std::string array_head(GgufType element, uint64_t count) {
  std::string out = type_tag(GgufType::kArray);
  append(out, static_cast<uint32_t>(element));
  append(out, count);
  return out;
}

template <typename T>
std::string array(GgufType element, std::span<const T> values) {
  std::string out = array_head(element, values.size());
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return out;
}

std::string_view padding(uint64_t offset) {
  static constexpr char kZeros[kAlignment] = {};
  return {kZeros, (kAlignment - offset % kAlignment) % kAlignment};
}

}  // namespace

Result<GgufWriter> GgufWriter::create(const std::filesystem::path& path) {
  return GgufWriter(PONDER_TRY(AtomicFile::create(path)));
}

void GgufWriter::set(std::string_view key, std::string bytes) {
  PONDER_CHECK(!begun_);
  const auto known = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const auto& entry) { return entry.name == key; });
  if (known != keys_.end()) {
    known->bytes = std::move(bytes);
  } else {
    keys_.push_back({std::string(key), std::move(bytes)});
  }
}

void GgufWriter::set_u32(std::string_view key, uint32_t value) {
  set(key, scalar(GgufType::kU32, value));
}
void GgufWriter::set_u64(std::string_view key, uint64_t value) {
  set(key, scalar(GgufType::kU64, value));
}
void GgufWriter::set_f32(std::string_view key, float value) {
  set(key, scalar(GgufType::kF32, value));
}
void GgufWriter::set_bool(std::string_view key, bool value) {
  set(key, scalar(GgufType::kBool, uint8_t{value}));
}
void GgufWriter::set_i32s(std::string_view key, std::span<const int32_t> values) {
  set(key, array(GgufType::kI32, values));
}
void GgufWriter::set_f32s(std::string_view key, std::span<const float> values) {
  set(key, array(GgufType::kF32, values));
}

void GgufWriter::set_text(std::string_view key, std::string_view value) {
  std::string bytes = type_tag(GgufType::kString);
  append_text(bytes, value);
  set(key, std::move(bytes));
}

void GgufWriter::set_texts(std::string_view key, std::span<const std::string> values) {
  std::string bytes = array_head(GgufType::kString, values.size());
  for (const auto& value : values) append_text(bytes, value);
  set(key, std::move(bytes));
}

void GgufWriter::copy(std::string_view key, const GgufValue& value) {
  if (key == "general.alignment" || key.starts_with("split.")) return;
  std::string bytes = value.type == GgufType::kArray ? array_head(value.element, value.count)
                                                     : type_tag(value.type);
  bytes.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
  set(key, std::move(bytes));
}

void GgufWriter::declare(std::string_view name, DType dtype, const Shape& shape) {
  PONDER_CHECK(!begun_ && shape.rank > 0 && gguf_tensor_type(dtype).has_value());
  const auto row = static_cast<uint64_t>(shape[shape.rank - 1]);
  const auto rows = static_cast<uint64_t>(shape.elements()) / row;
  tensors_.push_back({std::string(name), dtype, shape, row_bytes(dtype, row).value() * rows});
}

uint64_t GgufWriter::file_bytes() const {
  uint64_t bytes = header().size();
  for (const Tensor& tensor : tensors_) bytes += tensor.bytes + padding(tensor.bytes).size();
  return bytes;
}

std::string GgufWriter::header() const {
  std::string head = "GGUF";
  append(head, uint32_t{3});
  append(head, uint64_t{tensors_.size()});
  append(head, uint64_t{keys_.size()});
  for (const auto& key : keys_) {
    append_text(head, key.name);
    head += key.bytes;
  }
  uint64_t offset = 0;
  for (const auto& tensor : tensors_) {
    append_text(head, tensor.name);
    append(head, static_cast<uint32_t>(tensor.shape.rank));
    for (int i = tensor.shape.rank; i-- > 0;) append(head, static_cast<uint64_t>(tensor.shape[i]));
    append(head, *gguf_tensor_type(tensor.dtype));
    append(head, offset);
    offset += tensor.bytes;
    offset += padding(offset).size();
  }
  head += padding(head.size());
  return head;
}

Result<void> GgufWriter::begin() {
  PONDER_CHECK(!begun_);
  begun_ = true;
  return file_.write(header());
}

Result<void> GgufWriter::write(std::span<const std::byte> bytes) {
  PONDER_CHECK(begun_);
  while (!bytes.empty()) {
    PONDER_CHECK(current_ < tensors_.size());
    const uint64_t left = tensors_[current_].bytes - current_done_;
    const auto part = bytes.first(std::min<uint64_t>(left, bytes.size()));
    PONDER_TRY(file_.write(part));
    bytes = bytes.subspan(part.size());
    current_done_ += part.size();
    if (part.size() == left) {
      PONDER_TRY(file_.write(padding(file_.offset())));
      ++current_;
      current_done_ = 0;
    }
  }
  return {};
}

Result<void> GgufWriter::commit() {
  PONDER_CHECK(begun_ && current_ == tensors_.size());
  return file_.commit();
}

}  // namespace ponder
