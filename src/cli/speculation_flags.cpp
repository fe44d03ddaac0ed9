#include "cli/speculation_flags.hpp"

#include <CLI/CLI.hpp>

namespace ponder {
namespace {

constexpr int64_t kMostDraft = 64;

Speculation kind_of(const std::string& name) {
  return name == "mtp"      ? Speculation::kMtp
         : name == "lookup" ? Speculation::kLookup
                            : Speculation::kOff;
}

}  // namespace

void add_speculation_flags(CLI::App& command, SpeculationFlags& flags) {
  command
      .add_option("--speculate", flags.kind,
                  "Guess tokens ahead and check them together: off, lookup (text seen before goes "
                  "on as it did), mtp (the model's own block); default: " +
                      flags.kind)
      ->check(CLI::IsMember({"off", "lookup", "mtp"}))
      ->type_name("HOW");
  add_integer_flag(command, "--draft", flags.draft, 1, kMostDraft)
      ->description("Tokens guessed at a time at most; default: " +
                    std::to_string(SessionOptions().draft));
}

Result<void> prepare_speculation(const SpeculationFlags& flags, ModelFlags& model) {
  const Speculation kind = kind_of(flags.kind);
  if (flags.draft && kind == Speculation::kOff) {
    return Failure{{.what = "there is nothing to draft with",
                    .where = "--draft",
                    .mend = "add --speculate lookup or --speculate mtp"}};
  }
  model.load_mtp = kind == Speculation::kMtp;
  return {};
}

Result<Session> open_session(const SpeculationFlags& flags, const LoadedModel& loaded,
                             int64_t context) {
  SessionOptions options{.context = context, .kv_dtype = loaded.kv_dtype};
  options.draft = flags.draft.value_or(options.draft);
  auto drafter = PONDER_TRY(make_drafter(
      loaded.runtime.context(), loaded.model,
      {.speculation = kind_of(flags.kind), .context = context, .kv_dtype = loaded.kv_dtype}));
  return Session::create(loaded.runtime.context(), loaded.model, options, std::move(drafter));
}

}  // namespace ponder
