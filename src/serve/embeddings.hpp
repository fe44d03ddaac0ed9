// /v1/embeddings: one vector for each input, answered together.
#pragma once

#include <memory>
#include <string>

#include "serve/http/exchange.hpp"
#include "serve/requests.hpp"
#include "serve/served_model.hpp"

namespace ponder {

void start_embeddings(EmbeddingCall call, std::shared_ptr<const ServedModel> model,
                      std::shared_ptr<HttpExchange> exchange);

// Little-endian f32 in base64, as OpenAI's clients ask for it.
std::string base64_floats(const std::vector<float>& values);

}  // namespace ponder
