#include "cli/serve_model.hpp"

#include <algorithm>

#include "cli/flags.hpp"
#include "cli/version.hpp"
#include "core/dtype.hpp"
#include "device/cpu.hpp"
#include "serve/prefix_store.hpp"

namespace ponder {
namespace {

constexpr int64_t kDefaultContext = 32768;

// What the backend points into.
struct Parts {
  Runtime runtime;
  std::unique_ptr<Model> model;
};

Speculation speculation_of(const std::string& name) {
  return name == "mtp"      ? Speculation::kMtp
         : name == "lookup" ? Speculation::kLookup
                            : Speculation::kOff;
}

EngineOptions engine_options(const ServeSettings& settings, const Config& config) {
  EngineOptions options;
  // Of several models, some may be made for less.
  options.context = std::min(settings.context.value_or(kDefaultContext), config.context);
  options.cache_bytes = settings.kv_budget;
  options.kv_dtype = parse_dtype(settings.kv_type).value();
  options.parallel = settings.parallel;
  options.queue = settings.queue;
  options.speculation = speculation_of(settings.speculate);
  options.draft = settings.draft.value_or(options.draft);
  return options;
}

// Named as llama-server's "meta", and more.
OrderedJson details_of(const Model& model, const ServedModel& served) {
  const Config& config = model.config();
  const ChatTemplate* chat = served.chat_template.ok() ? &served.chat_template.value() : nullptr;
  return {{"n_ctx", served.context},
          {"n_ctx_train", config.context},
          {"n_vocab", config.vocab},
          {"n_embd", config.hidden},
          {"n_params", count_parameters(config).total},
          {"size", model.file_bytes()},
          {"architecture", architecture_name(config.architecture)},
          {"quantization", dtype_name(model.main_dtype())},
          {"chat_template", chat == nullptr ? OrderedJson(nullptr) : OrderedJson(chat->name())},
          {"reasons", chat != nullptr && chat->reasons()}};
}

}  // namespace

Result<std::unique_ptr<ServedModel>> load_served_model(const ServeSettings& settings,
                                                       const std::string& name,
                                                       const std::string& path,
                                                       const ProgressSink& progress) {
  const auto file = PONDER_TRY(find_model(path));
  Tokenizer tokenizer = PONDER_TRY(load_tokenizer(path));
  RuntimeOptions runtime_options{.threads = settings.threads, .isa = settings.isa};
  if (settings.activations == "float") runtime_options.activations = Activations::kFloat;
  auto parts = std::make_shared<Parts>();
  parts->runtime = PONDER_TRY(Runtime::create(runtime_options));
  const Context& context = parts->runtime.context();
  const ModelOptions options{.mla = settings.mla == "plain" ? MlaForm::kPlain : MlaForm::kAbsorbed,
                             .load_mtp = settings.speculate == "mtp",
                             .progress = progress};
  parts->model = std::make_unique<Model>(PONDER_TRY(Model::open(file, context, options)));
  const EngineOptions engine = engine_options(settings, parts->model->config());
  auto backend =
      std::make_unique<EngineBackend>(PONDER_TRY(Engine::create(context, *parts->model, engine)));
  auto served = std::unique_ptr<ServedModel>(new ServedModel{
      .name = name,
      .tokenizer = tokenizer,
      .chat_template = choose_template(settings.template_name, tokenizer, path),
      .context = engine.context,
      .width = parts->model->config().hidden,
      .fingerprint = name + "/" + std::string(isa_name(context.isa)) + "/" + kVersion});
  if (!settings.prefix_folder.empty()) load_prefixes(settings.prefix_folder, name, *backend);
  const EngineStats stats = backend->stats();
  served->bytes =
      parts->model->owned_bytes() + static_cast<uint64_t>(stats.pages) * stats.page_bytes;
  served->constraints = std::make_shared<ConstraintCache>(tokenizer);
  served->details = details_of(*parts->model, *served);
  served->parts = parts;
  served->backend = std::move(backend);
  return served;
}

}  // namespace ponder
