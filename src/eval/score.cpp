#include "eval/score.hpp"

#include <algorithm>
#include <set>

#include "eval/contamination.hpp"

namespace ponder {
namespace {

std::string plural(int64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string note_text(const OrderedJson& note, const char* key) {
  if (!note.is_object() || !note.contains(key) || !note[key].is_string()) return "";
  return note[key].get<std::string>();
}

int64_t note_count(const OrderedJson& note, const char* key, int64_t absent) {
  if (!note.is_object() || !note.contains(key) || !note[key].is_number_integer()) return absent;
  return note[key].get<int64_t>();
}

void count_sample(RunScore& score, const StoredAnswer& answer) {
  const TokenUsage& usage = answer.reply.usage;
  ++score.answered;
  score.input_tokens += usage.input;
  score.cached_tokens += usage.cached;
  score.output_tokens += usage.output;
  score.reasoning_tokens += usage.reasoning;
  score.truncated += answer.reply.end == AnswerEnd::kLength;
  score.doubtful += !answer.reply.doubts.empty();
  if (!answer.judgement) {
    ++score.unjudged;
  } else {
    ++score.verdicts[answer.judgement->verdict];
    score.infra += answer.judgement->verdict == Verdict::kInfra;
  }
}

// The run's time and, if it costs, its price: by the time that each answer was in the making.
void share_time(RunScore& score, std::optional<double> machine_price, bool local) {
  double sum = 0.0;
  for (const ScoredProblem& problem : score.problems)
    for (const ScoredSample& sample : problem.samples) sum += sample.seconds;
  for (ScoredProblem& problem : score.problems)
    for (ScoredSample& sample : problem.samples) {
      sample.share = sum > 0.0 ? score.seconds * sample.seconds / sum : 0.0;
      if (local)
        sample.dollars =
            machine_price ? std::optional(sample.share / 3600.0 * *machine_price) : std::nullopt;
    }
}

std::string why_withheld(const RunScore& score) {
  if (score.answered == 0) return "nothing has been answered";
  std::string why;
  const auto say = [&](const std::string& text) { why += (why.empty() ? "" : ", ") + text; };
  if (score.missing > 0) say(plural(score.missing, "answer is missing", "answers are missing"));
  if (score.unjudged > 0)
    say(plural(score.unjudged, "answer is not judged", "answers are not judged"));
  if (score.infra > 0)
    say(plural(score.infra, "answer could not be judged (infra)",
               "answers could not be judged (infra)"));
  return why;
}

template <typename Keep>
Headline pass_headline(const RunScore& score, int64_t k, Keep keep) {
  std::vector<ProblemCounts> counts;
  for (const ScoredProblem& problem : score.problems)
    if (keep(problem)) counts.push_back(problem.counts());
  auto estimate = estimate_pass(counts, k);
  if (!estimate.ok()) return {.estimate = {}, .withheld = estimate.error().what};
  return {.estimate = std::move(estimate).take_value(), .withheld = {}};
}

Headline cons_headline(const RunScore& score, int64_t k) {
  std::vector<double> values;
  for (const ScoredProblem& problem : score.problems) {
    const auto value = cons_at_k(problem.votes(), k);
    if (!value.ok()) return {.estimate = {}, .withheld = value.error().what};
    values.push_back(value.value());
  }
  auto estimate = estimate_mean(values);
  if (!estimate.ok()) return {.estimate = {}, .withheld = estimate.error().what};
  return {.estimate = std::move(estimate).take_value(), .withheld = {}};
}

// Powers of two up to the number of samples, and that number.
std::set<int64_t> many_k(int64_t samples) {
  std::set<int64_t> all;
  for (int64_t k = 2; k <= samples; k *= 2) all.insert(k);
  if (samples > 1) all.insert(samples);
  return all;
}

// Votes need answers that can be compared, which programs are not.
bool votes_make_sense(const std::vector<StoredProblem>& problems) {
  return std::none_of(problems.begin(), problems.end(),
                      [](const StoredProblem& stored) { return stored.problem.task == "code"; });
}

void headlines(RunScore& score, const std::string& withheld, bool votes) {
  const auto all = [](const ScoredProblem&) { return true; };
  if (!withheld.empty()) {
    const Headline none{.estimate = {}, .withheld = withheld};
    score.pass_1 = score.clean_pass_1 = none;
    for (const int64_t k : many_k(score.planned)) score.pass_k[k] = none;
    return;
  }
  score.pass_1 = pass_headline(score, 1, all);
  for (const int64_t k : many_k(score.planned)) {
    score.pass_k[k] = pass_headline(score, k, all);
    if (votes) score.cons_k[k] = cons_headline(score, k);
  }
  score.clean_pass_1 =
      pass_headline(score, 1, [](const ScoredProblem& p) { return !p.contaminated; });
  std::set<int> levels;
  for (const ScoredProblem& problem : score.problems) levels.insert(problem.level);
  if (levels.size() < 2) return;
  for (const int level : levels)
    score.levels[level] =
        pass_headline(score, 1, [level](const ScoredProblem& p) { return p.level == level; });
}

Result<void> costs(RunScore& score) {
  std::vector<double> dollars, tokens, seconds, solved;
  bool priced = score.answered > 0;
  for (const ScoredProblem& problem : score.problems) {
    const ProblemCounts counts = problem.counts();
    const auto n = static_cast<double>(problem.samples.size());
    if (n == 0) continue;
    double money = 0.0, made = 0.0, time = 0.0;
    for (const ScoredSample& sample : problem.samples) {
      priced = priced && sample.dollars.has_value();
      money += sample.dollars.value_or(0.0);
      made += static_cast<double>(sample.usage.output);
      time += sample.share;
    }
    // Per answer, so that k samples of a problem do not count as k tasks.
    dollars.push_back(money / n);
    tokens.push_back(made / n);
    seconds.push_back(time / n);
    solved.push_back(static_cast<double>(counts.c) / n);
  }
  if (dollars.empty()) return {};
  const std::vector<double> ones(dollars.size(), 1.0);
  score.seconds_per_task = PONDER_TRY(estimate_ratio(seconds, ones));
  if (priced) {
    score.money.dollars_per_task = PONDER_TRY(estimate_ratio(dollars, ones));
    double sum = 0.0;
    for (const ScoredProblem& problem : score.problems)
      for (const ScoredSample& sample : problem.samples) sum += *sample.dollars;
    score.money.dollars = sum;
  }
  if (!score.pass_1.estimate) return {};  // without scores nobody knows what was solved
  score.tokens_per_solved = PONDER_TRY(estimate_ratio(tokens, solved));
  if (priced) score.money.dollars_per_solved = PONDER_TRY(estimate_ratio(dollars, solved));
  return {};
}

}  // namespace

ProblemCounts ScoredProblem::counts() const {
  ProblemCounts counts;
  for (const ScoredSample& sample : samples) {
    if (!sample.verdict || *sample.verdict == Verdict::kInfra) continue;
    ++counts.n;
    counts.c += *sample.verdict == Verdict::kPass;
  }
  return counts;
}

Votes ScoredProblem::votes() const {
  Votes votes;
  std::map<std::string, int64_t> wrong;
  for (const ScoredSample& sample : samples) {
    if (!sample.verdict || *sample.verdict == Verdict::kInfra) continue;
    if (*sample.verdict == Verdict::kPass)
      ++votes.right;
    else if (*sample.verdict == Verdict::kNoAnswer || sample.extracted.empty())
      ++votes.silent;
    else
      ++wrong[sample.extracted];
  }
  for (const auto& [answer, count] : wrong) votes.wrong.push_back(count);
  return votes;
}

Result<RunScore> score_run(RunStore& store, const std::filesystem::path& folder,
                           std::optional<double> machine_price) {
  RunScore score;
  score.folder = folder;
  for (const char* name :
       {"suite", "model", "protocol", "judge", "withheld", "started", "rescored"})
    score.about[name] = PONDER_TRY(store.note(name));
  score.suite = note_text(score.about["suite"], "name");
  score.model = note_text(score.about["model"], "name");
  score.planned = std::max<int64_t>(1, note_count(score.about["protocol"], "samples", 1));
  const bool local = note_text(score.about["model"], "kind") == "engine";
  const auto problems = PONDER_TRY(store.problems());
  for (const StoredProblem& stored : problems) {
    score.problems.push_back({.id = stored.problem.id,
                              .level = stored.problem.level,
                              .contaminated = is_contaminated(stored.contamination),
                              .samples = {}});
    score.contaminated += score.problems.back().contaminated;
    score.contamination_known = score.contamination_known || !stored.contamination.is_null();
  }
  for (const StoredAnswer& answer : PONDER_TRY(store.answers({-1, -1}, false))) {
    if (answer.key.problem < 0 || answer.key.problem >= std::ssize(problems))
      return Failure{{.what = "an answer belongs to no problem", .where = folder.string()}};
    count_sample(score, answer);
    ScoredSample sample{.sample = answer.key.sample,
                        .verdict = {},
                        .end = answer.reply.end,
                        .extracted = {},
                        .usage = answer.reply.usage,
                        .doubts = answer.reply.doubts,
                        .seconds = answer.reply.seconds,
                        .dollars = answer.dollars};
    if (answer.judgement) {
      sample.verdict = answer.judgement->verdict;
      sample.extracted = answer.judgement->extracted;
    }
    score.problems[static_cast<size_t>(answer.key.problem)].samples.push_back(std::move(sample));
  }
  score.missing = score.planned * std::ssize(problems) - score.answered;
  score.seconds = PONDER_TRY(store.session_seconds());
  score.lost_tokens = PONDER_TRY(store.lost_tokens());
  score.interrupted = std::ssize(PONDER_TRY(store.interrupted()));
  share_time(score, machine_price, local);
  const OrderedJson& note = score.about["withheld"];
  const std::string withheld = note.is_string() ? note.get<std::string>() : why_withheld(score);
  headlines(score, withheld, votes_make_sense(problems));
  PONDER_TRY(costs(score));
  return score;
}

std::optional<Comparison> compare_runs(const RunScore& a, const RunScore& b) {
  if (a.suite != b.suite || !a.pass_1.estimate || !b.pass_1.estimate) return std::nullopt;
  std::map<std::string, const ScoredProblem*> others;
  for (const ScoredProblem& problem : b.problems) others[problem.id] = &problem;
  std::vector<double> left, right;
  for (const ScoredProblem& problem : a.problems) {
    const auto other = others.find(problem.id);
    if (other == others.end()) continue;
    const ProblemCounts mine = problem.counts(), theirs = other->second->counts();
    if (mine.n == 0 || theirs.n == 0) continue;
    left.push_back(static_cast<double>(mine.c) / static_cast<double>(mine.n));
    right.push_back(static_cast<double>(theirs.c) / static_cast<double>(theirs.n));
  }
  const auto difference = paired_difference(left, right);
  if (!difference.ok()) return std::nullopt;
  return Comparison{.suite = a.suite,
                    .a = a.model,
                    .b = b.model,
                    .problems = std::ssize(left),
                    .difference = difference.value()};
}

}  // namespace ponder
