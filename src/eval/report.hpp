// What runs gave, for people and for scripts: JSON, Markdown, and one HTML file with the answers.
// Texts of models are shown as text, whatever is in them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "eval/run_store.hpp"
#include "eval/score.hpp"

namespace ponder {

struct ReportedRun {
  RunScore score;
  RunStore* store = nullptr;  // for problems and texts
};

OrderedJson report_json(const std::vector<ReportedRun>& runs);
std::string report_markdown(const std::vector<ReportedRun>& runs);
// Bounded: of each problem and run three samples, 16 KiB of each text, 48 MiB of texts in all.
Result<std::string> report_html(const std::vector<ReportedRun>& runs);

// Shared by the forms.
std::string percent(double value);                    // "61.6"
std::string headline_text(const Headline& headline);  // "61.6 (54.1 to 68.9)" or "withheld"
std::string dollars_text(double dollars);             // "$0.0021"
std::string ratio_text(const std::optional<Ratio>& ratio, bool money);
std::string p_text(double p);  // "= 0.016", "< 0.001"
std::string run_title(const RunScore& score);
// What to know before the numbers are believed, one sentence each.
std::vector<std::string> run_warnings(const RunScore& score);
std::vector<std::string> suites_of(const std::vector<ReportedRun>& runs);  // in order of the runs
// Indices of runs of the suite that no other one beats in both pass@1 and dollars per task,
// cheapest first.
std::vector<size_t> pareto_front(const std::vector<ReportedRun>& runs, const std::string& suite);

// Characters of HTML as entities; control characters and broken UTF-8 as U+FFFD.
std::string html_text(std::string_view text);

// Scalable pictures of the runs of one suite, with a list that names them. Empty if there is
// nothing to draw.
std::string pareto_plot(const std::vector<ReportedRun>& runs, const std::string& suite);
std::string level_bars(const std::vector<ReportedRun>& runs, const std::string& suite);
constexpr size_t kColours = 8;  // classes c0 … c7, one a run, again from the start

}  // namespace ponder
