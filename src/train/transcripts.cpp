#include "train/transcripts.hpp"

#include <algorithm>

#include "engine/generate.hpp"
#include "train/examples.hpp"

namespace ponder {

Result<Transcripts> Transcripts::read(const TrainRun& run,
                                      const std::optional<ChatTemplate>& chat) {
  const Recipe samples = run.recipe().table("samples");
  Transcripts transcripts;
  transcripts.chat_ = chat;
  transcripts.prompts_ = PONDER_TRY(samples.texts("prompts"));
  transcripts.every_ = PONDER_TRY(samples.integer("every", 50, {1, 1 << 30}));
  transcripts.tokens_ = PONDER_TRY(samples.integer("tokens", 64, {1, 1 << 16}));
  return transcripts;
}

Result<void> Transcripts::write(TrainRun& run, int64_t done) const {
  if (done % every_ != 0 || run.ranks().rank() != 0) return {};
  Trainer& trainer = run.trainer();
  const Tokenizer& tokenizer = run.tokenizer();
  for (const std::string& prompt : prompts_) {
    const ChatMessage message{.role = "user", .content = prompt};
    const std::string text = PONDER_TRY(prompt_text(chat_, std::span(&message, 1)));
    const auto ids = tokenizer.encode(text, {.add_bos = !chat_});
    const int64_t context =
        std::min(run.config().context, static_cast<int64_t>(ids.size()) + tokens_ + 1);
    Session session = PONDER_TRY(
        Session::create(trainer.context(), trainer.model().model(), {.context = context}));
    PONDER_TRY(session.prefill(ids));
    const GenerateResult result = PONDER_TRY(session.generate(
        {.sampling = {.temperature = 0.0f}, .max_tokens = tokens_, .is_end = [&](int32_t id) {
           return tokenizer.is_end(id);
         }}));
    run.sample(done, {{"prompt", prompt}, {"answer", tokenizer.decode(result.tokens)}});
  }
  return {};
}

}  // namespace ponder
