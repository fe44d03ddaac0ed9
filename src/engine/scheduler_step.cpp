// One step of the scheduler: what goes through the model, and what comes of it.
#include <algorithm>
#include <cmath>

#include "base/checked_math.hpp"
#include "engine/scheduler.hpp"

namespace ponder {
namespace {

// Guesses of all sequences in a step: more rows than that cost more than they can give.
constexpr int64_t kDraftRows = 32;
// Rows of logits of a prompt that are held at a time.
constexpr int64_t kPromptRows = 32;

// Who keeps its pages if there are not enough.
bool ranks_before(const Work& a, const Work& b) {
  if (a.request().priority != b.request().priority)
    return a.request().priority > b.request().priority;
  return a.arrival != b.arrival ? a.arrival < b.arrival : a.choice < b.choice;
}

}  // namespace

void Engine::Scheduler::step() {
  ++counts_.steps;
  plan();
  if (planned_.empty()) {
    remove_done();
    return;
  }
  set_logits();
  int64_t tokens = 0;
  for (const SequenceStep& step : steps_) tokens += std::ssize(step.tokens);
  const auto computed =
      forward_batch(*context_, *model_, steps_, {.chunk = tokens, .stop = &stop_});
  if (!computed.ok()) {
    if (!stop_)
      for (Work* work : planned_) fail(*work, computed.error());
    remove_done();
    return;
  }
  for (size_t i = 0; i < planned_.size(); ++i) account(*planned_[i], steps_[i]);
  choose_all();
  for (Work* work : planned_) emit(*work);
  remove_done();
}

// What each prompt may bring into this step. The one with least left goes first, with half of the
// tokens at most, so that short prompts need not wait for long ones, nor the long ones for ever.
void Engine::Scheduler::share_out(std::span<Work* const> works) {
  std::vector<Work*> prompts;
  int64_t answers = 0;
  for (Work* work : works) {
    if (work->sequence->missing() > 1) {
      prompts.push_back(work);
    } else {
      ++answers;
    }
    work->allowed = 1;
  }
  draft_rows_ = kDraftRows / std::max<int64_t>(answers, 1);
  if (prompts.empty()) return;
  int64_t left = answers > 0 ? options_.busy_prompt_tokens : options_.step_tokens;
  const auto give = [&](Work& work, int64_t most) {
    most = std::min({most, left, work.sequence->missing()});
    if (work.request().prompt_log_probabilities) most = std::min(most, kPromptRows);
    work.allowed = most;
    left -= most;
  };
  for (Work* work : prompts) work->allowed = 0;
  Work* shortest = *std::min_element(prompts.begin(), prompts.end(), [](Work* a, Work* b) {
    return a->sequence->missing() < b->sequence->missing();
  });
  give(*shortest, prompts.size() > 1 ? ceil_div(left, int64_t{2}) : left);
  for (Work* work : prompts)
    if (work != shortest) give(*work, left);
}

void Engine::Scheduler::plan() {
  planned_.clear();
  steps_.clear();
  std::vector<Work*> works;
  for (const auto& work : running_)
    if (!work->done) works.push_back(work.get());
  std::sort(works.begin(), works.end(), [](Work* a, Work* b) { return ranks_before(*a, *b); });
  share_out(works);
  for (Work* work : works)
    if (work->sequence && work->allowed > 0) plan_one(*work);
  requeue_preempted();
}

void Engine::Scheduler::plan_one(Work& work) {
  const int64_t left = work.most_tokens() - work.generated - 1;
  auto step =
      work.sequence->step({.tokens = work.allowed,
                           .draft = work.request().speculate ? std::min(left, draft_rows_) : 0,
                           .is_end = &work.request().is_end});
  if (!step.ok()) return fail(work, step.error());
  SequenceStep planned = std::move(step).take_value();
  if (!make_room(work, std::ssize(planned.tokens))) return;
  if (work.request().prompt_log_probabilities && work.generated == 0)
    planned.logit_rows = std::ssize(planned.tokens);
  if (work.job->embeds()) planned.logit_rows = 0;
  if (work.started == Clock::time_point{}) work.started = Clock::now();
  work.step = counts_.steps;
  planned_.push_back(&work);
  steps_.push_back(planned);
}

// Pages for the step: free ones, else the longest unused of the tree, else those of the sequence
// that ranks last. False if that is this one: it waits then.
bool Engine::Scheduler::make_room(Work& work, int64_t tokens) {
  KvCache& cache = work.sequence->cache();
  while (!cache.reserve(tokens)) {
    const int64_t end = ceil_div(cache.length() + tokens, kKvPage);
    const int64_t more = std::max<int64_t>(end - std::ssize(cache.pages()), 1);
    const int64_t evicted = tree_.evict(more);
    counts_.evicted_pages += static_cast<uint64_t>(evicted);
    if (evicted > 0) continue;
    Work* last = &work;
    for (const auto& other : running_) {
      const bool open = other->sequence && !other->done && other->step != counts_.steps;
      if (open && ranks_before(*last, *other)) last = other.get();
    }
    ++counts_.preempted;
    release(*last);
    if (last == &work) return false;
  }
  return true;
}

// What lost its pages waits again, with all of its tokens.
void Engine::Scheduler::requeue_preempted() {
  for (auto it = running_.begin(); it != running_.end();) {
    if ((*it)->sequence || (*it)->done) {
      ++it;
      continue;
    }
    waiting_.push(std::move(*it));
    it = running_.erase(it);
  }
}

void Engine::Scheduler::set_logits() {
  const auto vocab = static_cast<size_t>(model_->config().vocab);
  size_t rows = 0;
  for (const SequenceStep& step : steps_) rows += static_cast<size_t>(step.logit_rows);
  logits_.grow(rows * vocab);
  float* next = logits_.data();
  for (SequenceStep& step : steps_) {
    step.logits = next;
    next += static_cast<size_t>(step.logit_rows) * vocab;
  }
}

// A step has been computed.
void Engine::Scheduler::account(Work& work, const SequenceStep& step) {
  Sequence& sequence = *work.sequence;
  const bool prompt = work.generated == 0;
  sequence.computed();
  waiting_.served(work.request().client, std::ssize(step.tokens));
  if (!prompt) return;
  counts_.prompt_tokens += static_cast<uint64_t>(step.tokens.size());
  const int64_t length = sequence.cache().length();
  // A part of a page is kept only for choices that go on from it: it must be copied to be written.
  const bool whole = sequence.ready() && work.request().choices > 1;
  keep_prefix(work, whole ? length : length / kKvPage * kKvPage);
  if (sequence.ready()) work.job->prompt_known = true;
}

void Engine::Scheduler::choose_all() {
  const int64_t vocab = model_->config().vocab;
  context_->pool->run(std::ssize(planned_), [&](int64_t i, int) {
    Work& work = *planned_[static_cast<size_t>(i)];
    const SequenceStep& step = steps_[static_cast<size_t>(i)];
    std::span<float> rows(step.logits, static_cast<size_t>(step.logit_rows * vocab));
    if (work.job->embeds()) return take_embedding(work, step);
    if (work.generated == 0 && work.request().prompt_log_probabilities) {
      take_prompt_rows(work, rows);
      rows = rows.last(static_cast<size_t>(vocab));
    }
    if (work.sequence->ready()) choose_tokens(work, rows, vocab);
  });
}

// rows: (tokens of the step, V): each row says how likely the token after it was.
void Engine::Scheduler::take_prompt_rows(Work& work, std::span<const float> rows) const {
  const auto vocab = static_cast<size_t>(model_->config().vocab);
  const auto tokens = work.sequence->tokens();
  const size_t count = rows.size() / vocab;
  const size_t begin = static_cast<size_t>(work.sequence->cache().length()) - count;
  if (begin == 0) work.prompt_rows.push_back({.token = tokens[0], .log_probability = NAN});
  for (size_t i = 0; i < count && begin + i + 1 < tokens.size(); ++i)
    work.prompt_rows.push_back(log_probabilities(
        rows.subspan(i * vocab, vocab), tokens[begin + i + 1], std::max(work.request().likely, 0)));
}

// The vector of a text, of length 1: its last token's hidden state, or the mean of all.
void Engine::Scheduler::take_embedding(Work& work, const SequenceStep& step) const {
  const auto width = static_cast<size_t>(model_->config().hidden);
  const size_t rows = step.tokens.size();
  work.sum.resize(width);
  const bool mean = work.job->pooling == Pooling::kMean;
  if (!mean && !work.sequence->ready()) return;
  for (size_t row = mean ? 0 : rows - 1; row < rows; ++row)
    for (size_t i = 0; i < width; ++i)
      work.sum[i] += static_cast<double>(step.hidden[row * width + i]);
}

void Engine::Scheduler::emit(Work& work) {
  if (work.done) return;
  Job& job = *work.job;
  if (job.embeds()) {
    if (work.sequence->ready()) emit_embedding(work);
    return;
  }
  if (!work.sequence->ready() && work.chosen.empty()) return;
  if (work.first_token == Clock::time_point{}) work.first_token = Clock::now();
  const auto event_of = [&](const Chosen& chosen) {
    return TokenEvent{work.choice, chosen.token, chosen.log_probability, chosen.likely};
  };
  if (!work.prompt_rows.empty()) {
    std::vector<TokenEvent> events;
    for (const Chosen& row : work.prompt_rows) events.push_back(event_of(row));
    if (work.choice == 0) job.sink->on_prompt(events);
    work.prompt_rows.clear();
  }
  const std::vector<Chosen> chosen = std::move(work.chosen);
  work.chosen.clear();
  for (const Chosen& token : chosen) {
    if (token.end) return finish(work, FinishReason::kStop);
    ++work.generated;
    ++counts_.generated_tokens;
    if (!job.sink->on_token(event_of(token))) return finish(work, FinishReason::kStop);
  }
  if (work.guide && work.guide->finished()) return finish(work, FinishReason::kStop);
  if (work.generated >= work.most_tokens()) return finish(work, FinishReason::kLength);
  if (work.sequence->full()) return finish(work, FinishReason::kContextFull);
}

void Engine::Scheduler::emit_embedding(Work& work) {
  double square = 0.0;
  for (const double x : work.sum) square += x * x;
  const double scale = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
  std::vector<float> vector;
  for (const double x : work.sum) vector.push_back(static_cast<float>(x * scale));
  finish(work, FinishReason::kStop);
  work.job->embedding(std::move(vector));
}

}  // namespace ponder
