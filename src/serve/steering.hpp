// The guides of a request: what its answer must look like, and how long it may think.
#pragma once

#include <functional>
#include <memory>

#include "serve/requests.hpp"
#include "serve/served_model.hpp"
#include "text/thinking.hpp"

namespace ponder {

using GuideMaker = std::function<std::unique_ptr<TokenGuide>()>;  // empty: no guide

struct Steering {
  GuideMaker make_guide = {};
  bool constrained = false;  // the answer must have a form
};

// `thoughts`: as for the parser of the answer. Errors name the field, and what is wrong in it.
Result<Steering> steer_chat(const ChatRequest& request, const ServedModel& model,
                            const ThoughtOptions& thoughts);
Result<GuideMaker> steer_text(const OutputFormat& format, const ServedModel& model);

}  // namespace ponder
