// A model behind an address: streaming, with retries and limits. What it sends is as hostile as any
// network.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "eval/answering.hpp"
#include "eval/wire.hpp"
#include "text/tokenizer.hpp"

namespace ponder {

struct EndpointOptions {
  std::string url;  // without a path "/v1" is meant
  EndpointApi api = EndpointApi::kChat;
  std::string model;
  std::string key = {};              // sent over TLS or to this machine only; empty: none
  Json changes = Json::object();     // fields laid over each request; null takes one away
  int concurrency = 4;               // requests under way
  double requests_per_minute = 0.0;  // begun, retries too; 0: no limit
  int attempts = 6;                  // of one question
  double retry_seconds = 1.0;        // before the second attempt, twice as long before each next
  int patience_seconds = 600;        // for each piece of an answer
  std::optional<Tokenizer> tokenizer = {};  // of the model, for our own count of tokens
};

// Errors: the address.
Result<std::unique_ptr<AnsweringModel>> make_endpoint(EndpointOptions options);

// The variable of the environment that holds the key of a known provider: a key is not sent to
// anybody else. Others: "PONDER_API_KEY".
std::string key_variable(const std::string& url);

// What does not fit between the usage that was told and what was sent and received; empty if all
// does. `exact`: of a tokenizer that is the model's, counts of prompt (less the template),
// text and thoughts; otherwise bytes bound the tokens.
struct OwnCount {
  int64_t prompt_tokens = 0, text_tokens = 0, thought_tokens = 0;
  bool exact = false;
};
std::string doubt_usage(const TokenUsage& usage, const Question& question, const Reply& reply,
                        const OwnCount& own);

}  // namespace ponder
