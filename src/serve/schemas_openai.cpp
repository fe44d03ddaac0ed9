#include "serve/schemas.hpp"

namespace ponder {
namespace {

constexpr std::string_view kSchemas = R"json({
"ChatCompletionRequest": {"type": "object", "required": ["messages"],
  "x-include": ["sampling", "more-sampling", "constraint", "thinking"], "properties": {
  "messages": {"$ref": "#/components/schemas/ChatMessages"},
  "max_completion_tokens": {"$ref": "#/components/schemas/TokenLimit"},
  "logprobs": {"type": "boolean"},
  "top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
  "tools": {"$ref": "#/components/schemas/Tools"},
  "tool_choice": {"$ref": "#/components/schemas/ToolChoice"},
  "parallel_tool_calls": {"type": "boolean"},
  "add_generation_prompt": {"type": "boolean"},
  "continue_final_message": {"type": "boolean",
    "description": "Go on with the last message, which is the assistant's."},
  "modalities": {"type": "array", "maxItems": 4, "items": {"type": "string", "enum": ["text"]}}}},
"CompletionRequest": {"type": "object", "required": ["prompt"],
  "x-include": ["sampling", "more-sampling", "constraint"], "properties": {
  "prompt": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/TokenIds"},
    {"$ref": "#/components/schemas/PromptList"}]},
  "suffix": {"type": "string", "maxLength": 0, "x-mend": "text before a suffix cannot be filled in; leave the field out"},
  "echo": {"type": "boolean", "description": "Give the prompt back before the answer."},
  "logprobs": {"type": "integer", "minimum": 0, "maximum": 20}}},
"PromptList": {"type": "array", "minItems": 1, "maxItems": 256, "items": {"anyOf": [{"type": "string"},
  {"$ref": "#/components/schemas/TokenIds"}]}},
"EmbeddingRequest": {"type": "object", "required": ["input"], "properties": {
  "model": {"type": "string", "minLength": 1, "maxLength": 512},
  "input": {"anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/components/schemas/TokenIds"},
    {"$ref": "#/components/schemas/InputList"}]},
  "encoding_format": {"type": "string", "enum": ["float", "base64"]},
  "dimensions": {"type": "integer", "minimum": 1, "maximum": 1048576, "description": "Must be the model's own."},
  "pooling": {"type": "string", "enum": ["last", "mean"]},
  "priority": {"type": "integer", "minimum": -1000, "maximum": 1000},
  "user": {"type": "string", "maxLength": 1024}}},
"InputList": {"type": "array", "minItems": 1, "maxItems": 256, "items": {"anyOf": [
  {"type": "string", "minLength": 1}, {"$ref": "#/components/schemas/TokenIds"}]}},
"ResponseTool": {"type": "object", "required": ["type", "name"], "properties": {
  "type": {"type": "string", "const": "function", "x-mend": "this server has no tools of its own"},
  "name": {"$ref": "#/components/schemas/ToolName"},
  "description": {"type": "string", "maxLength": 65536},
  "parameters": {"type": "object"},
  "strict": {"type": "boolean"}}},
"ResponseText": {"type": "object", "required": ["type", "text"], "properties": {
  "type": {"type": "string", "enum": ["input_text", "output_text", "text"],
    "x-mend": "this server reads text only: no images, audio or files"},
  "text": {"type": "string"}}},
"ResponseContent": {"anyOf": [{"type": "string"},
  {"type": "array", "maxItems": 4096, "items": {"$ref": "#/components/schemas/ResponseText"}}]},
"ResponseItem": {"type": "object", "properties": {
  "type": {"type": "string", "enum": ["message", "function_call", "function_call_output", "reasoning"]},
  "role": {"type": "string", "enum": ["system", "developer", "user", "assistant"]},
  "content": {"anyOf": [{"type": "string"}, {"type": "array", "maxItems": 4096, "items": {"type": "object"}}]},
  "id": {"type": "string", "maxLength": 256},
  "call_id": {"type": "string", "maxLength": 256},
  "name": {"$ref": "#/components/schemas/ToolName"},
  "arguments": {"type": "string"},
  "output": {"$ref": "#/components/schemas/ResponseContent"},
  "summary": {"type": "array", "maxItems": 4096, "items": {"type": "object"}}}},
"ResponseRequest": {"type": "object", "required": ["input"], "x-include": ["sampling"], "properties": {
  "input": {"anyOf": [{"type": "string"},
    {"type": "array", "minItems": 1, "maxItems": 16384, "items": {"$ref": "#/components/schemas/ResponseItem"}}]},
  "instructions": {"type": "string"},
  "include": {"type": "array", "maxItems": 16, "items": {"type": "string", "maxLength": 128}},
  "top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
  "previous_response_id": {"type": "string", "maxLength": 128},
  "store": {"type": "boolean"},
  "stream": {"type": "boolean"},
  "seed": {"type": "integer", "minimum": -9223372036854775808, "maximum": 18446744073709551615},
  "max_output_tokens": {"$ref": "#/components/schemas/TokenLimit"},
  "tools": {"type": "array", "maxItems": 128, "items": {"$ref": "#/components/schemas/ResponseTool"}},
  "tool_choice": {"anyOf": [{"type": "string", "enum": ["none", "auto", "required"]},
    {"type": "object", "required": ["type", "name"], "properties": {
      "type": {"type": "string", "const": "function"}, "name": {"$ref": "#/components/schemas/ToolName"}}}]},
  "parallel_tool_calls": {"type": "boolean"},
  "text": {"type": "object", "properties": {"format": {"anyOf": [
    {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "text"}}},
    {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "json_object"}}},
    {"type": "object", "required": ["type", "schema"], "properties": {"type": {"type": "string", "const": "json_schema"},
      "name": {"type": "string", "maxLength": 64}, "strict": {"type": "boolean"},
      "schema": {"$ref": "#/components/schemas/JsonSchema"}}}]}}},
  "reasoning": {"type": "object", "properties": {
    "effort": {"type": "string", "enum": ["none", "minimal", "low", "medium", "high", "xhigh"]}}},
  "truncation": {"type": "string", "enum": ["disabled"], "x-mend": "input that does not fit is refused, never cut"},
  "background": {"type": "boolean", "enum": [false], "x-mend": "this server answers at once"},
  "metadata": {"type": "object", "maxProperties": 16, "additionalProperties": {"type": "string", "maxLength": 512}},
  "priority": {"type": "integer", "minimum": -1000, "maximum": 1000},
  "user": {"type": "string", "maxLength": 1024}}}
})json";

}  // namespace

std::string_view openai_schemas_text() { return kSchemas; }

}  // namespace ponder
