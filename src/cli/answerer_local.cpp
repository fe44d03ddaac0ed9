#include "cli/answerer.hpp"
#include "cli/format_text.hpp"
#include "cli/stats.hpp"

namespace ponder {
namespace {

class LocalAnswerer : public Answerer {
 public:
  LocalAnswerer(const LoadedModel& loaded, Tokenizer tokenizer, ChatTemplate chat_template,
                Session session)
      : loaded_(&loaded),
        tokenizer_(std::move(tokenizer)),
        template_(std::move(chat_template)),
        session_(std::move(session)) {}

  Result<Answer> answer(const Conversation& conversation, const ChatSettings& settings,
                        uint64_t seed_offset, const AnswerSinks& sinks) override {
    const RenderOptions options{.enable_thinking = settings.think};
    const std::vector<ChatMessage> messages = conversation.all();
    const std::string prompt = PONDER_TRY(template_.render(messages, options));
    AnswerRequest request;
    request.prompt = tokenizer_.encode(prompt, {.add_bos = false});
    if (std::ssize(request.prompt) > session_.capacity())
      return Failure{{.what = "the conversation would take " +
                              std::to_string(request.prompt.size()) + " tokens, the context has " +
                              std::to_string(session_.capacity()),
                      .mend = "/clear starts anew; a larger --ctx at the start gives more room"}};
    request.sampling = choose_sampling(settings.sampling, template_.reasons() && settings.think);
    request.sampling.seed += seed_offset;
    request.max_tokens = settings.max_tokens.value_or(-1);
    request.thoughts = {.reasons = template_.reasons(),
                        .starts_inside = template_.opens_thinking(messages, options)};
    request.on_text = sinks.on_text;
    request.on_thought = sinks.on_thought;
    request.progress = sinks.progress;
    sampling_ = request.sampling;
    return ponder::answer(session_, tokenizer_, request);
  }

  std::string greeting() const override {
    const Config& config = loaded_->model.config();
    const auto parameters = static_cast<double>(count_parameters(config).total);
    return loaded_->model.path().filename().string() + ": " +
           std::string(architecture_name(config.architecture)) + ", " + format_count(parameters) +
           " parameters, template " + template_.name() + ", context " +
           std::to_string(session_.capacity());
  }

  int64_t used() const override { return std::ssize(session_.tokens()); }
  int64_t capacity() const override { return session_.capacity(); }

  std::string stats(const Answer& answer, bool style) const override {
    return stats_text({.answer = answer.stats,
                       .load_seconds = loaded_->load_seconds,
                       .cache_bytes = session_.cache_bytes(),
                       .context = session_.capacity(),
                       .isa = loaded_->runtime.context().isa,
                       .threads = loaded_->runtime.context().pool->size(),
                       .sampling = sampling_},
                      style);
  }

  std::string sampling(const ChatSettings& settings) const override {
    SamplingFlags flags = settings.sampling;
    flags.seed = flags.seed.value_or(0);
    std::string text =
        describe_sampling(choose_sampling(flags, template_.reasons() && settings.think));
    if (!settings.sampling.seed) text.replace(text.rfind("seed"), std::string::npos, "seed random");
    return text;
  }

 private:
  const LoadedModel* loaded_;
  Tokenizer tokenizer_;
  ChatTemplate template_;
  Session session_;
  SamplingOptions sampling_;  // of the last answer
};

}  // namespace

std::unique_ptr<Answerer> make_local_answerer(const LoadedModel& loaded, Tokenizer tokenizer,
                                              ChatTemplate chat_template, Session session) {
  return std::make_unique<LocalAnswerer>(loaded, std::move(tokenizer), std::move(chat_template),
                                         std::move(session));
}

}  // namespace ponder
