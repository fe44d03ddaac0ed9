#include "ops/xent/xent_ref.hpp"

#include "ops/xent/xent.hpp"

namespace ponder::ref {

void scaled_softmax(const SoftmaxTask& task) noexcept {
  scaled_softmax_row<float>(task.logits, task.out, task.count, task.best, task.inverse_temperature,
                            task.log_total, task.factor);
}

}  // namespace ponder::ref
