// A trained model as a Hugging Face folder.
#include <optional>
#include <system_error>

#include "base/file.hpp"
#include "io/safetensors_writer.hpp"
#include "model/checkpoint_values.hpp"
#include "model/config_write.hpp"
#include "model/model_files.hpp"
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

// The MTP block's copies are the model's own.
std::vector<float> TrainableModel::checkpoint_values(const ParamInfo& info,
                                                     std::span<const float> gradients) const {
  PONDER_CHECK(!frozen_);
  ParamKind kind = info.kind;
  int64_t layer = info.layer;
  if (kind == ParamKind::kMtpEmbedding || kind == ParamKind::kMtpOutput) {
    const bool embedding = kind == ParamKind::kMtpEmbedding || model_.config().tied;
    kind = embedding ? ParamKind::kEmbedding : ParamKind::kOutput;
    layer = -1;
  }
  const auto values = [&](ParamPart part) {
    const ParamSlot& slot = slots_[places_.at({kind, layer, part})];
    if (gradients.empty()) return to_checkpoint(slot, slot.values);
    PONDER_CHECK(slot.trained && std::ssize(gradients) == gradient_size_);
    return to_checkpoint(slot,
                         gradients.subspan(static_cast<size_t>(slot.offset), slot.values.size()));
  };
  if (kind != ParamKind::kKvB) return values(ParamPart::kWhole);
  const Buffer<float> whole =
      join_kv_b(model_.config().attention,
                {to_buffer(values(ParamPart::kKeys)), to_buffer(values(ParamPart::kValues))});
  return {whole.data(), whole.data() + whole.size()};
}

// What the base's file holds, with scale·B·A of its adapter.
Result<std::vector<float>> TrainableModel::merged_values(const CheckpointValues& base,
                                                         const ParamInfo& info) const {
  const Buffer<float> whole = PONDER_TRY(base.take(info));
  std::vector<float> values(whole.data(), whole.data() + whole.size());
  const auto a = places_.find({info.kind, info.layer, ParamPart::kLoraA});
  if (a == places_.end()) return values;
  const ParamSlot &slot_a = slots_[a->second], &slot_b = slots_[a->second + 1];
  const std::vector<float> down = to_checkpoint(slot_a, slot_a.values);  // (r, K)
  const std::vector<float> up = to_checkpoint(slot_b, slot_b.values);    // (N, r)
  const auto rank = static_cast<size_t>(slot_a.shape[0]),
             cols = static_cast<size_t>(slot_a.shape[1]);
  for (size_t n = 0; n < up.size() / rank; ++n) {
    for (size_t r = 0; r < rank; ++r) {
      const float factor = scale_ * up[n * rank + r];
      for (size_t k = 0; k < cols; ++k) values[n * cols + k] += factor * down[r * cols + k];
    }
  }
  return values;
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
  std::optional<ModelFiles> files;
  if (frozen_) files = PONDER_TRY(open_model_files(model_.path()));
  for (const ParamInfo& info : params) {
    const std::vector<float> values =
        files ? PONDER_TRY(merged_values(CheckpointValues(*files), info)) : checkpoint_values(info);
    PONDER_TRY(write(writer, values, stored_dtype(info, dtype)));
  }
  PONDER_TRY(writer.commit());
  return write_file(folder / "config.json", description);
}

}  // namespace ponder
