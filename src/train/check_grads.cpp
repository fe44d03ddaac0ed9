#include "train/check_grads.hpp"

#include <vector>

#include "io/safetensors_writer.hpp"
#include "model/trainable.hpp"

namespace ponder {
namespace {

Result<void> write_gradients(const TrainableModel& model, std::span<const float> gradients,
                             float loss, const std::filesystem::path& out) {
  SafetensorsWriter writer = PONDER_TRY(SafetensorsWriter::create(out));
  writer.declare("loss", DType::kF32, Shape::of({1}));
  std::vector<ParamInfo> params = list_params(model.model().config());
  std::erase_if(params, [](const ParamInfo& p) { return p.kind == ParamKind::kRouterBias; });
  for (const ParamInfo& info : params) {
    const int64_t experts = info.is_experts() ? info.shape[0] : 1;
    const Shape shape = info.is_experts() ? Shape::of({info.shape[1], info.shape[2]}) : info.shape;
    for (int64_t e = 0; e < experts; ++e)
      writer.declare("grad." + hf_name(info, e), DType::kF32, shape);
  }
  PONDER_TRY(writer.begin());
  PONDER_TRY(writer.write(std::as_bytes(std::span(&loss, 1))));
  for (const ParamInfo& info : params) {
    const std::vector<float> values = model.checkpoint_values(info, gradients);
    PONDER_TRY(writer.write(std::as_bytes(std::span(values))));
  }
  return writer.commit();
}

}  // namespace

Result<double> check_grads(const Context& context, const std::filesystem::path& model,
                           std::span<const int32_t> tokens, const std::filesystem::path& out) {
  const auto trainable = PONDER_TRY(TrainableModel::open(model, context));
  std::vector<float> gradients(static_cast<size_t>(trainable->gradient_size()));
  double loss = 0.0;
  const auto mean = [&](const RowScores& scores, std::span<float> gradient) {
    for (size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = -1.0f / static_cast<float>(gradient.size());
      loss -= static_cast<double>(scores.log_probability[i]);
    }
    loss /= static_cast<double>(gradient.size());
  };
  const TrainSequence sequence{tokens};
  PONDER_TRY(train_pass(context, *trainable, {&sequence, 1}, {}, mean, gradients));
  PONDER_TRY(write_gradients(*trainable, gradients, static_cast<float>(loss), out));
  return loss;
}

}  // namespace ponder
