// How `ponder serve` opens a model.
#pragma once

#include <memory>
#include <string>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "cli/serve_settings.hpp"
#include "serve/served_model.hpp"

namespace ponder {

// Loads weights and tokenizer, and starts the engine.
Result<std::unique_ptr<ServedModel>> load_served_model(const ServeSettings& settings,
                                                       const std::string& name,
                                                       const std::string& path,
                                                       const ProgressSink& progress);

}  // namespace ponder
