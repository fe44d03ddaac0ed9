#include "serve/serve_metrics.hpp"

#include <functional>

namespace ponder {
namespace {

struct StatsMetric {
  const char* name;
  const char* help;
  double (*read)(const EngineStats&);
};

template <auto Member>
double value_of(const EngineStats& stats) {
  return static_cast<double>(stats.*Member);
}

constexpr StatsMetric kGauges[] = {
    {"ponder_requests_running", "Sequences being computed.", value_of<&EngineStats::running>},
    {"ponder_requests_waiting", "Requests that wait for their turn.",
     value_of<&EngineStats::waiting>},
    {"ponder_kv_page_bytes", "Bytes of a page of the cache.", value_of<&EngineStats::page_bytes>},
};

constexpr StatsMetric kCounters[] = {
    {"ponder_prompt_tokens_total", "Tokens of prompts, also those that the cache had.",
     [](const EngineStats& stats) {
       return static_cast<double>(stats.prompt_tokens + stats.cached_tokens);
     }},
    {"ponder_cached_tokens_total", "Tokens of prompts that the cache had.",
     value_of<&EngineStats::cached_tokens>},
    {"ponder_generated_tokens_total", "Tokens of answers.",
     value_of<&EngineStats::generated_tokens>},
    {"ponder_requests_total", "Requests to the model.", value_of<&EngineStats::requests>},
    {"ponder_requests_cancelled_total", "Requests that were cancelled, most by clients that left.",
     value_of<&EngineStats::cancelled>},
    {"ponder_preemptions_total", "Sequences that gave their cache to others.",
     value_of<&EngineStats::preempted>},
    {"ponder_evicted_pages_total", "Pages of the cache that were given up.",
     value_of<&EngineStats::evicted_pages>},
    {"ponder_steps_total", "Forward passes.", value_of<&EngineStats::steps>},
    {"ponder_drafted_tokens_total", "Tokens guessed ahead.",
     value_of<&EngineStats::drafted_tokens>},
    {"ponder_accepted_tokens_total", "Guessed tokens that were right.",
     value_of<&EngineStats::accepted_tokens>},
};

constexpr StatsMetric kPages[] = {
    {"used", "", value_of<&EngineStats::pages_used>},
    {"cached", "", value_of<&EngineStats::pages_cached>},
    {"free", "",
     [](const EngineStats& stats) {
       return static_cast<double>(stats.pages - stats.pages_used - stats.pages_cached);
     }},
};

std::vector<double> token_bounds() {
  return {0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5};
}

}  // namespace

ServeMetrics::ServeMetrics(Metrics& metrics, const ModelHost& host) {
  for (const std::string& name : host.names()) {
    const MetricLabels labels = {{"model", name}};
    const auto reader = [&host, name](double (*read)(const EngineStats&)) {
      return [&host, name, read] { return read(host.stats(name)); };
    };
    for (const StatsMetric& gauge : kGauges)
      metrics.gauge_from(gauge.name, gauge.help, reader(gauge.read), labels);
    for (const StatsMetric& counter : kCounters)
      metrics.counter_from(counter.name, counter.help, reader(counter.read), labels);
    for (const StatsMetric& pages : kPages)
      metrics.gauge_from("ponder_kv_pages", "Pages of the cache of keys and values.",
                         reader(pages.read), {{"model", name}, {"state", pages.name}});
    models_[name] = {
        .first_token =
            &metrics.histogram("ponder_time_to_first_token_seconds",
                               "From the request to its first token.", latency_bounds(), labels),
        .each_token =
            &metrics.histogram("ponder_time_per_token_seconds",
                               "Mean time between tokens of an answer.", token_bounds(), labels),
        .queue = &metrics.histogram("ponder_queue_seconds", "From the request to its turn.",
                                    latency_bounds(), labels),
        .answers = &metrics.counter("ponder_answers_total",
                                    "Requests that were answered to the end.", labels)};
  }
}

void ServeMetrics::observe(const Outcome& outcome) {
  const auto found = models_.find(outcome.model->name);
  if (found == models_.end()) return;
  const PerModel& model = found->second;
  model.answers->add();
  for (const Choice& choice : outcome.choices) {
    const RequestTimings& timings = choice.finish.timings;
    const int64_t tokens = choice.finish.generated_tokens;
    model.queue->observe(timings.queue_seconds);
    if (tokens > 0) model.first_token->observe(timings.queue_seconds + timings.prompt_seconds);
    if (tokens > 1)
      model.each_token->observe(timings.generate_seconds / static_cast<double>(tokens - 1));
  }
}

}  // namespace ponder
