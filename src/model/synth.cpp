#include "model/synth.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

#include "base/checked_math.hpp"
#include "base/thread_pool.hpp"
#include "core/buffer.hpp"
#include "io/gguf_writer.hpp"
#include "model/convert_format.hpp"
#include "model/convert_metadata.hpp"
#include "model/named_shapes.hpp"
#include "model/rope_frequencies.hpp"
#include "model/synth_vocabulary.hpp"
#include "model/synth_weights.hpp"

namespace ponder {
namespace {

// Pieces that are drawn, then written, at a time.
constexpr int64_t kPiecesAtOnce = 128;

struct SynthTensor {
  std::string name;
  Shape shape;
  DType dtype = DType::kF32;
  std::vector<float> values;  // if they are not random

  uint64_t bytes() const {
    const auto cols = static_cast<uint64_t>(shape[shape.rank - 1]);
    return *row_bytes(dtype, cols) * (static_cast<uint64_t>(shape.elements()) / cols);
  }
};

// What all elements of a parameter that is not random are. The router's correction is there to even
// out the load of the experts, which random routers do without it.
std::optional<float> constant_of(const ParamInfo& info) {
  const auto bias = {ParamKind::kQBias, ParamKind::kKBias, ParamKind::kVBias};
  if (!info.is_vector() || std::find(bias.begin(), bias.end(), info.kind) != bias.end()) return {};
  return info.kind == ParamKind::kRouterBias ? 0.0f : 1.0f;  // 1: a norm
}

std::vector<SynthTensor> list_tensors(const Config& config, const ConversionType& type) {
  std::vector<SynthTensor> tensors;
  const auto add = [&](const ParamInfo& info, std::string name, const Shape& shape) {
    SynthTensor tensor{.name = std::move(name), .shape = shape, .values = {}};
    tensor.dtype = choose_format(type, config, info, shape[shape.rank - 1]).dtype;
    if (const auto value = constant_of(info))
      tensor.values.assign(static_cast<size_t>(shape.elements()), *value);
    tensors.push_back(std::move(tensor));
  };
  for (const ParamInfo& info : list_params(config)) {
    if (info.kind != ParamKind::kKvB) {
      add(info, gguf_name(info), info.shape);
      continue;
    }
    add(info, gguf_k_b_name(info.layer), gguf_k_b_shape(config.attention));
    add(info, gguf_v_b_name(info.layer), gguf_v_b_shape(config.attention));
  }
  if (config.rope.scaling.kind == RopeScaling::kLlama3) {
    auto factors = rope_factors(config.rope);
    tensors.push_back({.name = std::string(kRopeFactorsName),
                       .shape = Shape::of({std::ssize(factors)}),
                       .values = std::move(factors)});
  }
  return tensors;
}

std::string in_megabytes(uint64_t bytes) { return std::to_string(bytes / 1'000'000) + " MB"; }

Result<void> check_room(const std::filesystem::path& path, uint64_t bytes) {
  std::error_code error;
  const auto folder = std::filesystem::absolute(path, error).parent_path();
  const auto space = std::filesystem::space(folder, error);
  if (error || space.available >= bytes) return {};  // unknown: writing will tell
  return Failure{{.what = "needs " + in_megabytes(bytes) + ", but the disk has only " +
                          in_megabytes(space.available) + " left",
                  .where = path.string(),
                  .mend = "free some space, or choose fewer layers or another place"}};
}

class Synth {
 public:
  explicit Synth(const SynthOptions& options) : options_(options), pool_(options.threads) {}

  Result<void> run() {
    const NamedShape shape = PONDER_TRY(named_shape(options_.shape, options_.layers));
    const ConversionType type = PONDER_TRY(conversion_type(options_.type));
    const auto tensors = list_tensors(shape.config, type);
    GgufWriter writer = PONDER_TRY(GgufWriter::create(options_.output));
    PONDER_TRY(write_config(shape.config, false, shape.name, writer));
    writer.set_text("general.description", "random weights for measuring speed");
    write_synth_vocabulary(shape.pretokenizer, shape.config.vocab, writer);
    write_file_type(type, writer);
    for (const SynthTensor& tensor : tensors) {
      writer.declare(tensor.name, tensor.dtype, tensor.shape);
      total_ += tensor.bytes();
    }
    PONDER_TRY(check_room(options_.output, writer.file_bytes()));
    PONDER_TRY(writer.begin());
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].values.empty()) {
        PONDER_TRY(write_random(tensors[i], static_cast<uint32_t>(i), writer));
      } else {
        PONDER_TRY(writer.write(std::as_bytes(std::span(tensors[i].values))));
        done_ += tensors[i].bytes();
      }
    }
    return writer.commit();
  }

 private:
  Result<void> write_random(const SynthTensor& tensor, uint32_t number, GgufWriter& writer) {
    const SynthWeights weights(tensor.dtype, options_.seed, number);
    const auto piece = static_cast<int64_t>(weights.piece_bytes());
    const auto bytes = static_cast<int64_t>(tensor.bytes());
    buffer_.grow(static_cast<size_t>(std::min(bytes, kPiecesAtOnce * piece)));
    for (int64_t begin = 0; begin < bytes; begin += kPiecesAtOnce * piece) {
      const int64_t count = std::min(bytes - begin, kPiecesAtOnce * piece);
      pool_.run(ceil_div(count, piece), [&](int64_t i, int) {
        const auto size = static_cast<size_t>(std::min(piece, count - i * piece));
        weights.draw(static_cast<uint32_t>(begin / piece + i), {buffer_.data() + i * piece, size});
      });
      PONDER_TRY(
          writer.write(std::span<const std::byte>(buffer_.data(), static_cast<size_t>(count))));
      done_ += static_cast<uint64_t>(count);
      if (options_.progress && !options_.progress({"writing", done_, total_, "B"}))
        return Failure{{.what = "stopped"}};
    }
    return {};
  }

  const SynthOptions& options_;
  ThreadPool pool_;
  Buffer<std::byte> buffer_;
  uint64_t done_ = 0, total_ = 0;  // bytes of tensors
};

}  // namespace

Result<void> synth(const SynthOptions& options) { return Synth(options).run(); }

}  // namespace ponder
