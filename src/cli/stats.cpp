#include "cli/stats.hpp"

#include <charconv>

#include "cli/format_text.hpp"
#include "cli/json_output.hpp"
#include "cli/sampling_flags.hpp"
#include "cli/terminal.hpp"

namespace ponder {
namespace {

// The double that prints like the float: 0.6, not 0.6000000238418579.
double printed(float value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  double result = 0;
  std::from_chars(digits, end, result);
  return result;
}

}  // namespace

std::string stats_text(const RunStats& stats, bool style) {
  const AnswerStats& a = stats.answer;
  std::string reused, thought, drafts;
  if (a.reused_tokens > 0) reused = " (" + std::to_string(a.reused_tokens) + " from the cache)";
  if (a.thinking_seconds > 0) thought = "thought   " + format_duration(a.thinking_seconds) + "\n";
  if (a.drafts.drafted > 0)
    drafts = "drafts    " + std::to_string(a.drafts.drafted) + " tokens, " +
             std::to_string(a.drafts.accepted) + " of them accepted, " +
             format_rate(tokens_per_pass(a)) + " tokens per forward pass\n";
  const std::string text =
      "load      " + format_duration(stats.load_seconds) + "\n" +                               //
      "prompt    " + std::to_string(a.prompt_tokens) + " tokens" + reused + ", " +              //
      format_rate(prompt_rate(a)) + " tokens/s\n" +                                             //
      thought +                                                                                 //
      "decode    " + std::to_string(a.decode_tokens) + " tokens, " +                            //
      format_rate(decode_rate(a)) + " tokens/s\n" +                                             //
      drafts +                                                                                  //
      "memory    " + format_bytes(static_cast<double>(peak_memory())) + " at most, " +          //
      format_bytes(static_cast<double>(stats.cache_bytes)) + " of it for " +                    //
      std::to_string(stats.context) + " tokens of context\n" +                                  //
      "sampling  " + describe_sampling(stats.sampling) + "\n" +                                 //
      "machine   " + std::string(isa_name(stats.isa)) + ", " + std::to_string(stats.threads) +  //
      (stats.threads == 1 ? " thread\n" : " threads\n");
  return dimmed(text, style);
}

std::string answer_json(const Answer& answer, const RunStats& stats) {
  const AnswerStats& a = stats.answer;
  const SamplingOptions& s = stats.sampling;
  const OutputJson object = {{"text", answer.text},
                             {"reasoning", answer.reasoning},
                             {"tokens", answer.tokens},
                             {"finish_reason", finish_reason_name(answer.reason)},
                             {"stats",
                              {{"load_seconds", stats.load_seconds},
                               {"prompt_tokens", a.prompt_tokens},
                               {"prompt_tokens_reused", a.reused_tokens},
                               {"prompt_seconds", a.prompt_seconds},
                               {"prompt_tokens_per_second", prompt_rate(a)},
                               {"decode_tokens", a.decode_tokens},
                               {"decode_seconds", a.decode_seconds},
                               {"decode_tokens_per_second", decode_rate(a)},
                               {"forward_passes", a.drafts.passes},
                               {"drafted_tokens", a.drafts.drafted},
                               {"accepted_tokens", a.drafts.accepted},
                               {"tokens_per_forward_pass", tokens_per_pass(a)},
                               {"thinking_seconds", a.thinking_seconds},
                               {"peak_memory_bytes", peak_memory()},
                               {"cache_bytes", stats.cache_bytes},
                               {"context", stats.context},
                               {"isa", isa_name(stats.isa)},
                               {"threads", stats.threads}}},
                             {"sampling",
                              {{"temperature", printed(s.temperature)},
                               {"top_k", s.top_k},
                               {"top_p", printed(s.top_p)},
                               {"min_p", printed(s.min_p)},
                               {"repeat_penalty", printed(s.repeat_penalty)},
                               {"presence_penalty", printed(s.presence_penalty)},
                               {"frequency_penalty", printed(s.frequency_penalty)},
                               {"seed", s.seed}}}};
  return json_text(object);
}

}  // namespace ponder
