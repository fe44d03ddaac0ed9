#include "serve/schemas.hpp"

namespace ponder {
namespace {

constexpr std::string_view kSchemas = R"json({
"MessageText": {"type": "object", "required": ["type", "text"], "properties": {
  "type": {"type": "string", "const": "text"}, "text": {"type": "string"}}},
"MessageBlock": {"anyOf": [
  {"$ref": "#/components/schemas/MessageText"},
  {"type": "object", "required": ["type", "thinking"], "properties": {
    "type": {"type": "string", "const": "thinking"}, "thinking": {"type": "string"}, "signature": {"type": "string"}}},
  {"type": "object", "required": ["type"], "properties": {
    "type": {"type": "string", "const": "redacted_thinking"}}},
  {"type": "object", "required": ["type", "id", "name", "input"], "properties": {
    "type": {"type": "string", "const": "tool_use"}, "id": {"type": "string", "maxLength": 256},
    "name": {"$ref": "#/components/schemas/ToolName"}, "input": {"type": "object"}}},
  {"type": "object", "required": ["type", "tool_use_id"], "properties": {
    "type": {"type": "string", "const": "tool_result"}, "tool_use_id": {"type": "string", "maxLength": 256},
    "content": {"$ref": "#/components/schemas/TextContent"}, "is_error": {"type": "boolean"}}}],
  "x-mend": "this server reads text only: no images or documents"},
"MessageInput": {"type": "object", "required": ["role", "content"], "properties": {
  "role": {"type": "string", "enum": ["user", "assistant", "system"]},
  "content": {"anyOf": [{"type": "string"},
    {"type": "array", "maxItems": 4096, "items": {"$ref": "#/components/schemas/MessageBlock"}}]}}},
"MessageTool": {"type": "object", "required": ["name", "input_schema"], "properties": {
  "type": {"type": "string", "enum": ["custom"], "x-mend": "this server has no tools of its own"},
  "name": {"$ref": "#/components/schemas/ToolName"},
  "description": {"type": "string", "maxLength": 65536},
  "input_schema": {"type": "object"}}},
"MessageToolChoice": {"anyOf": [
  {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "auto"},
    "disable_parallel_tool_use": {"type": "boolean"}}},
  {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "any"},
    "disable_parallel_tool_use": {"type": "boolean"}}},
  {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "none"}}},
  {"type": "object", "required": ["type", "name"], "properties": {"type": {"type": "string", "const": "tool"},
    "name": {"$ref": "#/components/schemas/ToolName"}, "disable_parallel_tool_use": {"type": "boolean"}}}]},
"MessageThinking": {"anyOf": [
  {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "enabled"},
    "budget_tokens": {"type": "integer", "minimum": 0, "maximum": 9007199254740991}}},
  {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "adaptive"}}},
  {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "disabled"}}}]},
"CountTokensRequest": {"type": "object", "required": ["messages"], "properties": {
  "model": {"type": "string", "minLength": 1, "maxLength": 512},
  "messages": {"type": "array", "minItems": 1, "maxItems": 16384, "items": {"$ref": "#/components/schemas/MessageInput"}},
  "system": {"$ref": "#/components/schemas/TextContent"},
  "tools": {"type": "array", "maxItems": 128, "items": {"$ref": "#/components/schemas/MessageTool"}},
  "tool_choice": {"$ref": "#/components/schemas/MessageToolChoice"},
  "thinking": {"$ref": "#/components/schemas/MessageThinking"}}},
"MessageRequest": {"type": "object", "required": ["messages", "max_tokens"], "x-include": ["sampling"], "properties": {
  "messages": {"type": "array", "minItems": 1, "maxItems": 16384, "items": {"$ref": "#/components/schemas/MessageInput"}},
  "system": {"$ref": "#/components/schemas/TextContent"},
  "max_tokens": {"type": "integer", "minimum": 1, "maximum": 9007199254740991},
  "stop_sequences": {"type": "array", "maxItems": 16, "items": {"type": "string", "minLength": 1, "maxLength": 1024}},
  "stream": {"type": "boolean"},
  "seed": {"type": "integer", "minimum": -9223372036854775808, "maximum": 18446744073709551615},
  "tools": {"type": "array", "maxItems": 128, "items": {"$ref": "#/components/schemas/MessageTool"}},
  "tool_choice": {"$ref": "#/components/schemas/MessageToolChoice"},
  "thinking": {"$ref": "#/components/schemas/MessageThinking"},
  "metadata": {"type": "object", "properties": {"user_id": {"type": "string", "maxLength": 1024}}}}},
"TokenizeRequest": {"type": "object", "properties": {
  "model": {"type": "string", "minLength": 1, "maxLength": 512},
  "content": {"type": "string"},
  "prompt": {"type": "string", "description": "The same as content."},
  "add_special": {"type": "boolean", "description": "Put the beginning-of-sequence token first, if the model has one. Default: false."},
  "parse_special": {"type": "boolean", "description": "Names of special tokens stand for these. Default: true."},
  "with_pieces": {"type": "boolean"}}},
"DetokenizeRequest": {"type": "object", "required": ["tokens"], "properties": {
  "model": {"type": "string", "minLength": 1, "maxLength": 512},
  "tokens": {"type": "array", "maxItems": 1048576, "items": {"$ref": "#/components/schemas/TokenId"}}}},
"ApplyTemplateRequest": {"type": "object", "required": ["messages"], "x-include": ["thinking"], "properties": {
  "model": {"type": "string", "minLength": 1, "maxLength": 512},
  "messages": {"$ref": "#/components/schemas/ChatMessages"},
  "tools": {"$ref": "#/components/schemas/Tools"},
  "add_generation_prompt": {"type": "boolean"},
  "continue_final_message": {"type": "boolean"}}},
"PrefixRequest": {"type": "object", "required": ["name"], "x-include": ["thinking"], "properties": {
  "model": {"type": "string", "minLength": 1, "maxLength": 512},
  "name": {"type": "string", "minLength": 1, "maxLength": 64, "description": "Letters, digits, '-', '_' and '.'."},
  "prompt": {"anyOf": [{"type": "string"},
    {"type": "array", "minItems": 1, "maxItems": 1048576, "items": {"$ref": "#/components/schemas/TokenId"}}]},
  "messages": {"$ref": "#/components/schemas/ChatMessages"},
  "tools": {"$ref": "#/components/schemas/Tools"}}}
})json";

}  // namespace

std::string_view other_schemas_text() { return kSchemas; }

}  // namespace ponder
