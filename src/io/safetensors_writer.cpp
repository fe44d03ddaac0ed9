#include "io/safetensors_writer.hpp"

#include "io/json.hpp"
#include "io/safetensors.hpp"

namespace ponder {

Result<SafetensorsWriter> SafetensorsWriter::create(const std::filesystem::path& path) {
  return SafetensorsWriter(PONDER_TRY(AtomicFile::create(path)));
}

void SafetensorsWriter::declare(const std::string& name, DType dtype, const Shape& shape) {
  PONDER_CHECK(end_ == 0 && !safetensors_dtype_name(dtype).empty());
  tensors_.push_back({name, dtype, shape});
}

void SafetensorsWriter::set_metadata(const std::string& key, const std::string& value) {
  PONDER_CHECK(end_ == 0);
  metadata_[key] = value;
}

Result<void> SafetensorsWriter::begin() {
  PONDER_CHECK(end_ == 0);
  Json header = Json::object();
  if (!metadata_.empty()) header["__metadata__"] = metadata_;
  uint64_t offset = 0;
  for (const auto& tensor : tensors_) {
    const auto elements = static_cast<uint64_t>(tensor.shape.elements());
    const uint64_t end = offset + row_bytes(tensor.dtype, elements).value();
    Json dims = Json::array();
    for (int i = 0; i < tensor.shape.rank; ++i) dims.push_back(tensor.shape[i]);
    PONDER_CHECK(!header.contains(tensor.name));
    header[tensor.name] = {{"dtype", safetensors_dtype_name(tensor.dtype)},
                           {"shape", std::move(dims)},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  // Names from a file may hold broken UTF-8, which must not make dump() throw.
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data is aligned
  const uint64_t length = text.size();
  PONDER_TRY(file_.write(std::as_bytes(std::span(&length, 1))));
  PONDER_TRY(file_.write(text));
  end_ = file_.offset() + offset;
  return {};
}

Result<void> SafetensorsWriter::write(std::span<const std::byte> bytes) {
  PONDER_CHECK(bytes.size() <= end_ - file_.offset());
  return file_.write(bytes);
}

Result<void> SafetensorsWriter::commit() {
  PONDER_CHECK(end_ != 0 && file_.offset() == end_);
  return file_.commit();
}

}  // namespace ponder
