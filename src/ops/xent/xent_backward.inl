// The softmax of a row over a vector type V.
#include "ops/xent/xent.hpp"
#include "simd/math.hpp"

namespace ponder {

template <typename V>
PONDER_INLINE typename V::Floats scaled_softmax_of(typename V::Floats logits,
                                                   const SoftmaxTask& task) {
  const auto shift = V::sub(logits, V::set(task.best));
  const auto power = V::fma(shift, V::set(task.inverse_temperature), V::set(-task.log_total));
  return V::mul(V::set(task.factor), exp<V>(power));
}

template <typename V>
PONDER_INLINE void scaled_softmax_row_of(const SoftmaxTask& task) {
  int64_t i = 0;
  for (; i + V::kLanes <= task.count; i += V::kLanes)
    V::store(task.out + i, scaled_softmax_of<V>(V::load(task.logits + i), task));
  if (const int rest = static_cast<int>(task.count - i); rest > 0)
    V::store_prefix(task.out + i, scaled_softmax_of<V>(V::load_prefix(task.logits + i, rest), task),
                    rest);
}

}  // namespace ponder
