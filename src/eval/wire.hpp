// The languages of servers: what is sent to ask, and what the events of a stream mean. No network
// here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "eval/answering.hpp"

namespace ponder {

enum class EndpointApi { kChat, kResponses, kMessages };
// "openai", "responses", "anthropic".
std::string_view api_name(EndpointApi api);
std::optional<EndpointApi> find_api(std::string_view name);

struct WireRequest {
  std::string path;                            // behind the base address
  std::string token_header;                    // HttpPost's
  std::map<std::string, std::string> headers;  // further ones
  Json body;
};

// `changes`: fields laid over the body; null takes one away.
WireRequest wire_request(EndpointApi api, const std::string& model, const Question& question,
                         const AskOptions& options, const Json& changes);

// An answer that is being received. Bounded: an error when the text passes 64 MiB.
class WireAnswer {
 public:
  virtual ~WireAnswer() = default;
  // The data of one event. Errors: not JSON, the server says that it failed.
  Result<void> event(std::string_view data);

  bool complete() const { return complete_; }
  bool begun() const { return !reply_.text.empty() || !reply_.reasoning.empty(); }
  Reply& reply() { return reply_; }

 protected:
  virtual Result<void> read(const Json& event) = 0;
  Result<void> add(std::string& to, const Json& object, std::string_view key);

  Reply reply_;
  bool complete_ = false;
};
std::unique_ptr<WireAnswer> wire_answer(EndpointApi api);

// What the server says is wrong, in the body of a refusal.
struct WireError {
  std::string message, param;
};
WireError wire_error(int status, std::string_view body);

}  // namespace ponder
