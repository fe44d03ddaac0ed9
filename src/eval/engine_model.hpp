// A model in this process as the one that answers: many questions at a time through one engine.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.hpp"
#include "eval/answering.hpp"
#include "text/chat_template.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

struct EngineModelOptions {
  std::string name;
  int concurrency = 16;
  bool think = true;  // for templates that can do without
};

// `engine` must outlive it.
std::unique_ptr<AnsweringModel> make_engine_model(Engine& engine, Tokenizer tokenizer,
                                                  ChatTemplate chat, EngineModelOptions options);

}  // namespace ponder
