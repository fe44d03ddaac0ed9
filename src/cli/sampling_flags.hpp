// How the next token is chosen: flags of `run` and `chat`, /set of `chat`, defaults by model.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ops/sample/sample.hpp"

namespace CLI {
class App;
}

namespace ponder {

// What the user said; the rest is default.
struct SamplingFlags {
  std::optional<double> temperature = {}, top_k = {}, top_p = {}, min_p = {};
  std::optional<double> repeat_penalty = {}, presence_penalty = {}, frequency_penalty = {};
  std::optional<uint64_t> seed = {};
};

// Adds --temperature … --seed and --greedy.
void add_sampling_flags(CLI::App& command, SamplingFlags& flags);

// Sets "temperature", "top-k" …, "seed" from text. Errors name the setting and its range.
Result<void> set_sampling(SamplingFlags& flags, std::string_view name, std::string_view text);
std::vector<std::string> sampling_names();

// The flags over the defaults of make_sampling() (serve/requests.hpp). Without a seed, a random
// one.
SamplingOptions choose_sampling(const SamplingFlags& flags, bool reasons);

// "temperature 0.6, top-p 0.95, seed 7": what differs from doing nothing.
std::string describe_sampling(const SamplingOptions& options);

}  // namespace ponder
