#include "model/convert.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/log.hpp"
#include "base/thread_pool.hpp"
#include "io/gguf_writer.hpp"
#include "model/convert_format.hpp"
#include "model/convert_metadata.hpp"
#include "model/model_files.hpp"
#include "model/rope_frequencies.hpp"
#include "quant/codec.hpp"

namespace ponder {
namespace {

// Encoded bytes that are written at a time.
constexpr int64_t kWriteBytes = 8 << 20;

// How the rows of an output tensor come from the input.
enum class From {
  kRows,         // as they are, the experts' tensors one after the other
  kHalves,       // q and k of Llama: rotated in halves there, interleaved in GGUF
  kKvBKeys,      // U_k of kv_b, transposed per head
  kKvBValues,    // U_v of kv_b
  kRopeFactors,  // no input: base frequency over scaled frequency
};

struct OutputTensor {
  std::string name;
  Shape shape;
  DType dtype = DType::kF32;
  From from = From::kRows;
  SourceParam source = {};
  int64_t heads = 1;  // of kHalves

  int64_t cols() const { return shape[shape.rank - 1]; }
  int64_t rows() const { return shape.elements() / cols(); }
};

// The rows of one output tensor, in f32 or as the file has them.
class Rows {
 public:
  Rows(const OutputTensor& tensor, const Config& config) : tensor_(tensor) {
    if (tensor.from == From::kRopeFactors) {
      const auto factors = rope_factors(config.rope);
      floats_ = Buffer<float>(factors.size());
      std::copy(factors.begin(), factors.end(), floats_.data());
    } else if (tensor.from == From::kKvBKeys || tensor.from == From::kKvBValues) {
      const SourceTensor& whole = tensor.source.tensors[0];
      Buffer<float> values(static_cast<size_t>(whole.view.shape.elements()));
      decode_rows(whole, 0, whole.view.shape[0], values.data());
      KvBFloats halves = split_kv_b(config.attention, values);
      floats_ = std::move(tensor.from == From::kKvBKeys ? halves.keys : halves.values);
    }
  }

  // Row `row` in the output's format. scratch: (cols)
  void encode(int64_t row, float* scratch, std::byte* out) const {
    const int64_t cols = tensor_.cols();
    if (floats_.size() > 0) {
      encode_row(tensor_.dtype, floats_.data() + row * cols, cols, out);
      return;
    }
    const auto count = static_cast<int64_t>(tensor_.source.tensors.size());
    const int64_t rows_each = tensor_.rows() / count;
    const SourceTensor& source = tensor_.source.tensors[static_cast<size_t>(row / rows_each)];
    const int64_t source_row = permuted(row) % rows_each;
    if (source.view.dtype == tensor_.dtype && source.block_scale.empty()) {
      const auto bytes =
          static_cast<int64_t>(*row_bytes(tensor_.dtype, static_cast<uint64_t>(cols)));
      std::memcpy(out, source.view.bytes.data() + source_row * bytes, static_cast<size_t>(bytes));
      return;
    }
    decode_rows(source, source_row, source_row + 1, scratch);
    encode_row(tensor_.dtype, scratch, cols, out);
  }

 private:
  // Row 2j + b of a head comes from half b, index j.
  int64_t permuted(int64_t row) const {
    if (tensor_.from != From::kHalves) return row;
    const int64_t dim = tensor_.rows() / tensor_.heads, in_head = row % dim;
    return row - in_head + in_head % 2 * (dim / 2) + in_head / 2;
  }

  const OutputTensor& tensor_;
  Buffer<float> floats_;  // (rows, cols), if the rows are not those of the input
};

class Converter {
 public:
  Converter(const ConvertOptions& options, ModelFiles files)
      : options_(options),
        files_(std::move(files)),
        source_(files_.tensors, files_.naming),
        pool_(options.threads) {}

  Result<void> run() {
    type_ = PONDER_TRY(conversion_type(options_.type));
    const Config& config = files_.config;
    const ParamInfo mtp{ParamKind::kMtpProjection, config.layers, {}};
    const bool has_mtp = config.mtp_layers > 0 && source_.has(mtp);
    with_mtp_ = options_.keep_mtp;
    if (with_mtp_ && !has_mtp) {
      return Failure{{.what = "has no multi-token-prediction block to keep",
                      .where = files_.path.string(),
                      .mend = "convert it without --mtp"}};
    }
    if (has_mtp && !with_mtp_) log(LogLevel::kInfo, "the multi-token-prediction block is left out");
    for (const ParamInfo& info : list_params(config, with_mtp_)) PONDER_TRY(plan(info));
    PONDER_TRY(plan_rope_factors());

    GgufWriter writer = PONDER_TRY(GgufWriter::create(options_.output));
    PONDER_TRY(write_metadata(writer));
    for (const OutputTensor& tensor : tensors_)
      writer.declare(tensor.name, tensor.dtype, tensor.shape);
    PONDER_TRY(writer.begin());
    for (const OutputTensor& tensor : tensors_) PONDER_TRY(write_tensor(tensor, writer));
    return writer.commit();
  }

 private:
  bool from_gguf() const { return files_.gguf.has_value(); }

  Result<void> write_metadata(GgufWriter& writer) {
    if (!from_gguf()) {
      PONDER_TRY(write_config(files_.config, with_mtp_, files_.path, writer));
      PONDER_TRY(write_tokenizer(files_.config, files_.path, writer));
    } else {
      for (const std::string& key : files_.gguf->keys()) writer.copy(key, *files_.gguf->find(key));
      // An older file's kv_b becomes two tensors, which go with other sizes of heads.
      if (files_.config.attention.mla) write_attention_keys(files_.config, writer);
      if (files_.config.mtp_layers > 0 && !with_mtp_) {
        const std::string arch(gguf_architecture(files_.config.architecture));
        writer.set_u32(arch + ".block_count", static_cast<uint32_t>(files_.config.layers));
        writer.set_u32(arch + ".nextn_predict_layers", 0);
      }
    }
    write_file_type(type_, writer);
    return {};
  }

  Result<void> plan(const ParamInfo& info) {
    const bool mtp_copy =
        info.kind == ParamKind::kMtpEmbedding || info.kind == ParamKind::kMtpOutput;
    if (mtp_copy && !source_.has(info)) return {};
    if (info.kind == ParamKind::kKvB) return plan_kv_b(info);
    OutputTensor tensor{.name = gguf_name(info), .shape = info.shape};
    tensor.source = PONDER_TRY(source_.find(info));
    const bool permute = files_.config.architecture == Architecture::kLlama && !from_gguf();
    if (permute && (info.kind == ParamKind::kQ || info.kind == ParamKind::kK)) {
      const AttentionConfig& a = files_.config.attention;
      tensor.from = From::kHalves;
      tensor.heads = info.kind == ParamKind::kQ ? a.heads : a.kv_heads;
    }
    add(info, std::move(tensor));
    return {};
  }

  Result<void> plan_kv_b(const ParamInfo& info) {
    const AttentionConfig& a = files_.config.attention;
    OutputTensor keys{
        .name = gguf_k_b_name(info.layer), .shape = gguf_k_b_shape(a), .from = From::kKvBKeys};
    OutputTensor values{
        .name = gguf_v_b_name(info.layer), .shape = gguf_v_b_shape(a), .from = From::kKvBValues};
    if (from_gguf() && !source_.has(info)) {
      for (OutputTensor* half : {&keys, &values}) {
        half->source.tensors.push_back(PONDER_TRY(source_.find(half->name, half->shape)));
        half->from = From::kRows;
      }
    } else {
      keys.source = values.source = PONDER_TRY(source_.find(info));
    }
    add(info, std::move(keys));
    add(info, std::move(values));
    return {};
  }

  // Llama 3's scaling has no keys: GGUF has a tensor of divisors.
  Result<void> plan_rope_factors() {
    const RopeScaling kind = files_.config.rope.scaling.kind;
    OutputTensor tensor{.name = std::string(kRopeFactorsName),
                        .shape = Shape::of({files_.config.rope.dims / 2})};
    if (kind == RopeScaling::kFactors) {
      tensor.source.tensors.push_back(PONDER_TRY(source_.find(tensor.name, tensor.shape)));
    } else if (kind == RopeScaling::kLlama3) {
      tensor.from = From::kRopeFactors;
    } else {
      return {};
    }
    tensors_.push_back(std::move(tensor));
    return {};
  }

  void add(const ParamInfo& info, OutputTensor tensor) {
    const ChosenFormat chosen = choose_format(type_, files_.config, info, tensor.cols());
    tensor.dtype = chosen.dtype;
    if (chosen.fell_back)
      log(LogLevel::kInfo, tensor.name + ": rows of " + std::to_string(tensor.cols()) +
                               " elements become " + std::string(dtype_name(chosen.dtype)));
    tensors_.push_back(std::move(tensor));
  }

  Result<void> write_tensor(const OutputTensor& tensor, GgufWriter& writer) {
    const Rows rows(tensor, files_.config);
    const int64_t cols = tensor.cols(), total = tensor.rows();
    const auto bytes = static_cast<int64_t>(*row_bytes(tensor.dtype, static_cast<uint64_t>(cols)));
    const int64_t block = std::clamp<int64_t>(kWriteBytes / bytes, 1, total);
    buffer_.grow(static_cast<size_t>(block * bytes));
    scratch_.grow(static_cast<size_t>(pool_.size() * cols));
    for (int64_t begin = 0; begin < total; begin += block) {
      const int64_t count = std::min(block, total - begin);
      pool_.run(count, [&](int64_t row, int thread) {
        rows.encode(begin + row, scratch_.data() + thread * cols, buffer_.data() + row * bytes);
      });
      PONDER_TRY(writer.write(
          std::span<const std::byte>(buffer_.data(), static_cast<size_t>(count * bytes))));
      // The two halves of kv_b share their source: the keys count for none of it.
      const double part = static_cast<double>(begin + count) / static_cast<double>(total);
      const auto size = static_cast<double>(source_.bytes(tensor.source));
      PONDER_TRY(report(tensor.from == From::kKvBKeys ? 0 : static_cast<uint64_t>(part * size)));
    }
    if (tensor.from == From::kKvBKeys) return {};
    source_.release(tensor.source);
    done_ += source_.bytes(tensor.source);
    return {};
  }

  Result<void> report(uint64_t more) const {
    const uint64_t total = files_.tensors.total_bytes();
    if (!options_.progress ||
        options_.progress({"converting", std::min(done_ + more, total), total, "B"}))
      return {};
    return Failure{{.what = "stopped"}};
  }

  const ConvertOptions& options_;
  ModelFiles files_;
  TensorSource source_;
  ThreadPool pool_;
  ConversionType type_;
  bool with_mtp_ = false;
  std::vector<OutputTensor> tensors_;
  Buffer<std::byte> buffer_;
  Buffer<float> scratch_;  // (threads, cols)
  uint64_t done_ = 0;
};

}  // namespace

Result<void> convert(const ConvertOptions& options) {
  try {
    return Converter(options, PONDER_TRY(open_model_files(options.input))).run();
  } catch (const std::bad_alloc&) {
    return Failure{
        {.what = "not enough memory for the conversion", .where = options.input.string()}};
  }
}

}  // namespace ponder
