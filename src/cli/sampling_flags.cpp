#include "cli/sampling_flags.hpp"

#include <sys/random.h>

#include <CLI/CLI.hpp>

#include "cli/flags.hpp"
#include "cli/format_text.hpp"
#include "serve/requests.hpp"

namespace ponder {
namespace {

struct Setting {
  const char* name;
  std::optional<double> SamplingFlags::*member;
  double least, most;
  bool whole;
  const char* help;
};

constexpr Setting kSettings[] = {
    {"temperature", &SamplingFlags::temperature, 0, 10, false,
     "Higher is more varied; 0: always the likeliest token"},
    {"top-k", &SamplingFlags::top_k, 0, 1e6, true, "Choose among the K likeliest tokens; 0: all"},
    {"top-p", &SamplingFlags::top_p, 0, 1, false,
     "Choose among the likeliest tokens that make up this probability"},
    {"min-p", &SamplingFlags::min_p, 0, 1, false,
     "Leave out tokens less likely than this share of the likeliest one"},
    {"repeat-penalty", &SamplingFlags::repeat_penalty, 0.01, 100, false,
     "Divide the logits of tokens that were there; 1: off"},
    {"presence-penalty", &SamplingFlags::presence_penalty, -100, 100, false,
     "Subtract this from the logits of tokens that were there"},
    {"frequency-penalty", &SamplingFlags::frequency_penalty, -100, 100, false,
     "Subtract this for each time that a token was there"},
};

uint64_t random_seed() {
  // 32 bits are enough to differ and short enough to type again.
  uint32_t seed = 0;
  const auto bytes = ::getrandom(&seed, sizeof seed, GRND_NONBLOCK);
  return bytes == sizeof seed ? seed : 0;
}

}  // namespace

void add_sampling_flags(CLI::App& command, SamplingFlags& flags) {
  const auto add = [&](const std::string& name, const char* help) {
    const auto parse = [name](const std::string& text) {
      SamplingFlags scratch;
      return set_sampling(scratch, name, text);
    };
    const auto set = [&flags, name](const std::string& text) {
      PONDER_CHECK(set_sampling(flags, name, text).ok());  // as parse() has found
    };
    command.add_option_function<std::string>("--" + name, set, help)
        ->check(checked_by(parse))
        ->type_name("X")
        ->group("Sampling");
  };
  for (const Setting& setting : kSettings) add(setting.name, setting.help);
  add("seed", "Start of the random numbers: the same seed gives the same answer");
  command
      .add_flag_function(
          "--greedy", [&flags](int64_t) { flags.temperature = 0; },
          "Always the likeliest token: --temperature 0")
      ->excludes("--temperature")
      ->group("Sampling");
}

Result<void> set_sampling(SamplingFlags& flags, std::string_view name, std::string_view text) {
  if (name == "seed") {
    flags.seed = PONDER_TRY(parse_seed(text, "seed"));
    return {};
  }
  for (const Setting& setting : kSettings) {
    if (name != setting.name) continue;
    if (setting.whole) {
      const int64_t value =
          PONDER_TRY(parse_integer(text, static_cast<int64_t>(setting.least),
                                   static_cast<int64_t>(setting.most), setting.name));
      flags.*setting.member = static_cast<double>(value);
    } else {
      flags.*setting.member =
          PONDER_TRY(parse_number(text, setting.least, setting.most, setting.name));
    }
    return {};
  }
  return Failure{{.what = "unknown setting", .where = std::string(name)}};
}

std::vector<std::string> sampling_names() {
  std::vector<std::string> names;
  for (const Setting& setting : kSettings) names.emplace_back(setting.name);
  names.emplace_back("seed");
  return names;
}

SamplingOptions choose_sampling(const SamplingFlags& flags, bool reasons) {
  SamplingFields fields;
  fields.temperature = flags.temperature;
  fields.top_p = flags.top_p;
  fields.min_p = flags.min_p;
  fields.repetition_penalty = flags.repeat_penalty;
  fields.presence_penalty = flags.presence_penalty;
  fields.frequency_penalty = flags.frequency_penalty;
  if (flags.top_k) fields.top_k = static_cast<int64_t>(*flags.top_k);
  fields.seed = flags.seed;
  return make_sampling(fields, reasons, flags.seed ? 0 : random_seed());
}

std::string describe_sampling(const SamplingOptions& options) {
  std::string text;
  const auto add = [&](const char* name, double value, double off) {
    if (value == off) return;
    char number[64];
    std::snprintf(number, sizeof number, "%s %.4g, ", name, value);
    text += number;
  };
  if (options.temperature == 0) {
    text = "greedy, ";
  } else {
    add("temperature", options.temperature, -1);
    add("top-k", options.top_k, 0);
    add("top-p", options.top_p, 1);
    add("min-p", options.min_p, 0);
  }
  add("repeat-penalty", options.repeat_penalty, 1);
  add("presence-penalty", options.presence_penalty, 0);
  add("frequency-penalty", options.frequency_penalty, 0);
  return text + "seed " + std::to_string(options.seed);
}

}  // namespace ponder
