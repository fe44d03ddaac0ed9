// A model that requests can be given to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "io/json.hpp"
#include "serve/backend.hpp"
#include "text/chat_template.hpp"
#include "text/grammar/constraint.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

struct ServedModel {
  std::string name;
  Tokenizer tokenizer;
  Result<ChatTemplate> chat_template;  // an error: it has none that we know
  int64_t context = 0;                 // tokens of prompt and answer together
  int64_t width = 0;                   // of embeddings
  std::string fingerprint = {};        // model, instruction set and version of the program
  uint64_t bytes = 0;                  // of memory, cache included
  OrderedJson details = {};            // for /v1/models
  std::shared_ptr<ConstraintCache> constraints = {};
  std::shared_ptr<void> parts = {};  // what the backend works with; outlives it
  std::unique_ptr<Backend> backend = {};
};

}  // namespace ponder
