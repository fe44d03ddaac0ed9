#include "train/adapter_files.hpp"

#include <cmath>

#include "base/file.hpp"
#include "io/json.hpp"
#include "io/printable.hpp"
#include "io/safetensors.hpp"
#include "io/safetensors_writer.hpp"
#include "model/tensor_source.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLargestConfig = 1 << 20;

bool is_adapter(const ParamSlot& slot) {
  return slot.part == ParamPart::kLoraA || slot.part == ParamPart::kLoraB;
}

}  // namespace

Result<void> save_adapter(const TrainableModel& model, const std::filesystem::path& folder,
                          const AdapterConfig& config) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return Failure{{.what = "cannot create: " + code.message(), .where = folder.string()}};
  SafetensorsWriter writer = PONDER_TRY(SafetensorsWriter::create(folder / kAdapterTensors));
  writer.set_metadata("format", "pt");
  for (const ParamSlot& slot : model.slots())
    if (is_adapter(slot)) writer.declare(slot.name, DType::kF32, slot.shape);
  PONDER_TRY(writer.begin());
  for (const ParamSlot& slot : model.slots()) {
    if (!is_adapter(slot)) continue;
    const std::vector<float> values = model.to_checkpoint(slot, slot.values);
    PONDER_TRY(writer.write(std::as_bytes(std::span(values))));
  }
  PONDER_TRY(writer.commit());
  const OrderedJson json = {{"peft_type", "LORA"},
                            {"task_type", "CAUSAL_LM"},
                            {"base_model_name_or_path", config.base},
                            {"r", config.rank},
                            {"lora_alpha", config.alpha},
                            {"target_modules", config.modules},
                            {"lora_dropout", 0.0},
                            {"bias", "none"},
                            {"fan_in_fan_out", false},
                            {"use_rslora", false},
                            {"use_dora", false},
                            {"inference_mode", true}};
  return write_file(folder / kAdapterConfig,
                    json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
}

Result<AdapterConfig> read_adapter_config(const std::filesystem::path& folder) {
  const std::string where = (folder / kAdapterConfig).string();
  const std::string text = PONDER_TRY(read_file(folder / kAdapterConfig, kLargestConfig));
  const Json json = PONDER_TRY(parse_json(text, where));
  const auto refuse = [&](const std::string& what) {
    return Failure{{.what = what, .where = where, .mend = "only plain LoRA adapters can be read"}};
  };
  if (PONDER_TRY(text_field_or(json, "peft_type", where, "LORA")) != "LORA")
    return refuse("is another kind of adapter");
  for (const char* key : {"use_dora", "use_rslora", "fan_in_fan_out"})
    if (PONDER_TRY(bool_field_or(json, key, where, false)))
      return refuse(std::string(key) + " is not supported");
  for (const char* key : {"rank_pattern", "alpha_pattern", "modules_to_save"})
    if (const Json* field = find_field(json, key); field != nullptr && !field->empty())
      return refuse(std::string(key) + " is not supported");
  if (PONDER_TRY(text_field_or(json, "bias", where, "none")) != "none")
    return refuse("biases are trained too");
  AdapterConfig config;
  config.rank = PONDER_TRY(integer_field(json, "r", where, {1, 4096}));
  config.alpha = PONDER_TRY(number_field(json, "lora_alpha", where, {-1e6, 1e6}));
  config.base = PONDER_TRY(text_field_or(json, "base_model_name_or_path", where, ""));
  const Json* modules = find_field(json, "target_modules");
  if (modules == nullptr || !modules->is_array() || modules->empty() || modules->size() > 1000)
    return refuse("target_modules must be a list of names");
  for (const Json& module : *modules) {
    if (!module.is_string()) return refuse("target_modules must be a list of names");
    config.modules.push_back(module.get<std::string>());
  }
  return config;
}

Result<void> load_adapter(TrainableModel& model, const std::filesystem::path& folder) {
  const auto path = folder / kAdapterTensors;
  const SafetensorsFile file = PONDER_TRY(SafetensorsFile::open(path));
  size_t used = 0;
  for (ParamSlot& slot : model.slots()) {
    if (!is_adapter(slot)) continue;
    const std::string& name = slot.name;  // PEFT's
    const TensorView* view = file.tensors().find(name);
    if (view == nullptr)
      return Failure{{.what = "has no tensor " + printable(name),
                      .where = path.string(),
                      .mend = "use the adapter with the model it was made for"}};
    const bool plain =
        view->dtype == DType::kF32 || view->dtype == DType::kBF16 || view->dtype == DType::kF16;
    if (!plain || !(view->shape == slot.shape))
      return Failure{{.what = "tensor has another shape or format than " + slot.shape.text(),
                      .where = file.tensors().where(name)}};
    std::vector<float> values(static_cast<size_t>(slot.shape.elements()));
    decode_rows({.name = name, .view = *view, .block_scale = {}}, 0, slot.shape[0], values.data());
    for (const float value : values)
      if (!std::isfinite(value))
        return Failure{
            {.what = "has a number that is not finite", .where = file.tensors().where(name)}};
    model.from_checkpoint(slot, values, slot.values);
    ++used;
  }
  if (used == file.tensors().names().size()) return {};
  return Failure{
      {.what = "holds tensors that the model has no place for",
       .where = path.string(),
       .mend = "adapters of routed experts, kv_b_proj and embeddings are not supported"}};
}

}  // namespace ponder
