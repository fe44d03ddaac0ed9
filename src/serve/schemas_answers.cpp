#include "serve/schemas.hpp"

namespace ponder {
namespace {

constexpr std::string_view kSchemas = R"json({
"Health": {"type": "object", "required": ["status"], "properties": {"status": {"type": "string", "const": "ok"}}},
"Ready": {"type": "object", "required": ["status", "models"], "properties": {
  "status": {"type": "string", "enum": ["ready", "loading", "failed"]},
  "models": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["id", "state"], "properties": {
    "id": {"type": "string"}, "state": {"$ref": "#/components/schemas/ModelState"},
    "progress": {"type": "number", "minimum": 0, "maximum": 1}}}}}},
"OpenApi": {"type": "object", "required": ["openapi", "info", "paths", "components"]},
"ModelState": {"type": "string", "enum": ["unloaded", "loading", "loaded", "failed"]},
"Model": {"type": "object", "required": ["id", "object", "created", "owned_by", "state", "memory_bytes"], "properties": {
  "id": {"type": "string", "minLength": 1},
  "object": {"type": "string", "const": "model"},
  "created": {"type": "integer", "minimum": 0},
  "owned_by": {"type": "string"},
  "state": {"$ref": "#/components/schemas/ModelState"},
  "memory_bytes": {"type": "integer", "minimum": 0},
  "progress": {"type": "number", "minimum": 0, "maximum": 1},
  "problem": {"type": "string"},
  "max_model_len": {"type": "integer", "minimum": 1},
  "meta": {"type": "object"}}},
"ModelList": {"type": "object", "required": ["object", "data"], "properties": {
  "object": {"type": "string", "const": "list"},
  "data": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Model"}}}},
"Count": {"type": "integer", "minimum": 0},
"Usage": {"type": "object",
  "required": ["prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"],
  "properties": {
    "prompt_tokens": {"$ref": "#/components/schemas/Count"},
    "completion_tokens": {"$ref": "#/components/schemas/Count"},
    "total_tokens": {"$ref": "#/components/schemas/Count"},
    "prompt_tokens_details": {"type": "object", "required": ["cached_tokens"], "properties": {
      "cached_tokens": {"$ref": "#/components/schemas/Count"}}},
    "completion_tokens_details": {"type": "object", "required": ["reasoning_tokens"], "properties": {
      "reasoning_tokens": {"$ref": "#/components/schemas/Count"}}}}},
"Timings": {"type": "object", "required": ["prompt_n", "prompt_ms", "predicted_n", "predicted_ms"],
  "additionalProperties": {"type": "number", "minimum": 0}},
"LikelyToken": {"type": "object", "required": ["token", "logprob", "bytes"], "properties": {
  "token": {"type": "string"},
  "logprob": {"type": "number", "minimum": -9999},
  "bytes": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}}},
"ChosenToken": {"type": "object", "required": ["token", "logprob", "bytes", "top_logprobs"], "properties": {
  "token": {"type": "string"},
  "logprob": {"type": "number", "minimum": -9999},
  "bytes": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}},
  "top_logprobs": {"type": "array", "maxItems": 20, "items": {"$ref": "#/components/schemas/LikelyToken"}}}},
"ChosenTokens": {"type": "array", "items": {"$ref": "#/components/schemas/ChosenToken"}},
"AnswerMessage": {"type": "object", "required": ["role", "content", "refusal"], "properties": {
  "role": {"type": "string", "const": "assistant"},
  "content": {"type": ["string", "null"], "description": "null beside calls of tools"},
  "refusal": {"type": "null"},
  "reasoning_content": {"type": "string"},
  "reasoning": {"type": "string", "description": "The same as reasoning_content."},
  "tool_calls": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["id", "type", "function"],
    "properties": {
      "id": {"type": "string", "minLength": 1},
      "type": {"type": "string", "const": "function"},
      "function": {"type": "object", "required": ["name", "arguments"], "properties": {
        "name": {"type": "string"}, "arguments": {"type": "string"}}}}}}}},
"ChatCompletion": {"type": "object",
  "required": ["id", "object", "created", "model", "system_fingerprint", "choices", "usage", "seed", "timings"],
  "properties": {
    "id": {"type": "string", "minLength": 1},
    "object": {"type": "string", "const": "chat.completion"},
    "created": {"type": "integer", "minimum": 0},
    "model": {"type": "string"},
    "system_fingerprint": {"type": "string"},
    "choices": {"type": "array", "minItems": 1, "items": {"type": "object",
      "required": ["index", "message", "logprobs", "finish_reason"], "properties": {
        "index": {"$ref": "#/components/schemas/Count"},
        "message": {"$ref": "#/components/schemas/AnswerMessage"},
        "logprobs": {"type": ["object", "null"], "required": ["content", "refusal"], "properties": {
          "content": {"$ref": "#/components/schemas/ChosenTokens"},
          "refusal": {"type": "null"},
          "reasoning_content": {"$ref": "#/components/schemas/ChosenTokens"}}},
        "finish_reason": {"type": "string", "enum": ["stop", "length", "tool_calls"]}}}},
    "usage": {"$ref": "#/components/schemas/Usage"},
    "seed": {"$ref": "#/components/schemas/Count"},
    "timings": {"$ref": "#/components/schemas/Timings"}}},
"Completion": {"type": "object",
  "required": ["id", "object", "created", "model", "system_fingerprint", "choices", "usage", "seed", "timings"],
  "properties": {
    "id": {"type": "string", "minLength": 1},
    "object": {"type": "string", "const": "text_completion"},
    "created": {"type": "integer", "minimum": 0},
    "model": {"type": "string"},
    "system_fingerprint": {"type": "string"},
    "choices": {"type": "array", "minItems": 1, "items": {"type": "object",
      "required": ["index", "text", "logprobs", "finish_reason"], "properties": {
        "index": {"$ref": "#/components/schemas/Count"},
        "text": {"type": "string"},
        "logprobs": {"type": ["object", "null"],
          "required": ["tokens", "token_logprobs", "top_logprobs", "text_offset"], "properties": {
            "tokens": {"type": "array", "items": {"type": "string"}},
            "token_logprobs": {"type": "array", "items": {"type": ["number", "null"]}},
            "top_logprobs": {"type": ["array", "null"], "items": {"type": ["object", "null"],
              "additionalProperties": {"type": ["number", "null"]}}},
            "text_offset": {"type": "array", "items": {"$ref": "#/components/schemas/Count"}}}},
        "finish_reason": {"type": "string", "enum": ["stop", "length"]}}}},
    "usage": {"$ref": "#/components/schemas/Usage"},
    "seed": {"$ref": "#/components/schemas/Count"},
    "timings": {"$ref": "#/components/schemas/Timings"}}},
"Embeddings": {"type": "object", "required": ["object", "data", "model", "usage", "warning"], "properties": {
  "object": {"type": "string", "const": "list"},
  "data": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["object", "index", "embedding"],
    "properties": {
      "object": {"type": "string", "const": "embedding"},
      "index": {"$ref": "#/components/schemas/Count"},
      "embedding": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "number"}}]}}}},
  "model": {"type": "string"},
  "usage": {"type": "object", "required": ["prompt_tokens", "total_tokens"], "properties": {
    "prompt_tokens": {"$ref": "#/components/schemas/Count"}, "total_tokens": {"$ref": "#/components/schemas/Count"}}},
  "warning": {"type": "string"}}},
"ResponseOutput": {"anyOf": [
  {"type": "object", "required": ["id", "type", "role", "content", "status"], "properties": {
    "id": {"type": "string"}, "type": {"type": "string", "const": "message"},
    "role": {"type": "string", "const": "assistant"},
    "status": {"type": "string", "enum": ["completed", "incomplete"]},
    "content": {"type": "array", "items": {"type": "object", "required": ["type", "text", "annotations", "logprobs"],
      "properties": {
        "type": {"type": "string", "const": "output_text"}, "text": {"type": "string"},
        "annotations": {"type": "array", "maxItems": 0},
        "logprobs": {"$ref": "#/components/schemas/ChosenTokens"}}}}}},
  {"type": "object", "required": ["id", "type", "summary", "content", "status"], "properties": {
    "id": {"type": "string"}, "type": {"type": "string", "const": "reasoning"},
    "summary": {"type": "array", "maxItems": 0},
    "status": {"type": "string", "enum": ["completed", "incomplete"]},
    "content": {"type": "array", "items": {"type": "object", "required": ["type", "text"], "properties": {
      "type": {"type": "string", "const": "reasoning_text"}, "text": {"type": "string"}}}}}},
  {"type": "object", "required": ["id", "type", "call_id", "name", "arguments", "status"], "properties": {
    "id": {"type": "string"}, "type": {"type": "string", "const": "function_call"}, "call_id": {"type": "string"},
    "name": {"type": "string"}, "arguments": {"type": "string"},
    "status": {"type": "string", "enum": ["completed", "incomplete"]}}}]},
"Response": {"type": "object",
  "required": ["id", "object", "created_at", "status", "error", "incomplete_details", "model", "output", "usage", "seed",
    "instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "previous_response_id", "reasoning", "text",
    "tool_choice", "tools", "truncation", "user", "store"],
  "properties": {
    "id": {"type": "string", "minLength": 1},
    "object": {"type": "string", "const": "response"},
    "created_at": {"type": "integer", "minimum": 0},
    "status": {"type": "string", "enum": ["completed", "incomplete"]},
    "error": {"type": "null"},
    "incomplete_details": {"type": ["object", "null"], "required": ["reason"], "properties": {
      "reason": {"type": "string", "const": "max_output_tokens"}}},
    "model": {"type": "string"},
    "output": {"type": "array", "items": {"$ref": "#/components/schemas/ResponseOutput"}},
    "usage": {"type": "object",
      "required": ["input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details", "total_tokens"],
      "properties": {
        "input_tokens": {"$ref": "#/components/schemas/Count"},
        "input_tokens_details": {"type": "object", "required": ["cached_tokens"], "properties": {
          "cached_tokens": {"$ref": "#/components/schemas/Count"}}},
        "output_tokens": {"$ref": "#/components/schemas/Count"},
        "output_tokens_details": {"type": "object", "required": ["reasoning_tokens"], "properties": {
          "reasoning_tokens": {"$ref": "#/components/schemas/Count"}}},
        "total_tokens": {"$ref": "#/components/schemas/Count"}}},
    "seed": {"$ref": "#/components/schemas/Count"},
    "instructions": {"type": ["string", "null"]},
    "max_output_tokens": {"type": ["integer", "null"]},
    "metadata": {"type": "object"},
    "parallel_tool_calls": {"type": "boolean"},
    "previous_response_id": {"type": ["string", "null"]},
    "reasoning": {"type": ["object", "null"]},
    "text": {"type": "object"},
    "tool_choice": {"type": ["string", "object"]},
    "tools": {"type": "array", "items": {"type": "object"}},
    "truncation": {"type": "string", "const": "disabled"},
    "user": {"type": ["string", "null"]},
    "store": {"type": "boolean"}}},
"ResponseDeleted": {"type": "object", "required": ["id", "object", "deleted"], "properties": {
  "id": {"type": "string"}, "object": {"type": "string", "const": "response"}, "deleted": {"type": "boolean", "const": true}}},
"Message": {"type": "object",
  "required": ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"], "properties": {
    "id": {"type": "string", "minLength": 1},
    "type": {"type": "string", "const": "message"},
    "role": {"type": "string", "const": "assistant"},
    "model": {"type": "string"},
    "content": {"type": "array", "items": {"anyOf": [
      {"type": "object", "required": ["type", "text"], "properties": {
        "type": {"type": "string", "const": "text"}, "text": {"type": "string"}}},
      {"type": "object", "required": ["type", "thinking", "signature"], "properties": {
        "type": {"type": "string", "const": "thinking"}, "thinking": {"type": "string"}, "signature": {"type": "string"}}},
      {"type": "object", "required": ["type", "id", "name", "input"], "properties": {
        "type": {"type": "string", "const": "tool_use"}, "id": {"type": "string"}, "name": {"type": "string"},
        "input": {"type": "object"}}}]}},
    "stop_reason": {"type": "string", "enum": ["end_turn", "max_tokens", "stop_sequence", "tool_use"]},
    "stop_sequence": {"type": ["string", "null"]},
    "usage": {"type": "object",
      "required": ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"],
      "additionalProperties": {"$ref": "#/components/schemas/Count"}}}},
"TokenCount": {"type": "object", "required": ["input_tokens"], "properties": {
  "input_tokens": {"$ref": "#/components/schemas/Count"}}},
"Tokens": {"type": "object", "required": ["tokens", "count", "max_model_len"], "properties": {
  "tokens": {"type": "array", "items": {"anyOf": [{"type": "integer", "minimum": 0},
    {"type": "object", "required": ["id", "piece"], "properties": {
      "id": {"type": "integer", "minimum": 0},
      "piece": {"anyOf": [{"type": "string"},
        {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}],
        "description": "Its bytes, where they are no text of their own."}}}]}},
  "count": {"$ref": "#/components/schemas/Count"},
  "max_model_len": {"type": "integer", "minimum": 1}}},
"TextOfTokens": {"type": "object", "required": ["content", "prompt"], "properties": {
  "content": {"type": "string"}, "prompt": {"type": "string"}}},
"RenderedPrompt": {"type": "object", "required": ["prompt"], "properties": {"prompt": {"type": "string"}}},
"Prefix": {"type": "object", "required": ["id", "object", "model", "name"], "properties": {
  "id": {"type": "string"}, "object": {"type": "string", "const": "prefix"}, "model": {"type": "string"},
  "name": {"type": "string"}, "tokens": {"$ref": "#/components/schemas/Count"},
  "bytes": {"$ref": "#/components/schemas/Count"}}},
"PrefixList": {"type": "object", "required": ["object", "data"], "properties": {
  "object": {"type": "string", "const": "list"},
  "data": {"type": "array", "items": {"$ref": "#/components/schemas/Prefix"}}}},
"PrefixDeleted": {"type": "object", "required": ["id", "object", "deleted"], "properties": {
  "id": {"type": "string"}, "object": {"type": "string", "const": "prefix"}, "deleted": {"type": "boolean", "const": true}}},
"Error": {"type": "object", "required": ["error"], "properties": {
  "error": {"type": "object", "required": ["message", "type", "param", "code"], "properties": {
    "message": {"type": "string", "minLength": 1},
    "type": {"type": "string", "minLength": 1},
    "param": {"type": ["string", "null"], "description": "The field that is wrong."},
    "code": {"type": ["string", "null"]}}}}},
"MessageError": {"type": "object", "required": ["type", "error"], "properties": {
  "type": {"type": "string", "const": "error"},
  "error": {"type": "object", "required": ["type", "message"], "properties": {
    "type": {"type": "string", "minLength": 1}, "message": {"type": "string", "minLength": 1}}}}}
})json";

}  // namespace

const OrderedJson& answer_schemas() {
  static const OrderedJson schemas = OrderedJson::parse(kSchemas);
  return schemas;
}

}  // namespace ponder
