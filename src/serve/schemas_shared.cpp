#include "serve/schemas.hpp"

namespace ponder {
namespace {

constexpr std::string_view kSchemas = R"json({
"x-properties": {
  "sampling": {
    "model": {"type": "string", "minLength": 1, "maxLength": 512,
      "description": "A name that /v1/models lists; the first one if absent."},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2,
      "description": "0: always the likeliest token. Default: 0.6 for models that think, else 0.7."},
    "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "top_k": {"type": "integer", "minimum": -1, "maximum": 2147483647, "description": "0 or -1: off."}
  },
  "more-sampling": {
    "min_p": {"type": "number", "minimum": 0, "maximum": 1},
    "typical_p": {"type": "number", "minimum": 0, "maximum": 1},
    "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "repetition_penalty": {"type": "number", "minimum": 0.01, "maximum": 100},
    "repeat_penalty": {"type": "number", "minimum": 0.01, "maximum": 100,
      "description": "The same as repetition_penalty."},
    "seed": {"type": "integer", "minimum": -9223372036854775808, "maximum": 18446744073709551615,
      "description": "Same seed, same answer. -1 or absent: a random one, which the answer tells."},
    "logit_bias": {"type": "object", "maxProperties": 4096,
      "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100},
      "description": "Token ids and what is added to their logits; -100 bans."},
    "max_tokens": {"$ref": "#/components/schemas/TokenLimit"},
    "n": {"type": "integer", "minimum": 1, "maximum": 128},
    "best_of": {"type": "integer", "minimum": 1, "maximum": 128,
      "description": "So many are generated and the n likeliest given; not for streams."},
    "stop": {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 1024},
      {"type": "array", "maxItems": 16, "items": {"type": "string", "minLength": 1, "maxLength": 1024}}]},
    "stop_token_ids": {"type": "array", "maxItems": 64, "items": {"$ref": "#/components/schemas/TokenId"}},
    "ignore_eos": {"type": "boolean"},
    "stream": {"type": "boolean"},
    "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}},
    "priority": {"type": "integer", "minimum": -1000, "maximum": 1000, "description": "Higher goes first."},
    "user": {"type": "string", "maxLength": 1024}
  },
  "constraint": {
    "response_format": {"$ref": "#/components/schemas/ResponseFormat"},
    "guided_json": {"$ref": "#/components/schemas/AnySchema"},
    "guided_regex": {"$ref": "#/components/schemas/GrammarText"},
    "guided_grammar": {"$ref": "#/components/schemas/GrammarText"},
    "guided_choice": {"$ref": "#/components/schemas/ChoiceList"},
    "grammar": {"$ref": "#/components/schemas/GrammarText"},
    "structured_outputs": {"type": "object", "properties": {
      "json": {"$ref": "#/components/schemas/AnySchema"},
      "regex": {"$ref": "#/components/schemas/GrammarText"},
      "grammar": {"$ref": "#/components/schemas/GrammarText"},
      "choice": {"$ref": "#/components/schemas/ChoiceList"},
      "json_object": {"type": "boolean"}}}
  },
  "thinking": {
    "reasoning_effort": {"type": "string", "enum": ["none", "minimal", "low", "medium", "high", "xhigh"],
      "description": "A budget of thoughts: none 0, minimal 256, low 1024, medium 4096, high 16384 tokens, xhigh no limit."},
    "max_thinking_tokens": {"type": "integer", "minimum": 0, "maximum": 9007199254740991,
      "description": "After so many tokens of thoughts the answer begins."},
    "thinking_token_budget": {"type": "integer", "minimum": -1, "maximum": 9007199254740991,
      "description": "The same; -1: no limit."},
    "chat_template_kwargs": {"type": "object", "properties": {
      "enable_thinking": {"type": "boolean"}, "thinking": {"type": "boolean"}}}
  }
},
"TokenId": {"type": "integer", "minimum": 0, "maximum": 2147483647},
"TokenIds": {"type": "array", "minItems": 1, "maxItems": 1048576, "items": {"$ref": "#/components/schemas/TokenId"}},
"TokenLimit": {"type": "integer", "minimum": -1, "maximum": 9007199254740991,
  "description": "Tokens of the answer at most, thoughts included; as many as the context holds if absent or -1."},
"AnySchema": {"anyOf": [{"type": "object"}, {"type": "boolean"}, {"type": "string", "minLength": 1, "maxLength": 262144}]},
"JsonSchema": {"anyOf": [{"type": "object"}, {"type": "boolean"}]},
"GrammarText": {"type": "string", "minLength": 1, "maxLength": 262144},
"ChoiceList": {"type": "array", "minItems": 1, "maxItems": 4096,
  "items": {"type": "string", "minLength": 1, "maxLength": 16384}},
"ResponseFormat": {"anyOf": [
  {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "text"}}},
  {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "json_object"},
    "schema": {"$ref": "#/components/schemas/JsonSchema"}}},
  {"type": "object", "required": ["type", "json_schema"], "properties": {"type": {"type": "string", "const": "json_schema"},
    "json_schema": {"type": "object", "required": ["schema"], "properties": {
      "name": {"type": "string", "maxLength": 64}, "description": {"type": "string"},
      "strict": {"type": "boolean"}, "schema": {"$ref": "#/components/schemas/JsonSchema"}}}}}]},
"ToolName": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-zA-Z0-9_.-]+$"},
"ToolFunction": {"type": "object", "required": ["name"], "properties": {
  "name": {"$ref": "#/components/schemas/ToolName"},
  "description": {"type": "string", "maxLength": 65536},
  "parameters": {"type": "object"},
  "strict": {"type": "boolean"}}},
"Tool": {"type": "object", "required": ["type", "function"], "properties": {
  "type": {"type": "string", "const": "function"},
  "function": {"$ref": "#/components/schemas/ToolFunction"}}},
"Tools": {"type": "array", "maxItems": 128, "items": {"$ref": "#/components/schemas/Tool"}},
"ToolChoice": {"anyOf": [{"type": "string", "enum": ["none", "auto", "required"]},
  {"type": "object", "required": ["type", "function"], "properties": {
    "type": {"type": "string", "const": "function"},
    "function": {"type": "object", "required": ["name"], "properties": {"name": {"$ref": "#/components/schemas/ToolName"}}}}}]},
"ToolCall": {"type": "object", "required": ["function"], "properties": {
  "id": {"type": "string", "maxLength": 256},
  "type": {"type": "string", "const": "function"},
  "function": {"type": "object", "required": ["name", "arguments"], "properties": {
    "name": {"$ref": "#/components/schemas/ToolName"},
    "arguments": {"anyOf": [{"type": "string"}, {"type": "object"}]}}}}},
"TextPart": {"type": "object", "required": ["type", "text"], "properties": {
    "type": {"type": "string", "const": "text", "x-mend": "this server reads text only: no images, audio or files"},
    "text": {"type": "string"}}},
"TextContent": {"anyOf": [{"type": "string"},
  {"type": "array", "maxItems": 4096, "items": {"$ref": "#/components/schemas/TextPart"}}]},
"ChatMessage": {"type": "object", "required": ["role"], "properties": {
  "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool"]},
  "content": {"$ref": "#/components/schemas/TextContent"},
  "name": {"type": "string", "maxLength": 256},
  "reasoning_content": {"type": "string"},
  "reasoning": {"type": "string"},
  "tool_calls": {"type": "array", "maxItems": 128, "items": {"$ref": "#/components/schemas/ToolCall"}},
  "tool_call_id": {"type": "string", "maxLength": 256}}},
"ChatMessages": {"type": "array", "minItems": 1, "maxItems": 16384,
  "items": {"$ref": "#/components/schemas/ChatMessage"}}
})json";

}  // namespace

std::string_view shared_schemas_text() { return kSchemas; }

}  // namespace ponder
