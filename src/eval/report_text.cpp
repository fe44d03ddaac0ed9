#include <algorithm>
#include <cmath>

#include "eval/report.hpp"
#include "text/unicode.hpp"

namespace ponder {
namespace {

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  char text[128];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

OrderedJson interval_json(const ScoreInterval& interval) {
  return OrderedJson::array({interval.low, std::isinf(interval.high) ? OrderedJson(nullptr)
                                                                     : OrderedJson(interval.high)});
}

OrderedJson headline_json(const Headline& headline) {
  if (!headline.estimate) return {{"value", nullptr}, {"withheld", headline.withheld}};
  const Estimate& estimate = *headline.estimate;
  OrderedJson json = {{"value", estimate.value}, {"problems", interval_json(estimate.problems)}};
  json["samples"] = estimate.samples ? interval_json(*estimate.samples) : OrderedJson(nullptr);
  return json;
}

OrderedJson ratio_json(const std::optional<Ratio>& ratio) {
  if (!ratio) return nullptr;
  return {{"value", ratio->value}, {"problems", interval_json(ratio->problems)}};
}

OrderedJson problem_json(const ScoredProblem& problem) {
  OrderedJson samples = OrderedJson::array();
  for (const ScoredSample& sample : problem.samples)
    samples.push_back(
        {{"sample", sample.sample},
         {"verdict", sample.verdict ? OrderedJson(verdict_name(*sample.verdict)) : nullptr},
         {"end", answer_end_name(sample.end)},
         {"output_tokens", sample.usage.output},
         {"seconds", sample.seconds},
         {"dollars", sample.dollars ? OrderedJson(*sample.dollars) : OrderedJson(nullptr)}});
  return {{"id", problem.id},
          {"level", problem.level},
          {"contaminated", problem.contaminated},
          {"samples", std::move(samples)}};
}

OrderedJson run_json(const RunScore& score) {
  OrderedJson json = score.about;
  json["folder"] = score.folder.string();
  json["counts"] = {{"problems", score.problems.size()},
                    {"answered", score.answered},
                    {"missing", score.missing},
                    {"unjudged", score.unjudged},
                    {"infra", score.infra},
                    {"truncated", score.truncated},
                    {"doubtful_usage", score.doubtful},
                    {"interrupted", score.interrupted}};
  for (const auto& [verdict, count] : score.verdicts)
    json["verdicts"][std::string(verdict_name(verdict))] = count;
  json["pass@1"] = headline_json(score.pass_1);
  for (const auto& [k, headline] : score.pass_k)
    json["pass@" + std::to_string(k)] = headline_json(headline);
  for (const auto& [k, headline] : score.cons_k)
    json["cons@" + std::to_string(k)] = headline_json(headline);
  for (const auto& [level, headline] : score.levels)
    json["levels"][std::to_string(level)] = headline_json(headline);
  if (score.contamination_known) {
    json["contaminated"] = score.contaminated;
    json["pass@1_without_contaminated"] = headline_json(score.clean_pass_1);
  }
  json["tokens"] = {{"input", score.input_tokens},
                    {"cached", score.cached_tokens},
                    {"output", score.output_tokens},
                    {"reasoning", score.reasoning_tokens},
                    {"lost", score.lost_tokens}};
  json["seconds"] = score.seconds;
  json["seconds_per_task"] = ratio_json(score.seconds_per_task);
  json["output_tokens_per_solved"] = ratio_json(score.tokens_per_solved);
  json["dollars"] = score.money.dollars ? OrderedJson(*score.money.dollars) : OrderedJson(nullptr);
  json["dollars_per_task"] = ratio_json(score.money.dollars_per_task);
  json["dollars_per_solved"] = ratio_json(score.money.dollars_per_solved);
  json["warnings"] = run_warnings(score);
  json["problems"] = OrderedJson::array();
  for (const ScoredProblem& problem : score.problems)
    json["problems"].push_back(problem_json(problem));
  return json;
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '`' || c == '*' || c == '_' || c == '<' || c == '[')
      out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string percent(double value) { return format("%.1f", 100.0 * value); }

std::string headline_text(const Headline& headline) {
  if (!headline.estimate) return "withheld";
  const Estimate& estimate = *headline.estimate;
  return percent(estimate.value) + " (" + percent(estimate.problems.low) + " to " +
         percent(estimate.problems.high) + ")";
}

std::string dollars_text(double dollars) {
  if (std::isinf(dollars)) return "no bound";
  if (dollars == 0.0) return "$0";
  const int digits =
      dollars >= 1.0 ? 2 : std::min(8, 2 - static_cast<int>(std::floor(std::log10(dollars))));
  return format("$%.*f", digits, dollars);
}

std::string ratio_text(const std::optional<Ratio>& ratio, bool money) {
  if (!ratio) return "–";
  const auto text = [&](double value) {
    if (money) return dollars_text(value);
    if (std::isinf(value)) return std::string("no bound");
    return format(value < 10 ? "%.2f" : "%.0f", value);
  };
  return text(ratio->value) + " (" + text(ratio->problems.low) + " to " +
         text(ratio->problems.high) + ")";
}

std::string p_text(double p) { return p < 0.001 ? "< 0.001" : "= " + format("%.3f", p); }

std::string run_title(const RunScore& score) {
  return score.model.empty() ? score.folder.filename().string() : score.model;
}

std::vector<std::string> run_warnings(const RunScore& score) {
  std::vector<std::string> all;
  const std::string name = run_title(score) + ": ";
  if (!score.pass_1.estimate)
    all.push_back(name + "no score is told: " + score.pass_1.withheld + ".");
  if (score.truncated > 0)
    all.push_back(name + std::to_string(score.truncated) + " of " + std::to_string(score.answered) +
                  " answers were cut off at the limit of tokens; they count as they are.");
  if (score.doubtful > 0)
    all.push_back(name + std::to_string(score.doubtful) +
                  " answers came with token counts that do not fit what was received.");
  if (score.lost_tokens > 0)
    all.push_back(name + "about " + std::to_string(score.lost_tokens) +
                  " tokens came in attempts that were cut; they may have been billed.");
  if (score.interrupted > 0)
    all.push_back(name + std::to_string(score.interrupted) +
                  " questions were under way when the run was killed; they may have been billed.");
  const auto rescored = score.about.find("rescored");
  if (rescored != score.about.end() && rescored->is_object() && rescored->contains("folder"))
    all.push_back(name + "the answers are those of another run, judged again: " +
                  rescored->value("folder", "") + ".");
  for (const char* key : {"suite", "judge"}) {
    const auto note = score.about.find(key);
    if (note == score.about.end() || !note->is_object() || !note->contains("warning")) continue;
    const OrderedJson& warning = (*note)["warning"];
    if (warning.is_string() && !warning.get<std::string>().empty())
      all.push_back(warning.get<std::string>());
  }
  return all;
}

std::vector<std::string> suites_of(const std::vector<ReportedRun>& runs) {
  std::vector<std::string> suites;
  for (const ReportedRun& run : runs)
    if (std::find(suites.begin(), suites.end(), run.score.suite) == suites.end())
      suites.push_back(run.score.suite);
  return suites;
}

std::vector<size_t> pareto_front(const std::vector<ReportedRun>& runs, const std::string& suite) {
  std::vector<size_t> order, front;
  for (size_t i = 0; i < runs.size(); ++i)
    if (runs[i].score.suite == suite && runs[i].score.pass_1.estimate &&
        runs[i].score.money.dollars_per_task)
      order.push_back(i);
  const auto price = [&](size_t i) { return runs[i].score.money.dollars_per_task->value; };
  const auto merit = [&](size_t i) { return runs[i].score.pass_1.estimate->value; };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return price(a) != price(b) ? price(a) < price(b) : merit(a) > merit(b);
  });
  for (const size_t i : order)
    if (front.empty() || merit(i) > merit(front.back())) front.push_back(i);
  return front;
}

OrderedJson report_json(const std::vector<ReportedRun>& runs) {
  OrderedJson json = {{"runs", OrderedJson::array()}, {"differences", OrderedJson::array()}};
  for (const ReportedRun& run : runs) json["runs"].push_back(run_json(run.score));
  for (size_t i = 0; i < runs.size(); ++i)
    for (size_t j = i + 1; j < runs.size(); ++j)
      if (const auto found = compare_runs(runs[i].score, runs[j].score))
        json["differences"].push_back({{"suite", found->suite},
                                       {"a", found->a},
                                       {"b", found->b},
                                       {"problems", found->problems},
                                       {"value", found->difference.value},
                                       {"interval", interval_json(found->difference.interval)},
                                       {"p_value", found->difference.p_value}});
  json["pareto_front"] = OrderedJson::object();
  for (const std::string& suite : suites_of(runs)) {
    json["pareto_front"][suite] = OrderedJson::array();
    for (const size_t i : pareto_front(runs, suite))
      json["pareto_front"][suite].push_back(run_title(runs[i].score));
  }
  return json;
}

std::string report_markdown(const std::vector<ReportedRun>& runs) {
  std::string out =
      "| suite | model | pass@1 % (95 %) | more | cut off | $ a task | $ a solved task | tokens a "
      "solved task | s a task |\n|-|-|-|-|-|-|-|-|-|\n";
  for (const ReportedRun& run : runs) {
    const RunScore& score = run.score;
    std::string more;
    const auto add = [&](const char* kind, const std::map<int64_t, Headline>& all) {
      if (all.empty()) return;
      const auto& [k, headline] = *all.rbegin();
      more +=
          (more.empty() ? "" : ", ") + (kind + std::to_string(k)) + " " + headline_text(headline);
    };
    add("pass@", score.pass_k);
    add("cons@", score.cons_k);
    if (score.contamination_known)
      more += (more.empty() ? "" : ", ") + std::string("without ") +
              std::to_string(score.contaminated) + " contaminated " +
              headline_text(score.clean_pass_1);
    out += "| " + cell(score.suite) + " | " + cell(run_title(score)) + " | " +
           headline_text(score.pass_1) + " | " + more + " | " + std::to_string(score.truncated) +
           " of " + std::to_string(score.answered) + " | " +
           ratio_text(score.money.dollars_per_task, true) + " | " +
           ratio_text(score.money.dollars_per_solved, true) + " | " +
           ratio_text(score.tokens_per_solved, false) + " | " +
           ratio_text(score.seconds_per_task, false) + " |\n";
  }
  std::string differences;
  for (size_t i = 0; i < runs.size(); ++i)
    for (size_t j = i + 1; j < runs.size(); ++j)
      if (const auto found = compare_runs(runs[i].score, runs[j].score))
        differences += "- " + cell(found->suite) + ": " + cell(found->a) + " less " +
                       cell(found->b) + ": " + percent(found->difference.value) + " points (" +
                       percent(found->difference.interval.low) + " to " +
                       percent(found->difference.interval.high) + "), p " +
                       p_text(found->difference.p_value) + ", over " +
                       std::to_string(found->problems) + " problems\n";
  if (!differences.empty()) out += "\nDifferences of pass@1, problem by problem:\n\n" + differences;
  std::string warnings;
  std::vector<std::string> said;
  for (const ReportedRun& run : runs)
    for (const std::string& warning : run_warnings(run.score))
      if (std::find(said.begin(), said.end(), warning) == said.end()) {
        said.push_back(warning);
        warnings += "- " + cell(warning) + "\n";
      }
  if (!warnings.empty()) out += "\nTo know:\n\n" + warnings;
  return out;
}

std::string html_text(std::string_view text) {
  const std::optional<std::string> repaired = repaired_utf8(text);
  std::string out;
  for (const char c : repaired ? std::string_view(*repaired) : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if ((static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') || c == '\x7f')
          out += "\xef\xbf\xbd";
        else
          out += c;
    }
  }
  return out;
}

}  // namespace ponder
