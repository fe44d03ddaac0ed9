// Guessing tokens ahead: flags of `run` and `chat`.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/flags.hpp"
#include "engine/generate.hpp"

namespace ponder {

struct SpeculationFlags {
  std::string kind = "off";
  std::optional<int64_t> draft;  // tokens at most
};

// Adds --speculate and --draft.
void add_speculation_flags(CLI::App& command, SpeculationFlags& flags);

// Before the model is loaded: lets `model` load what the drafter needs. Errors: --draft without
// something to draft.
Result<void> prepare_speculation(const SpeculationFlags& flags, ModelFlags& model);

// A session with `context` positions and the drafter that the flags ask for.
Result<Session> open_session(const SpeculationFlags& flags, const LoadedModel& loaded,
                             int64_t context);

}  // namespace ponder
