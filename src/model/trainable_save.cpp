// A trained model as a Hugging Face folder.
#include <system_error>

#include "base/file.hpp"
#include "io/safetensors_writer.hpp"
#include "model/config_write.hpp"
#include "model/tensor_source.hpp"
#include "model/trainable.hpp"
#include "quant/codec.hpp"

namespace ponder {
namespace {

// Vectors are kept exactly: they are small, and a router's bias decides who is chosen.
DType stored_dtype(const ParamInfo& info, DType dtype) {
  return info.is_vector() ? DType::kF32 : dtype;
}

void declare(SafetensorsWriter& writer, const ParamInfo& info, DType dtype) {
  if (!info.is_experts()) return writer.declare(hf_name(info), dtype, info.shape);
  const Shape shape = Shape::of({info.shape[1], info.shape[2]});
  for (int64_t e = 0; e < info.shape[0]; ++e) writer.declare(hf_name(info, e), dtype, shape);
}

Result<void> write(SafetensorsWriter& writer, std::span<const float> values, DType dtype) {
  constexpr size_t kPiece = 1 << 16;  // elements
  std::vector<std::byte> bytes(kPiece * sizeof(float));
  for (size_t done = 0; done < values.size(); done += kPiece) {
    const size_t count = std::min(kPiece, values.size() - done);
    encode_row(dtype, values.data() + done, static_cast<int64_t>(count), bytes.data());
    PONDER_TRY(writer.write(std::span(bytes).first(*row_bytes(dtype, count))));
  }
  return {};
}

Buffer<float> to_buffer(const std::vector<float>& values) {
  Buffer<float> buffer(values.size());
  std::copy(values.begin(), values.end(), buffer.data());
  return buffer;
}

}  // namespace

// (…) in the order of a checkpoint: the MTP block's copies are the model's own.
std::vector<float> TrainableModel::checkpoint_values(const ParamInfo& info) const {
  ParamKind kind = info.kind;
  int64_t layer = info.layer;
  if (kind == ParamKind::kMtpEmbedding || kind == ParamKind::kMtpOutput) {
    const bool embedding = kind == ParamKind::kMtpEmbedding || model_.config().tied;
    kind = embedding ? ParamKind::kEmbedding : ParamKind::kOutput;
    layer = -1;
  }
  const auto values = [&](ParamPart part) {
    const ParamSlot& slot = slots_[places_.at({kind, layer, part})];
    return to_checkpoint(slot, slot.values);
  };
  if (kind != ParamKind::kKvB) return values(ParamPart::kWhole);
  const Buffer<float> whole =
      join_kv_b(model_.config().attention,
                {to_buffer(values(ParamPart::kKeys)), to_buffer(values(ParamPart::kValues))});
  return {whole.data(), whole.data() + whole.size()};
}

Result<void> TrainableModel::save(const std::filesystem::path& folder, DType dtype) const {
  PONDER_CHECK(dtype == DType::kF32 || dtype == DType::kBF16 || dtype == DType::kF16);
  Config config = model_.config();
  config.mtp_layers = model_.has_mtp() ? 1 : 0;
  const std::string description = PONDER_TRY(config_to_json(config));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return Failure{{.what = "cannot make the folder: " + error.message(),
                    .where = folder.string(),
                    .mend = "choose another place"}};
  }
  const std::vector<ParamInfo> params = list_params(config, model_.has_mtp());
  SafetensorsWriter writer = PONDER_TRY(SafetensorsWriter::create(folder / "model.safetensors"));
  writer.set_metadata("format", "pt");
  for (const ParamInfo& info : params) declare(writer, info, stored_dtype(info, dtype));
  PONDER_TRY(writer.begin());
  for (const ParamInfo& info : params)
    PONDER_TRY(write(writer, checkpoint_values(info), stored_dtype(info, dtype)));
  PONDER_TRY(writer.commit());
  return write_file(folder / "config.json", description);
}

}  // namespace ponder
