#include "serve/requests.hpp"

#include <charconv>
#include <cmath>

#include "io/printable.hpp"
#include "serve/checked_json.hpp"
#include "serve/schema_check.hpp"
#include "serve/schemas.hpp"

namespace ponder {
namespace {

constexpr int kMostDepth = 100;  // of a body

SamplingFields parse_sampling(const OrderedJson& body) {
  SamplingFields fields;
  fields.temperature = number_in(body, "temperature");
  fields.top_p = number_in(body, "top_p");
  fields.min_p = number_in(body, "min_p");
  fields.typical_p = number_in(body, "typical_p");
  fields.presence_penalty = number_in(body, "presence_penalty");
  fields.frequency_penalty = number_in(body, "frequency_penalty");
  fields.repetition_penalty = number_in(body, "repetition_penalty");
  if (!fields.repetition_penalty) fields.repetition_penalty = number_in(body, "repeat_penalty");
  fields.top_k = integer_in(body, "top_k");
  if (const OrderedJson* seed = field_of(body, "seed")) {
    const bool wide = seed->is_number_unsigned();
    const int64_t value = integer_of(*seed);
    if (wide || value != -1)
      fields.seed = wide ? seed->get<uint64_t>() : static_cast<uint64_t>(value);
  }
  return fields;
}

Result<std::vector<std::pair<int32_t, float>>> parse_logit_bias(const OrderedJson& body) {
  std::vector<std::pair<int32_t, float>> bias;
  const OrderedJson* field = field_of(body, "logit_bias");
  if (field == nullptr) return bias;
  for (const auto& [key, value] : field->items()) {
    int32_t token = 0;
    const auto [end, problem] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (problem != std::errc() || end != key.data() + key.size() || token < 0)
      return Failure{{.what = "the keys must be token ids, " + printable(key) + " is none",
                      .where = "logit_bias"}};
    if (!value.is_null()) bias.emplace_back(token, value.get<float>());
  }
  return bias;
}

std::vector<std::string> parse_stop(const OrderedJson& body, std::string_view key) {
  const OrderedJson* field = field_of(body, key);
  if (field == nullptr) return {};
  if (field->is_string()) return {field->get<std::string>()};
  return field->get<std::vector<std::string>>();
}

Result<void> parse_streaming(const OrderedJson& body, GenerationFields& fields) {
  fields.stream = bool_in(body, "stream");
  const OrderedJson* options = field_of(body, "stream_options");
  if (options == nullptr) return {};
  if (!fields.stream)
    return Failure{{.what = "is only for streams",
                    .where = "stream_options",
                    .mend = "set stream to true or leave it out"}};
  fields.stream_usage = bool_in(*options, "include_usage");
  return {};
}

// One constraint, from whichever field named it.
void set_schema(OutputFormat& format, const OrderedJson& schema, std::string where) {
  format.kind = OutputFormat::Kind::kJsonSchema;
  format.schema = schema;
  format.where = std::move(where);
}

void set_text(OutputFormat& format, OutputFormat::Kind kind, const OrderedJson& text,
              std::string where) {
  format.kind = kind;
  format.text = text.get<std::string>();
  format.where = std::move(where);
}

void set_choices(OutputFormat& format, const OrderedJson& choices, std::string where) {
  format.kind = OutputFormat::Kind::kChoice;
  format.choices = choices.get<std::vector<std::string>>();
  format.where = std::move(where);
}

// OpenAI's response_format, and text.format of /v1/responses.
OutputFormat response_format(const OrderedJson& format, const std::string& where) {
  OutputFormat result;
  const std::string type = text_in(format, "type");
  if (type == "json_object") {
    result.kind = OutputFormat::Kind::kJsonObject;
    result.where = where;
    if (const OrderedJson* schema = field_of(format, "schema"))
      set_schema(result, *schema, where + ".schema");
  } else if (type == "json_schema") {
    if (const OrderedJson* wrapped = field_of(format, "json_schema"))
      set_schema(result, wrapped->at("schema"), where + ".json_schema.schema");
    else
      set_schema(result, format.at("schema"), where + ".schema");
  }
  return result;
}

// A schema that may be written as a text, as vLLM allows.
Result<OrderedJson> schema_or_text(const OrderedJson& value, const std::string& where) {
  if (!value.is_string()) return value;
  auto parsed = parse_ordered_json(value.get_ref<const std::string&>(), where, kMostDepth);
  if (!parsed.ok()) return Failure{{.what = parsed.error().what, .where = where}};
  return parsed;
}

Result<void> set_format(OutputFormat& format, std::string_view name, const OrderedJson& value,
                        const std::string& where) {
  if (name == "json") {
    set_schema(format, PONDER_TRY(schema_or_text(value, where)), where);
  } else if (name == "regex") {
    set_text(format, OutputFormat::Kind::kRegex, value, where);
  } else if (name == "grammar") {
    set_text(format, OutputFormat::Kind::kGrammar, value, where);
  } else if (name == "choice") {
    set_choices(format, value, where);
  } else if (name == "json_object" && value.get<bool>()) {
    format.kind = OutputFormat::Kind::kJsonObject;
    format.where = where;
  }
  return {};
}

}  // namespace

Result<OrderedJson> parse_body(std::string_view body, std::string_view schema) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return Failure{{.what = "the body is empty", .mend = "send a JSON object"}};
  auto parsed = parse_ordered_json(body, "body", kMostDepth);
  if (!parsed.ok()) {
    const Error& error = parsed.error();
    return Failure{{.what = error.where + ": " + error.what}};
  }
  const OrderedJson& expected = request_schemas().at(std::string(schema));
  PONDER_TRY(check_schema(parsed.value(), expected, request_schemas()));
  // What this API does not know has not been checked, but another one may know it.
  OrderedJson known = OrderedJson::object();
  for (auto& [name, value] : parsed.value().items())
    if (expected.at("properties").contains(name)) known[name] = std::move(value);
  return known;
}

std::string joined_text(const OrderedJson& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  for (const OrderedJson& part : content) {
    if (&part != &content.front()) text += '\n';
    text += text_in(part, "text");
  }
  return text;
}

std::optional<int64_t> effort_budget(std::string_view effort) {
  constexpr std::pair<std::string_view, int64_t> kBudgets[] = {
      {"none", 0}, {"minimal", 256}, {"low", 1024}, {"medium", 4096}, {"high", 16384}};
  for (const auto& [name, budget] : kBudgets)
    if (effort == name) return budget;
  return std::nullopt;
}

Result<GenerationFields> parse_generation(const OrderedJson& body) {
  GenerationFields fields;
  fields.model = text_in(body, "model");
  fields.sampling = parse_sampling(body);
  fields.sampling.logit_bias = PONDER_TRY(parse_logit_bias(body));
  for (const char* name : {"max_tokens", "max_output_tokens", "max_completion_tokens"})
    fields.max_tokens = integer_in(body, name).value_or(fields.max_tokens);
  fields.choices = static_cast<int>(integer_in(body, "n").value_or(1));
  fields.best_of = static_cast<int>(integer_in(body, "best_of").value_or(fields.choices));
  fields.stop = parse_stop(body, field_of(body, "stop_sequences") ? "stop_sequences" : "stop");
  if (const OrderedJson* tokens = field_of(body, "stop_token_ids"))
    fields.stop_tokens = tokens_of(*tokens);
  fields.ignore_end = bool_in(body, "ignore_eos");
  fields.priority = static_cast<int>(integer_in(body, "priority").value_or(0));
  PONDER_TRY(parse_streaming(body, fields));
  if (fields.best_of < fields.choices)
    return Failure{{.what = "is less than n", .where = "best_of"}};
  if (fields.best_of > fields.choices && fields.stream)
    return Failure{{.what = "cannot be more than n in a stream",
                    .where = "best_of",
                    .mend = "the best answer is known only at the end"}};
  return fields;
}

Result<OutputFormat> parse_output_format(const OrderedJson& body) {
  std::vector<OutputFormat> found;
  const auto take = [&](std::string_view name, const OrderedJson& value,
                        const std::string& where) -> Result<void> {
    OutputFormat format;
    PONDER_TRY(set_format(format, name, value, where));
    if (format.kind != OutputFormat::Kind::kText) found.push_back(std::move(format));
    return {};
  };
  if (const OrderedJson* format = field_of(body, "response_format")) {
    OutputFormat parsed = response_format(*format, "response_format");
    if (parsed.kind != OutputFormat::Kind::kText) found.push_back(std::move(parsed));
  }
  if (const OrderedJson* text = field_of(body, "text"); text != nullptr && text->is_object())
    if (const OrderedJson* format = field_of(*text, "format")) {
      OutputFormat parsed = response_format(*format, "text.format");
      if (parsed.kind != OutputFormat::Kind::kText) found.push_back(std::move(parsed));
    }
  for (const char* name : {"json", "regex", "grammar", "choice"})
    if (const std::string key = "guided_" + std::string(name); field_of(body, key) != nullptr)
      PONDER_TRY(take(name, *field_of(body, key), key));
  if (const OrderedJson* grammar = field_of(body, "grammar"))
    PONDER_TRY(take("grammar", *grammar, "grammar"));
  if (const OrderedJson* outputs = field_of(body, "structured_outputs"))
    for (const auto& [name, value] : outputs->items())
      if (!value.is_null()) PONDER_TRY(take(name, value, "structured_outputs." + name));
  if (found.size() > 1)
    return Failure{{.what = "cannot be had together with " + found[0].where,
                    .where = found[1].where,
                    .mend = "one form of the answer at a time"}};
  return found.empty() ? OutputFormat() : std::move(found.front());
}

Result<ThinkingChoice> parse_thinking(const OrderedJson& body) {
  ThinkingChoice choice;
  if (const OrderedJson* arguments = field_of(body, "chat_template_kwargs"))
    for (const char* name : {"thinking", "enable_thinking"})
      if (field_of(*arguments, name) != nullptr) choice.enabled = bool_in(*arguments, name);
  std::string effort = text_in(body, "reasoning_effort");
  if (const OrderedJson* reasoning = field_of(body, "reasoning");
      reasoning && reasoning->is_object())
    effort = text_in(*reasoning, "effort");
  if (!effort.empty()) choice.budget = effort_budget(effort);
  for (const char* name : {"thinking_token_budget", "max_thinking_tokens"})
    if (const auto budget = integer_in(body, name))
      choice.budget = *budget < 0 ? std::nullopt : budget;
  if (choice.budget == 0) {
    if (!choice.enabled.value_or(false)) choice.enabled = false;
  }
  return choice;
}

SamplingOptions make_sampling(const SamplingFields& fields, bool reasons, uint64_t random_seed) {
  SamplingOptions options;
  options.temperature = static_cast<float>(fields.temperature.value_or(reasons ? 0.6 : 0.7));
  options.top_p = static_cast<float>(fields.top_p.value_or(reasons ? 0.95 : 0.8));
  options.top_k = static_cast<int>(std::max<int64_t>(fields.top_k.value_or(reasons ? 0 : 20), 0));
  options.min_p = static_cast<float>(fields.min_p.value_or(0.0));
  options.repeat_penalty = static_cast<float>(fields.repetition_penalty.value_or(1.0));
  options.presence_penalty = static_cast<float>(fields.presence_penalty.value_or(0.0));
  options.frequency_penalty = static_cast<float>(fields.frequency_penalty.value_or(0.0));
  options.typical_p = static_cast<float>(fields.typical_p.value_or(1.0));
  options.logit_bias = fields.logit_bias;
  options.seed = fields.seed.value_or(random_seed);
  return options;
}

}  // namespace ponder
