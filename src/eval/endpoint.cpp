#include "eval/endpoint.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>
#include <thread>

#include "base/rng.hpp"
#include "io/event_stream.hpp"
#include "io/http_client.hpp"

namespace ponder {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostRefusal = 1 << 20;
constexpr double kLongestPause = 60.0, kLongestWish = 600.0;  // seconds; ours, the server's
constexpr int64_t kTemplateTokens = 4096;                     // that a server may add to a prompt
constexpr std::string_view kChangeable[] = {"max_tokens", "temperature", "top_p", "seed",
                                            "stream_options"};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// False: the flag was set before the time had passed.
bool pause_for(double seconds, const std::atomic<bool>& stop) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (!stop && Clock::now() < end)
    std::this_thread::sleep_for(
        std::min<std::chrono::duration<double>>(std::chrono::milliseconds(50), end - Clock::now()));
  return !stop;
}

// Whole seconds of a Retry-After; dates and nonsense give nothing.
std::optional<double> wished_pause(std::string_view header) {
  if (header.empty() || header.size() > 6) return std::nullopt;
  double seconds = 0;
  for (const char c : header) {
    if (c < '0' || c > '9') return std::nullopt;
    seconds = 10 * seconds + (c - '0');
  }
  return std::min(seconds, kLongestWish);
}

bool worth_retrying(int status) {
  return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

// Starts are spread evenly over the minute.
class Pace {
 public:
  explicit Pace(double per_minute) : gap_(per_minute > 0 ? 60.0 / per_minute : 0.0) {}

  bool wait(const std::atomic<bool>& stop) {
    if (gap_ == 0.0) return !stop;
    double wait = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto now = Clock::now();
      const auto start = std::max(now, next_);
      next_ =
          start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(gap_));
      wait = std::chrono::duration<double>(start - now).count();
    }
    return pause_for(wait, stop);
  }

 private:
  double gap_;
  std::mutex mutex_;
  Clock::time_point next_ = {};
};

// One attempt.
struct Attempt {
  int status = 0;  // 0: no answer came
  std::string refusal = {};
  std::string retry_after = {};
  std::unique_ptr<WireAnswer> answer;
  Result<void> transport = {};
};

class Endpoint : public AnsweringModel {
 public:
  Endpoint(EndpointOptions options, Url base)
      : options_(std::move(options)), base_(std::move(base)), pace_(options_.requests_per_minute) {}

  Asked ask(const Question& question, const AskOptions& options,
            const std::atomic<bool>& stop) override;
  OrderedJson describe() const override;
  int concurrency() const override { return options_.concurrency; }
  bool local() const override { return false; }

 private:
  Attempt attempt(const Question& question, const AskOptions& options,
                  const std::atomic<bool>& stop) const;
  bool adapt(const WireError& error);
  void finish(Reply& reply, const Question& question) const;
  int64_t count(const std::string& text) const;
  std::string clean(std::string text) const;
  Json changes() const;

  EndpointOptions options_;
  Url base_;
  Pace pace_;
  mutable std::mutex mutex_;
  std::set<std::string> refused_;  // fields that the server does not take
};

Json Endpoint::changes() const {
  Json all = Json::object();
  const std::lock_guard lock(mutex_);
  for (const std::string& field : refused_) all[field] = nullptr;
  all.update(options_.changes);
  return all;
}

Attempt Endpoint::attempt(const Question& question, const AskOptions& options,
                          const std::atomic<bool>& stop) const {
  WireRequest wire = wire_request(options_.api, options_.model, question, options, changes());
  if (const std::lock_guard lock(mutex_); refused_.contains("max_tokens"))
    wire.body["max_completion_tokens"] = options.max_tokens;
  HttpPost post{.url = base_,
                .token = options_.key,
                .body = wire.body.dump(-1, ' ', false, Json::error_handler_t::replace),
                .token_header = wire.token_header,
                .headers = wire.headers,
                .patience = std::chrono::seconds(options_.patience_seconds),
                .stop = &stop};
  post.url.target += wire.path;
  Attempt out{.answer = wire_answer(options_.api)};
  const auto start = Clock::now();
  EventStream events([&](std::string_view data) -> Result<void> {
    const bool begun = out.answer->begun();
    PONDER_TRY(out.answer->event(data));
    if (!begun && out.answer->begun()) out.answer->reply().first_seconds = seconds_since(start);
    return {};
  });
  out.transport = http_post(post, {.head = [&](const HttpHead& head) -> Result<void> {
                                     out.status = head.status;
                                     out.retry_after = head.header("retry-after");
                                     return {};
                                   },
                                   .body = [&](std::span<const std::byte> bytes) -> Result<void> {
                                     const std::string_view text(
                                         reinterpret_cast<const char*>(bytes.data()), bytes.size());
                                     if (out.status == 200) return events.push(text);
                                     if (out.refusal.size() + text.size() > kMostRefusal)
                                       return Failure{{.what = "the refusal is too long"}};
                                     out.refusal += text;
                                     return {};
                                   }});
  out.answer->reply().seconds = seconds_since(start);
  return out;
}

// Whether the refusal was of a field that we can do without.
bool Endpoint::adapt(const WireError& error) {
  if (std::find(std::begin(kChangeable), std::end(kChangeable), error.param) ==
      std::end(kChangeable))
    return false;
  const std::lock_guard lock(mutex_);
  refused_.insert(error.param);
  return true;
}

Asked Endpoint::ask(const Question& question, const AskOptions& options,
                    const std::atomic<bool>& stop) {
  Asked asked;
  Rng jitter(question.seed, 1);
  double pause = options_.retry_seconds;
  for (int number = 1, adapted = 0; number <= options_.attempts; ++number) {
    if (!pace_.wait(stop)) break;
    Attempt attempt = this->attempt(question, options, stop);
    Reply& reply = attempt.answer->reply();
    if (attempt.status == 200 && attempt.answer->complete()) {  // even if the rest was cut
      reply.attempts = number;
      reply.lost_tokens = asked.lost_tokens;
      finish(reply, question);
      asked.reply = std::move(reply);
      return asked;
    }
    if (stop) break;
    asked.lost_tokens += count(reply.text) + count(reply.reasoning);
    if (attempt.status != 0 && attempt.status != 200) {
      const WireError error = wire_error(attempt.status, attempt.refusal);
      asked.error = {.what = clean(error.message), .where = base_.text()};
      if (attempt.status == 400 && adapted < 5 && adapt(error)) {
        ++adapted, --number;
        continue;
      }
      if (!worth_retrying(attempt.status)) {
        asked.fatal = attempt.status == 401 || attempt.status == 402 || attempt.status == 403 ||
                      attempt.status == 404;
        if (asked.fatal && attempt.status != 404)
          asked.error.mend = "check the key in the environment and the account behind it";
        return asked;
      }
    } else {
      asked.error = attempt.transport.ok()
                        ? Error{.what = "the answer was cut off", .where = base_.text()}
                        : attempt.transport.error();
      asked.error.what = clean(asked.error.what);
    }
    if (number == options_.attempts) break;
    const double own = pause * (0.5 + jitter.next_double());
    if (!pause_for(wished_pause(attempt.retry_after).value_or(own), stop)) break;
    pause = std::min(2 * pause, kLongestPause);
  }
  asked.stopped = stop;
  asked.error.mend = "after " + std::to_string(options_.attempts) +
                     " attempts; run again with --resume to ask what is missing";
  return asked;
}

// With our own count where none was told.
void Endpoint::finish(Reply& reply, const Question& question) const {
  const OwnCount own{.prompt_tokens = count(question.prompt),
                     .text_tokens = count(reply.text),
                     .thought_tokens = count(reply.reasoning),
                     .exact = options_.tokenizer.has_value()};
  reply.text = clean(std::move(reply.text));
  reply.reasoning = clean(std::move(reply.reasoning));
  reply.served = clean(reply.served.substr(0, 200));
  if (!reply.usage.told) {
    reply.usage = {.input = own.prompt_tokens,
                   .output = own.text_tokens + own.thought_tokens,
                   .reasoning = own.thought_tokens};
  }
  reply.doubts = doubt_usage(reply.usage, question, reply, own);
}

// Without a tokenizer four bytes count as a token.
int64_t Endpoint::count(const std::string& text) const {
  if (options_.tokenizer)
    return std::ssize(options_.tokenizer->encode(text, {.add_bos = false, .parse_special = false}));
  return (std::ssize(text) + 3) / 4;
}

// A server may quote the key; it is neither stored nor shown.
std::string Endpoint::clean(std::string text) const {
  if (options_.key.size() < 4) return text;
  for (size_t at = 0; (at = text.find(options_.key, at)) != std::string::npos;)
    text.replace(at, options_.key.size(), "[key]");
  return text;
}

OrderedJson Endpoint::describe() const {
  OrderedJson refused = OrderedJson::array();
  const std::lock_guard lock(mutex_);
  for (const std::string& field : refused_) refused.push_back(field);
  return {{"kind", "endpoint"},          {"name", options_.model},
          {"url", base_.text()},         {"api", api_name(options_.api)},
          {"changes", options_.changes}, {"fields_refused", refused}};
}

}  // namespace

std::string doubt_usage(const TokenUsage& usage, const Question& question, const Reply& reply,
                        const OwnCount& own) {
  if (!usage.told) return "no usage was told: tokens are our own count";
  std::string doubts;
  const auto say = [&](const std::string& text) { doubts += (doubts.empty() ? "" : "; ") + text; };
  if (usage.cached + usage.cache_write > usage.input) say("more tokens cached than the prompt has");
  if (usage.reasoning > usage.output) say("more tokens of thoughts than of output");
  const auto compare = [&](const std::string& what, int64_t told, int64_t least, int64_t most) {
    if (told < least || told > most)
      say(std::to_string(told) + " tokens of " + what + " told, " +
          std::to_string(std::max<int64_t>(least, 0)) + " to " + std::to_string(most) +
          " are possible by our own count");
  };
  const auto slack = [](int64_t count) { return count / 10 + 16; };
  // Thoughts may be hidden or shown as a summary: where they are told apart, the rest is compared.
  const bool apart = usage.reasoning > 0;
  const int64_t told = usage.output - usage.reasoning;
  if (own.exact) {
    const int64_t seen = own.text_tokens + (apart ? 0 : own.thought_tokens);
    compare("the prompt", usage.input, own.prompt_tokens - slack(own.prompt_tokens),
            own.prompt_tokens + kTemplateTokens);
    compare("the answer", told, seen - slack(seen), seen + slack(seen));
  } else {
    const int64_t seen = std::ssize(reply.text) + (apart ? 0 : std::ssize(reply.reasoning));
    const int64_t asked = std::ssize(question.prompt);
    compare("the prompt", usage.input, asked / 16 - 16, asked + kTemplateTokens);
    compare("the answer", told, seen / 16 - 16, seen + 16);
  }
  return doubts;
}

std::string key_variable(const std::string& url) {
  const auto parsed = Url::parse(url);
  const std::string host = parsed.ok() ? parsed.value().host : "";
  if (host == "api.openai.com") return "OPENAI_API_KEY";
  if (host == "api.anthropic.com") return "ANTHROPIC_API_KEY";
  if (host == "api.deepseek.com") return "DEEPSEEK_API_KEY";
  return "PONDER_API_KEY";
}

Result<std::unique_ptr<AnsweringModel>> make_endpoint(EndpointOptions options) {
  const bool has_scheme = options.url.find("://") != std::string::npos;
  Url base = PONDER_TRY(Url::parse(has_scheme ? options.url : "http://" + options.url));
  while (base.target.ends_with('/')) base.target.pop_back();
  if (base.target.empty()) base.target = "/v1";
  return std::unique_ptr<AnsweringModel>(new Endpoint(std::move(options), std::move(base)));
}

}  // namespace ponder
