// The one description of what requests may hold: checked by the parsers, published in
// /openapi.json.
#pragma once

#include <string_view>

#include "io/json.hpp"

namespace ponder {

// All schemas by name, as check_schema() wants its definitions: ChatCompletionRequest,
// CompletionRequest, EmbeddingRequest, ResponseRequest, MessageRequest, CountTokensRequest,
// TokenizeRequest, DetokenizeRequest, and what they refer to.
const OrderedJson& request_schemas();

// What answers hold, by name, for those who read them: only published. Streams are not described.
const OrderedJson& answer_schemas();

// The texts that the former are made of; each an object of schemas.
std::string_view shared_schemas_text();
std::string_view openai_schemas_text();
std::string_view other_schemas_text();

}  // namespace ponder
