// Learning from text: pretraining, supervised fine-tuning, and distillation from a teacher's
// answers. All are the cross-entropy of tokens that are given.
#pragma once

#include "train/run.hpp"

namespace ponder {

// Keys: [data] train, eval, template, length, group, too_long, turns, shuffle; [train] steps or
// epochs, batch, eval_every, balance, mtp, recompute; rate, final_rate, warmup, schedule of
// [optimizer]; [samples] prompts, every, tokens.
Result<std::unique_ptr<Stage>> make_pretrain_stage(TrainRun& run);  // prompts without a template
Result<std::unique_ptr<Stage>> make_sft_stage(TrainRun& run);
// The same with the settings of R1's distilled models: the rate falls to a tenth along a cosine.
Result<std::unique_ptr<Stage>> make_distill_stage(TrainRun& run);

}  // namespace ponder
