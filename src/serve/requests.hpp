// What clients ask for, in one form whichever API they speak. All parsers take what check_schema()
// let pass; an error's `where` is the field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "io/json.hpp"
#include "ops/sample/sample.hpp"
#include "text/chat_template.hpp"

namespace ponder {

// How the next token is chosen: what the client said; the rest is default.
struct SamplingFields {
  std::optional<double> temperature = {}, top_p = {}, min_p = {}, typical_p = {};
  std::optional<double> presence_penalty = {}, frequency_penalty = {}, repetition_penalty = {};
  std::optional<int64_t> top_k = {};
  std::optional<uint64_t> seed = {};
  std::vector<std::pair<int32_t, float>> logit_bias = {};
};

// What all requests for text have.
struct GenerationFields {
  std::string model = {};  // empty: the first one
  SamplingFields sampling = {};
  int64_t max_tokens = -1;  // −1: as many as the context holds
  int choices = 1;
  int best_of = 1;  // ≥ choices: so many are generated
  std::vector<std::string> stop = {};
  std::vector<int32_t> stop_tokens = {};
  bool ignore_end = false;
  int likely = -1;  // tokens whose log-probabilities are told besides the chosen one's; −1: none
  bool stream = false;
  bool stream_usage = false;
  int priority = 0;
};

// What the answer, without its thoughts, must look like.
struct OutputFormat {
  enum class Kind { kText, kJsonObject, kJsonSchema, kRegex, kChoice, kGrammar };
  Kind kind = Kind::kText;
  std::string where = {};                 // the field that asked for it
  OrderedJson schema = {};                // of kJsonSchema
  std::string text = {};                  // of kRegex and kGrammar
  std::vector<std::string> choices = {};  // of kChoice
};

struct ToolChoice {
  enum class Kind { kAuto, kNone, kRequired, kNamed };
  Kind kind = Kind::kAuto;
  std::string name = {};  // of kNamed
};

struct ThinkingChoice {
  std::optional<bool> enabled = {};    // absent: as the model likes
  std::optional<int64_t> budget = {};  // tokens; absent: no limit
};

struct ChatRequest {
  GenerationFields generation = {};
  std::vector<ChatMessage> messages = {};
  std::vector<Tool> tools = {};  // none with ToolChoice::kNone
  ToolChoice tool_choice = {};
  std::optional<bool> parallel_calls = {};
  bool strict_tools = false;  // arguments of calls must satisfy their schemas
  OutputFormat format = {};
  ThinkingChoice thinking = {};
  bool add_generation_prompt = true;
  bool continue_final_message = false;
};

using TextOrTokens = std::variant<std::string, std::vector<int32_t>>;

struct CompletionRequest {
  GenerationFields generation = {};
  std::vector<TextOrTokens> prompts = {};
  OutputFormat format = {};
  bool echo = false;
};

struct EmbeddingCall {
  std::string model = {};
  std::vector<TextOrTokens> inputs = {};
  bool base64 = false;
  bool mean = false;
  std::optional<int64_t> dimensions = {};
  int priority = 0;
};

// What /v1/responses has besides a chat.
struct ResponseRequest {
  ChatRequest chat = {};
  std::string previous = {};  // id of the response that this one goes on from; empty: none
  bool store = true;
  // As the client gave them, for the answer to repeat.
  OrderedJson echo = OrderedJson::object();
};

// The body as JSON, checked against a schema of request_schemas(), with the fields that it names.
Result<OrderedJson> parse_body(std::string_view body, std::string_view schema);

Result<ChatRequest> parse_chat_request(const OrderedJson& body);
Result<CompletionRequest> parse_completion_request(const OrderedJson& body);
Result<EmbeddingCall> parse_embedding_request(const OrderedJson& body);
// Anthropic's /v1/messages; also for count_tokens.
Result<ChatRequest> parse_message_request(const OrderedJson& body);
// `earlier`: the messages of the response before, answer included.
Result<ResponseRequest> parse_response_request(const OrderedJson& body,
                                               std::vector<ChatMessage> earlier = {});

// Parts that several of these have.
Result<GenerationFields> parse_generation(const OrderedJson& body);
Result<OutputFormat> parse_output_format(const OrderedJson& body);
Result<ThinkingChoice> parse_thinking(const OrderedJson& body);
Result<void> set_tools(ChatRequest& request, std::vector<Tool> tools, ToolChoice choice);
// A function in the form that chat templates show. `where` is its place in the request.
Result<Tool> make_tool(const std::string& name, const OrderedJson* description,
                       const OrderedJson* parameters, const std::string& where);
// The body's "tools". Each one lies in the field `inside` ("": in the entry itself) and has the
// schema of its arguments under `parameters`.
Result<std::vector<Tool>> parse_tools(const OrderedJson& body, const std::string& parameters,
                                      const std::string& inside = "");
std::string joined_text(const OrderedJson& content);  // a string, or the texts of a list of parts
std::optional<int64_t> effort_budget(std::string_view effort);

// The fields over the defaults: models that reason get temperature 0.6 and top-p 0.95, as DeepSeek
// recommends (https://huggingface.co/deepseek-ai/DeepSeek-R1, "Usage Recommendations"); others
// temperature 0.7, top-p 0.8, top-k 20, as Qwen2.5 does in its generation_config.json.
SamplingOptions make_sampling(const SamplingFields& fields, bool reasons, uint64_t random_seed);

}  // namespace ponder
