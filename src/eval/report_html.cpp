// One HTML file: no scripts, nothing from elsewhere. A problem's page is shown when its link is
// followed.
#include <algorithm>
#include <set>

#include "eval/contamination.hpp"
#include "eval/report.hpp"

namespace ponder {
namespace {

constexpr size_t kMostSamples = 3;               // of a problem and run
constexpr size_t kMostText = 16 << 10;           // of one
constexpr size_t kMostTexts = size_t{48} << 20;  // of the file

constexpr const char* kHead = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<title>Ponder: evaluation</title>
<style>
:root { --back: #fff; --text: #1c2024; --soft: #60646c; --line: #d9dce0; --panel: #f4f5f7; --good: #18794e; --bad: #b42318; --warn: #8f5b00;
  --c0: #2563a8; --c1: #c2560c; --c2: #18794e; --c3: #7d3bb3; --c4: #b42350; --c5: #0b7285; --c6: #7a5b00; --c7: #4d5560; }
@media (prefers-color-scheme: dark) { :root { --back: #15171a; --text: #e6e8eb; --soft: #9ba1a9; --line: #363b42; --panel: #1e2125; --good: #4cc38a; --bad: #ff8a7d; --warn: #e5b567;
  --c0: #6aa9ec; --c1: #f3a25f; --c2: #4cc38a; --c3: #bf8cf0; --c4: #f2789b; --c5: #57c3d6; --c6: #d9b64c; --c7: #aab2bd; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 1.5rem 1rem 4rem; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
a { color: var(--c0); } .soft { color: var(--soft); } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: .85rem; } td.n { white-space: nowrap; } small { color: var(--soft); display: block; }
td:first-child, th:first-child { min-width: 9rem; overflow-wrap: anywhere; } td.m { min-width: 6.5rem; }
ul.warnings { border-left: 3px solid var(--warn); margin: 1rem 0; padding: .3rem 0 .3rem 2rem; background: var(--panel); }
svg { width: 100%; max-width: 900px; height: auto; display: block; font: 12px system-ui, sans-serif; } svg text { fill: var(--text); paint-order: stroke; stroke: var(--back); stroke-width: 4px; stroke-linejoin: round; }
.grid { stroke: var(--line); } .front { fill: none; stroke: var(--soft); stroke-dasharray: 4 4; } .bar { stroke-width: 2; } .range { stroke: var(--text); stroke-width: 1.5; }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); }
g circle, g rect { fill: var(--c); } g .bar { stroke: var(--c); } th b { border-bottom: 3px solid var(--c); }
.legend { list-style: none; margin: .4rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; overflow-wrap: anywhere; } .legend b { display: inline-block; min-width: 1.6em; padding: 0 .4em; text-align: center; border-radius: 4px; background: var(--c); color: var(--back); }
.problem { display: none; border-top: 2px solid var(--line); margin-top: 2rem; } .problem:target { display: block; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .7rem; margin: .3rem 0 .8rem; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace; unicode-bidi: plaintext; max-height: 32rem; overflow-y: auto; }
.pass { color: var(--good); } .fail { color: var(--bad); } .odd { color: var(--warn); } summary { cursor: pointer; color: var(--soft); }
@media (max-width: 600px) { body { padding: 1rem .7rem 3rem; font-size: 15px; } th, td { padding: .3rem .4rem; } svg { font-size: 23px; }
  .cards, .cards tbody, .cards tr, .cards th, .cards td { display: block; border: 0; } .cards tr:first-child, .cards td:empty { display: none; } .cards tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  .cards td { display: grid; grid-template-columns: 9.5rem 1fr; column-gap: .6rem; align-items: baseline; padding: .1rem .4rem; } .cards td::before { content: attr(data-name); color: var(--soft); } .cards td small { grid-column: 2; } }
</style>
)";

std::string small(const std::string& text) { return "<small>" + html_text(text) + "</small>"; }

std::string headline_cell(const Headline& headline) {
  if (!headline.estimate) return "<td class=\"odd\">withheld" + small(headline.withheld) + "</td>";
  const Estimate& estimate = *headline.estimate;
  std::string out =
      "<td class=\"n\"><b>" + percent(estimate.value) + "</b>" +
      small(percent(estimate.problems.low) + " to " + percent(estimate.problems.high));
  if (estimate.samples)
    out += small("again: " + percent(estimate.samples->low) + " to " +
                 percent(estimate.samples->high));
  return out + "</td>";
}

std::string ratio_cell(const std::optional<Ratio>& ratio, bool money) {
  const std::string text = ratio_text(ratio, money);
  const size_t bracket = text.find(" (");
  if (bracket == std::string::npos) return "<td class=\"n\">" + html_text(text) + "</td>";
  return "<td class=\"m\">" + html_text(text.substr(0, bracket)) +
         small(text.substr(bracket + 2, text.size() - bracket - 3)) + "</td>";
}

std::string last_cell(const std::map<int64_t, Headline>& all) {
  if (all.empty()) return "<td>–</td>";
  std::string cell = headline_cell(all.rbegin()->second);
  return cell.insert(cell.size() - 5, small("k = " + std::to_string(all.rbegin()->first)));
}

// The cell with the name of its column, which narrow screens show beside it.
std::string named(const char* column, std::string cell) {
  return cell.insert(3, " data-name=\"" + html_text(column) + "\"");
}

std::string models_table(const std::vector<ReportedRun>& runs) {
  const auto any = [&](auto member) {
    return std::any_of(runs.begin(), runs.end(),
                       [&](const ReportedRun& run) { return !(run.score.*member).empty(); });
  };
  const bool pass_k = any(&RunScore::pass_k), cons_k = any(&RunScore::cons_k);
  std::string out =
      "<div class=\"wide\"><table class=\"cards\"><tr><th>model<th>suite<th>pass@1, %";
  if (pass_k) out += "<th>pass@k, %";
  if (cons_k) out += "<th>cons@k, %";
  out += "<th>cut off<th>$ a task<th>$ a solved task<th>tokens a solved task<th>s a task</tr>\n";
  for (size_t i = 0; i < runs.size(); ++i) {
    const RunScore& score = runs[i].score;
    const std::string k = std::to_string(score.planned);
    out +=
        "<tr class=\"c" + std::to_string(i % kColours) + "\"><th><b>" +
        html_text(run_title(score)) + "</b>" +
        small(k + (score.planned == 1 ? " sample" : " samples")) + "</th>" +
        named("suite", "<td class=\"n\">" + html_text(score.suite) +
                           small(std::to_string(score.problems.size()) + " problems") + "</td>") +
        named("pass@1, %", headline_cell(score.pass_1));
    if (pass_k) out += named("pass@k, %", last_cell(score.pass_k));
    if (cons_k) out += named("cons@k, %", last_cell(score.cons_k));
    out += named("cut off", "<td class=\"n\">" + std::to_string(score.truncated) +
                                small("of " + std::to_string(score.answered)) + "</td>") +
           named("$ a task", ratio_cell(score.money.dollars_per_task, true)) +
           named("$ a solved task", ratio_cell(score.money.dollars_per_solved, true)) +
           named("tokens a solved task", ratio_cell(score.tokens_per_solved, false)) +
           named("s a task", ratio_cell(score.seconds_per_task, false)) + "</tr>\n";
    if (score.contamination_known)
      out += "<tr><td></td><td class=\"soft\">without " + std::to_string(score.contaminated) +
             " contaminated</td>" + named("pass@1, %", headline_cell(score.clean_pass_1)) +
             "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string warnings_list(const std::vector<ReportedRun>& runs) {
  std::string out;
  std::set<std::string> said;
  for (const ReportedRun& run : runs)
    for (const std::string& warning : run_warnings(run.score))
      if (said.insert(warning).second) out += "<li>" + html_text(warning) + "</li>\n";
  return out.empty() ? "" : "<ul class=\"warnings\">\n" + out + "</ul>\n";
}

std::string differences_table(const std::vector<ReportedRun>& runs) {
  std::string rows;
  for (size_t i = 0; i < runs.size(); ++i)
    for (size_t j = i + 1; j < runs.size(); ++j)
      if (const auto found = compare_runs(runs[i].score, runs[j].score)) {
        const std::string p = p_text(found->difference.p_value);
        rows += "<tr>" + named("suite", "<td>" + html_text(found->suite) + "</td>") +
                named("pass@1 of",
                      "<td>" + html_text(found->a) + " less " + html_text(found->b) + "</td>") +
                named("difference, 95 %",
                      "<td class=\"n\">" + percent(found->difference.value) + " points" +
                          small(percent(found->difference.interval.low) + " to " +
                                percent(found->difference.interval.high)) +
                          "</td>") +
                named("p", "<td class=\"n\">" + p + "</td>") +
                named("in common", "<td>" + std::to_string(found->problems) + "</td>") + "</tr>\n";
      }
  if (rows.empty()) return "";
  return "<h2>Differences</h2>\n<div class=\"wide\"><table class=\"cards\"><tr><th>suite<th>pass@1 "
         "of<th>difference, 95 %"
         "<th>p<th>problems in common</tr>\n" +
         rows + "</table></div>\n";
}

std::string verdict_mark(const ScoredSample& sample) {
  if (!sample.verdict) return "<span class=\"odd\">not judged</span>";
  const std::string name(verdict_name(*sample.verdict));
  const char* kind = *sample.verdict == Verdict::kPass    ? "pass"
                     : *sample.verdict == Verdict::kInfra ? "odd"
                                                          : "fail";
  return "<span class=\"" + std::string(kind) + "\">" + name + "</span>";
}

std::string contamination_text(const Json& overlap) {
  const auto number = [&](const char* key) {
    return std::to_string(integer_field_or(overlap, key, "", 0).ok()
                              ? integer_field_or(overlap, key, "", 0).value()
                              : 0);
  };
  const auto words = text_field_or(overlap, "words", "", ""),
             where = text_field_or(overlap, "where", "", "");
  return number("found") + " of " + number("ngrams") + " runs of words, first in " +
         (where.ok() ? where.value() : "") + ": “" + (words.ok() ? words.value() : "") + "”";
}

// Writes the parts about problems; counts what it has written.
class Pages {
 public:
  explicit Pages(const std::vector<ReportedRun>& runs) : runs_(runs) {}

  Result<std::string> write();

 private:
  struct Row {
    std::string suite, id;
    int level = 0;
    bool contaminated = false;
    std::vector<int64_t> numbers;  // in each run; −1: not there
  };

  void collect();
  std::string list(const std::string& suite) const;
  Result<std::string> page(size_t row);
  Result<std::string> samples(size_t run, int64_t number);
  std::string text(const char* name, const std::string& text, bool open);
  const ScoredProblem& scored(size_t run, int64_t number) const {
    return runs_[run].score.problems[static_cast<size_t>(number)];
  }

  const std::vector<ReportedRun>& runs_;
  std::vector<Row> rows_;
  std::vector<std::vector<StoredProblem>> problems_;  // of each run
  size_t written_ = 0;
};

void Pages::collect() {
  std::map<std::pair<std::string, std::string>, size_t> places;
  for (size_t run = 0; run < runs_.size(); ++run) {
    const RunScore& score = runs_[run].score;
    for (size_t i = 0; i < score.problems.size(); ++i) {
      const ScoredProblem& problem = score.problems[i];
      const auto [place, fresh] = places.try_emplace({score.suite, problem.id}, rows_.size());
      if (fresh)
        rows_.push_back({.suite = score.suite,
                         .id = problem.id,
                         .level = problem.level,
                         .numbers = std::vector<int64_t>(runs_.size(), -1)});
      Row& row = rows_[place->second];
      row.numbers[run] = static_cast<int64_t>(i);
      row.contaminated = row.contaminated || problem.contaminated;
    }
  }
}

// The problems of a suite, with the runs that are of it.
std::string Pages::list(const std::string& suite) const {
  std::vector<size_t> shown;
  for (size_t run = 0; run < runs_.size(); ++run)
    if (runs_[run].score.suite == suite) shown.push_back(run);
  std::string out = "<div class=\"wide\"><table><tr><th>problem<th>level";
  for (const size_t run : shown)
    out += "<th class=\"c" + std::to_string(run % kColours) + "\"><b>" +
           html_text(run_title(runs_[run].score)) + "</b>";
  out += "</tr>\n";
  for (size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    if (row.suite != suite) continue;
    out += "<tr><td><a href=\"#p" + std::to_string(i) + "\">" + html_text(row.id) + "</a>" +
           (row.contaminated ? " <span class=\"odd\">contaminated</span>" : "") + "</td><td>" +
           std::to_string(row.level) + "</td>";
    for (const size_t run : shown) {
      if (row.numbers[run] < 0) {
        out += "<td>–</td>";
        continue;
      }
      const ScoredProblem& problem = scored(run, row.numbers[run]);
      const ProblemCounts counts = problem.counts();
      if (problem.samples.size() == 1)
        out += "<td>" + verdict_mark(problem.samples[0]) + "</td>";
      else
        out += "<td class=\"" + std::string(counts.c > 0 ? "pass" : "fail") + "\">" +
               std::to_string(counts.c) + " of " + std::to_string(counts.n) + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string Pages::text(const char* name, const std::string& text, bool open) {
  if (text.empty()) return "";
  std::string shown = text.substr(0, kMostText);
  if (written_ + shown.size() > kMostTexts) shown.resize(0);
  written_ += shown.size();
  std::string out = std::string("<details") + (open ? " open" : "") + "><summary>" + name;
  if (shown.size() < text.size())
    out += ": the first " + std::to_string(shown.size()) + " of " + std::to_string(text.size()) +
           " bytes; all is in run.sqlite";
  return out + "</summary><pre>" + html_text(shown) + "</pre></details>\n";
}

Result<std::string> Pages::samples(size_t run, int64_t number) {
  const ScoredProblem& problem = scored(run, number);
  // One that passed and one that did not tell most; then in order.
  std::vector<size_t> order;
  const auto passed = [&](size_t i) { return problem.samples[i].verdict == Verdict::kPass; };
  for (const bool wanted : {true, false})
    for (size_t i = 0; i < problem.samples.size(); ++i)
      if (passed(i) == wanted) {
        order.push_back(i);
        break;
      }
  for (size_t i = 0; i < problem.samples.size(); ++i)
    if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
  order.resize(std::min(order.size(), kMostSamples));
  std::sort(order.begin(), order.end());
  std::string out;
  for (const size_t i : order) {
    const ScoredSample& sample = problem.samples[i];
    const auto stored = PONDER_TRY(runs_[run].store->answers({number, sample.sample}));
    if (stored.empty()) continue;
    const Reply& reply = stored.front().reply;
    out += "<p>Sample " + std::to_string(sample.sample + 1) + ": " + verdict_mark(sample) +
           "<span class=\"soft\">, " + std::to_string(sample.usage.output) + " tokens" +
           (sample.end == AnswerEnd::kLength ? ", cut off" : "") +
           (sample.dollars ? ", " + dollars_text(*sample.dollars) : "") + "</span></p>\n";
    out += text("Thoughts", reply.reasoning, false) + text("Answer", reply.text, true);
    if (stored.front().judgement) {
      const Judgement& judgement = *stored.front().judgement;
      out += text("What was judged", judgement.extracted, false) + text("Why", judgement.why, true);
    }
    if (!reply.doubts.empty())
      out += "<p class=\"odd\">Usage: " + html_text(reply.doubts) + "</p>\n";
  }
  if (order.size() < problem.samples.size())
    out += "<p class=\"soft\">" + std::to_string(problem.samples.size() - order.size()) +
           " more samples are in run.sqlite.</p>\n";
  return out.empty() ? std::string("<p class=\"odd\">not answered</p>\n") : out;
}

Result<std::string> Pages::page(size_t i) {
  const Row& row = rows_[i];
  std::string out = "<section class=\"problem\" id=\"p" + std::to_string(i) + "\">\n<h2>" +
                    html_text(row.id) + "</h2>\n<p><a href=\"#problems\">all problems</a></p>\n";
  bool first = true;
  for (size_t run = 0; run < runs_.size(); ++run) {
    if (row.numbers[run] < 0) continue;
    const StoredProblem& stored = problems_[run][static_cast<size_t>(row.numbers[run])];
    if (std::exchange(first, false)) {
      out += text("Problem", stored.problem.prompt, true);
      out += text("Reference answer", stored.problem.answer, false);
    }
    if (is_contaminated(stored.contamination))
      out += "<p class=\"odd\">" + html_text(run_title(runs_[run].score)) +
             ": in the training set: " + html_text(contamination_text(stored.contamination)) +
             "</p>\n";
    out += "<h3>" + html_text(run_title(runs_[run].score)) + "</h3>\n";
    out += PONDER_TRY(samples(run, row.numbers[run]));
  }
  return out + "</section>\n";
}

Result<std::string> Pages::write() {
  for (const ReportedRun& run : runs_) problems_.push_back(PONDER_TRY(run.store->problems()));
  collect();
  std::string out = "<h2 id=\"problems\">Problems</h2>\n";
  const auto suites = suites_of(runs_);
  for (const std::string& suite : suites)
    out += (suites.size() > 1 ? "<h3>" + html_text(suite) + "</h3>\n" : "") + list(suite);
  for (size_t i = 0; i < rows_.size(); ++i) out += PONDER_TRY(page(i));
  return out;
}

}  // namespace

Result<std::string> report_html(const std::vector<ReportedRun>& runs) {
  std::string out = kHead;
  out +=
      "<h1>Evaluation</h1>\n<p class=\"soft\">Intervals hold 95 of 100 times, for other problems "
      "of the kind; “again”: for the same problems asked again. A dollar figure is of the prices "
      "given with the run.</p>\n";
  out += warnings_list(runs) + models_table(runs);
  const auto suites = suites_of(runs);
  bool any = false;
  for (const std::string& suite : suites) {
    const std::string plot = pareto_plot(runs, suite), bars = level_bars(runs, suite);
    any = any || !plot.empty();
    const std::string of = suites.size() > 1 ? ": " + html_text(suite) : "";
    if (!plot.empty())
      out += "<h2>Accuracy and cost" + of + "</h2>\n<div class=\"wide\">" + plot + "</div>\n";
    if (!bars.empty()) out += "<h2>Levels" + of + "</h2>\n<div class=\"wide\">" + bars + "</div>\n";
  }
  if (!any)
    out +=
        "<h2>Accuracy and cost</h2>\n<p class=\"soft\">No run has both a score and a price "
        "(--prices for endpoints, --machine-price for models that ran here).</p>\n";
  out += differences_table(runs);
  out += PONDER_TRY(Pages(runs).write());
  return out + "</html>\n";
}

}  // namespace ponder
