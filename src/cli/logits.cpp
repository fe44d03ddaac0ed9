// ponder logits: what the model computes for given tokens, as a file for comparison.
// T tokens, V vocabulary, H hidden width, L layers.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/prompt_input.hpp"
#include "cli/terminal.hpp"
#include "io/safetensors_writer.hpp"
#include "model/forward.hpp"

namespace ponder {
namespace {

struct LogitsFlags {
  ModelFlags model;
  std::string tokens, out;
  bool hidden = false;
};

// The residual stream before each layer and after the last one, all rows of all layers.
class HiddenStates {
 public:
  HiddenStates(const Config& config, int64_t tokens)
      : layers_(config.layers + 1), stride_(tokens * config.hidden) {
    values_.resize(static_cast<size_t>(layers_ * stride_));
  }

  Tap tap() {
    return [this](const TapValues& seen) {
      if (seen.point != TapPoint::kHidden) return;
      std::copy_n(seen.values, seen.rows * seen.width,
                  values_.data() + seen.layer * stride_ + seen.position * seen.width);
    };
  }
  int64_t layers() const { return layers_; }  // L + 1
  std::span<const float> layer(int64_t l) const {
    return std::span(values_).subspan(static_cast<size_t>(l * stride_),
                                      static_cast<size_t>(stride_));
  }

 private:
  int64_t layers_, stride_;
  std::vector<float> values_;  // (L + 1, T, H)
};

Result<int> logits(const LogitsFlags& flags) {
  const auto loaded = PONDER_TRY(load_model(flags.model));
  const Model& model = loaded->model;
  const Config& config = model.config();
  const std::string list = flags.tokens == "-" ? PONDER_TRY(read_standard_input()) : flags.tokens;
  const auto tokens = PONDER_TRY(parse_ids(list, config.vocab, "--tokens"));
  const int64_t count = std::ssize(tokens);
  if (count > config.context)
    return Failure{{.what = std::to_string(count) + " tokens, but the model was made for " +
                            std::to_string(config.context),
                    .where = "--tokens",
                    .mend = "give fewer"}};
  KvCache cache =
      PONDER_TRY(KvCache::create(config, {.capacity = count, .dtype = loaded->kv_dtype}));

  SafetensorsWriter writer = PONDER_TRY(SafetensorsWriter::create(flags.out));
  writer.declare("logits", DType::kF32, Shape::of({count, config.vocab}));
  std::optional<HiddenStates> hidden;
  if (flags.hidden) hidden.emplace(config, count);
  for (int64_t l = 0; hidden && l < hidden->layers(); ++l)
    writer.declare("hidden_" + std::to_string(l), DType::kF32, Shape::of({count, config.hidden}));
  PONDER_TRY(writer.begin());

  const Tap tap = hidden ? hidden->tap() : Tap();
  const int64_t piece = std::min<int64_t>(count, 64);  // rows of logits in memory at a time
  std::vector<float> rows(static_cast<size_t>(piece * config.vocab));
  ProgressLine progress;
  const ProgressSink report = progress.sink();
  for (int64_t done = 0; done < count; done += piece) {
    const int64_t now = std::min(piece, count - done);
    PONDER_TRY(
        forward(loaded->runtime.context(), model, cache,
                std::span(tokens).subspan(static_cast<size_t>(done), static_cast<size_t>(now)),
                {.logit_rows = now,
                 .logits = rows.data(),
                 .stop = &stop_flag(),
                 .tap = tap ? &tap : nullptr}));
    PONDER_TRY(writer.write(
        std::as_bytes(std::span(rows).first(static_cast<size_t>(now * config.vocab)))));
    report({.what = "logits",
            .done = static_cast<uint64_t>(done + now),
            .total = static_cast<uint64_t>(count),
            .unit = "tokens"});
  }
  for (int64_t l = 0; hidden && l < hidden->layers(); ++l)
    PONDER_TRY(writer.write(std::as_bytes(hidden->layer(l))));
  PONDER_TRY(writer.commit());
  return 0;
}

}  // namespace

void add_logits_command(CLI::App& app, Selection& selection) {
  CLI::App& command = *app.add_subcommand("logits", "Write the logits of given tokens to a file");
  auto flags = std::make_shared<LogitsFlags>();
  flags->model.activations = "float";
  flags->model.kv_type = "f32";
  add_model_flags(command, flags->model);
  command.add_option("--tokens", flags->tokens, "Token ids like 1,2,3; -: from standard input")
      ->required()
      ->type_name("IDS");
  command.add_option("-o,--out", flags->out, "The safetensors file to write")
      ->required()
      ->type_name("FILE");
  command.add_flag("--hidden", flags->hidden, "Write the hidden states between the layers, too");
  command.footer(
      "The file has `logits`, f32 (tokens, vocabulary): row i predicts token i + 1. With --hidden\n"
      "also `hidden_0` (the embedding) to `hidden_L` (after the last layer, before the final "
      "norm),\n"
      "f32 (tokens, width). Activations and cache are f32 unless told otherwise, for accuracy.\n\n"
      "Examples:\n"
      "  ponder logits -m model.gguf --tokens 9707,11,1879 --out logits.safetensors\n"
      "  ponder logits -m folder --tokens 1,2,3 --out all.safetensors --hidden --isa ref");
  command.callback([flags, &selection] { selection.command = [flags] { return logits(*flags); }; });
}

}  // namespace ponder
