#include "serve/steering.hpp"

namespace ponder {
namespace {

using Source = ConstraintSource;

std::optional<Source> format_source(const OutputFormat& format) {
  switch (format.kind) {
    case OutputFormat::Kind::kText:
      return std::nullopt;
    case OutputFormat::Kind::kJsonObject:
      return Source::json_object();
    case OutputFormat::Kind::kJsonSchema:
      return Source::json_schema(format.schema.dump());
    case OutputFormat::Kind::kRegex:
      return Source::regex(format.text);
    case OutputFormat::Kind::kChoice:
      return Source::choice(format.choices);
    case OutputFormat::Kind::kGrammar:
      return Source::grammar(format.text);
  }
  PONDER_CHECK(false);
}

void add_marker(std::vector<Source>& parts, const std::string& text) {
  if (!text.empty()) parts.push_back(Source::marker(text));
}

// One call, without what begins it.
Source call_rest(const ToolCallForm& form, const std::vector<const Tool*>& tools) {
  std::vector<Source> calls;
  for (const Tool* tool : tools) {
    std::vector<Source> parts = {Source::literal(tool->name)};
    add_marker(parts, form.middle);
    parts.push_back(Source::json_schema(tool->parameters.dump()));
    add_marker(parts, form.call_end);
    calls.push_back(Source::sequence(std::move(parts)));
  }
  return calls.size() == 1 ? std::move(calls.front()) : Source::any_of(std::move(calls));
}

constexpr int64_t kMostCalls = 16;  // in one answer: small models repeat themselves

// What follows the first call_begin: that call, others, and the end of the list.
Source calls_rest(const ToolCallForm& form, const std::vector<const Tool*>& tools, bool parallel) {
  std::vector<Source> parts = {call_rest(form, tools)};
  if (parallel) {
    std::vector<Source> more;
    add_marker(more, form.between);
    add_marker(more, form.call_begin);
    more.push_back(call_rest(form, tools));
    parts.push_back(Source::repeat(Source::sequence(std::move(more)), 0, kMostCalls - 1));
  }
  add_marker(parts, form.list_end);
  return Source::sequence(std::move(parts));
}

Source calls_source(const ToolCallForm& form, const std::vector<const Tool*>& tools,
                    bool parallel) {
  std::vector<Source> parts;
  add_marker(parts, form.list_begin + form.call_begin);
  parts.push_back(calls_rest(form, tools, parallel));
  return Source::sequence(std::move(parts));
}

Result<std::optional<Source>> answer_source(const ChatRequest& request, ToolFormat tool_format) {
  std::optional<Source> format = format_source(request.format);
  if (request.tools.empty()) return format;
  const bool forced = request.tool_choice.kind == ToolChoice::Kind::kRequired ||
                      request.tool_choice.kind == ToolChoice::Kind::kNamed;
  if (tool_format == ToolFormat::kNone) {
    if (!forced) return format;
    return Failure{{.what = "this model has no way to write calls", .where = "tool_choice"}};
  }
  std::vector<const Tool*> tools;
  for (const Tool& tool : request.tools)
    if (request.tool_choice.kind != ToolChoice::Kind::kNamed ||
        tool.name == request.tool_choice.name)
      tools.push_back(&tool);
  const ToolCallForm form = tool_call_form(tool_format);
  // Under force a small model would write call after call: several only if the client said so.
  const bool several = request.parallel_calls.value_or(!forced);
  if (forced) return {calls_source(form, tools, several)};
  if (format) return {Source::any_of({std::move(*format), calls_source(form, tools, several)})};
  // Free to call or not: only the arguments of a strict tool's call are bound, where a mark tells
  // that one begins.
  const std::string trigger = form.list_begin + form.call_begin;
  if (!request.strict_tools || tool_format == ToolFormat::kLlama3) return format;
  return {Source::free_text(trigger, calls_rest(form, tools, several), true)};
}

// The error names the field that the constraint came from.
Result<std::shared_ptr<const Constraint>> compile(const ServedModel& model, const Source& source,
                                                  const std::string& where) {
  auto compiled = model.constraints->get(source);
  if (compiled.ok()) return compiled;
  Error error = std::move(compiled).take_error();
  error.what = (error.where.empty() ? "" : error.where + ": ") + error.what;
  error.where = where;
  return Failure{std::move(error)};
}

}  // namespace

Result<Steering> steer_chat(const ChatRequest& request, const ServedModel& model,
                            const ThoughtOptions& thoughts) {
  Steering steering;
  const std::optional<Source> source =
      PONDER_TRY(answer_source(request, model.chat_template.value().tool_format()));
  std::shared_ptr<const Constraint> constraint;
  if (source) {
    const std::string where = request.format.where.empty() ? "tools" : request.format.where;
    constraint = PONDER_TRY(compile(model, *source, where));
    steering.constrained = true;
  }
  ThinkingOptions options{.thoughts = thoughts,
                          .wanted = request.thinking.enabled.value_or(true),
                          .budget = request.thinking.budget};
  const bool bounded = thoughts.reasons && (!options.wanted || options.budget.has_value());
  if (!constraint && !bounded) return steering;
  if (constraint) options.thoughts.think_again = false;
  steering.make_guide = [tokenizer = model.tokenizer, options, constraint] {
    return std::make_unique<ThinkingGuide>(tokenizer, options,
                                           constraint ? constraint->make_guide() : nullptr);
  };
  return steering;
}

Result<GuideMaker> steer_text(const OutputFormat& format, const ServedModel& model) {
  const std::optional<Source> source = format_source(format);
  if (!source) return GuideMaker();
  const auto constraint = PONDER_TRY(compile(model, *source, format.where));
  return GuideMaker([constraint] { return constraint->make_guide(); });
}

}  // namespace ponder
