#include "train/model_output.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "io/gguf.hpp"
#include "io/safetensors.hpp"
#include "io/sha256.hpp"
#include "text/tokenizer_export.hpp"
#include "train/adapter_files.hpp"

namespace ponder {
namespace {

constexpr const char* kTokenizerFiles[] = {"tokenizer.json", "tokenizer_config.json",
                                           "chat_template.jinja", "special_tokens_map.json",
                                           "generation_config.json"};

std::filesystem::path folder_of(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored) ? path : path.parent_path();
}

}  // namespace

Result<std::string> tensors_sha256(const std::filesystem::path& file) {
  const SafetensorsFile tensors = PONDER_TRY(SafetensorsFile::open(file));
  Sha256 sha;
  for (const std::string& name : tensors.tensors().names()) {
    sha.update(tensors.tensors().find(name)->bytes);
    tensors.tensors().release(name);
  }
  return sha.hex();
}

Result<void> copy_tokenizer(const std::filesystem::path& from,
                            const std::filesystem::path& folder) {
  const auto source = folder_of(from);
  std::error_code code;
  if (!std::filesystem::exists(source / "tokenizer.json", code)) {
    const auto file = PONDER_TRY(resolve_model(from));
    if (is_gguf_file(file)) return export_tokenizer(file, folder);
  }
  for (const char* name : kTokenizerFiles) {
    if (!std::filesystem::is_regular_file(source / name, code)) continue;
    std::filesystem::copy_file(source / name, folder / name,
                               std::filesystem::copy_options::overwrite_existing, code);
    if (code)
      return Failure{{.what = "cannot copy: " + code.message(), .where = (folder / name).string()}};
  }
  return {};
}

Result<std::string> save_trained(const TrainableModel& model, const OutputPlaces& places) {
  if (places.options.lora_rank > 0) {
    PONDER_TRY(save_adapter(model, places.out / "adapter",
                            {.rank = places.options.lora_rank,
                             .alpha = places.options.lora_alpha,
                             .modules = places.options.lora_on,
                             .base = places.base.string()}));
    return tensors_sha256(places.out / "adapter" / kAdapterTensors);
  }
  const auto folder = places.out / "model";
  PONDER_TRY(model.save(folder, DType::kF32));
  PONDER_TRY(copy_tokenizer(places.tokenizer, folder));
  return tensors_sha256(folder / "model.safetensors");
}

Result<Tokenizer> load_tokenizer_of(const std::filesystem::path& model) {
  std::error_code ignored;
  if (std::filesystem::is_directory(model, ignored) &&
      !std::filesystem::exists(model / "tokenizer.json", ignored))
    return Tokenizer::load(PONDER_TRY(resolve_model(model)));
  return Tokenizer::load(model);
}

std::vector<std::string> usual_lora_modules(const Config& config) {
  std::vector<std::string> modules;
  for (const char* module : {"q_proj", "k_proj", "v_proj", "q_a_proj", "q_b_proj",
                             "kv_a_proj_with_mqa", "o_proj", "gate_proj", "up_proj", "down_proj"})
    if (lora_parameters(config, {.lora_rank = 1, .lora_on = {module}}) > 0)
      modules.push_back(module);
  return modules;
}

int64_t lora_parameters(const Config& config, const TrainableOptions& options) {
  int64_t sum = 0;
  for (const ParamInfo& info : list_params(config)) {
    if (info.shape.rank != 2 || info.layer < 0) continue;
    const std::string name = hf_name(info);
    for (const std::string& module : options.lora_on)
      if (name.ends_with("." + module + ".weight"))
        sum += options.lora_rank * (info.shape[0] + info.shape[1]);
  }
  return sum;
}

uint64_t base_bytes(const std::filesystem::path& model) {
  std::error_code code;
  if (!std::filesystem::is_directory(model, code)) {
    const uint64_t size = std::filesystem::file_size(model, code);
    return code ? 0 : size;
  }
  uint64_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator(model, code))
    if (entry.path().extension() == ".safetensors" || entry.path().extension() == ".gguf")
      sum += entry.file_size(code);
  return sum;
}

Result<void> check_same_on_all_ranks(const TrainableModel& model, Communicator& ranks) {
  if (ranks.size() == 1) return {};
  Sha256 sha;
  for (const ParamSlot& slot : model.slots()) sha.update(std::as_bytes(slot.values));
  const auto all = ranks.gather(sha.hex());
  if (std::all_of(all.begin(), all.end(), [&](const auto& hash) { return hash == all[0]; }))
    return {};
  return Failure{{.what = "the ranks have come to different weights; this is a bug in Ponder",
                  .where = "mpirun"}};
}

}  // namespace ponder
