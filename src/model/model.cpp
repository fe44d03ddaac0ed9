#include "model/model.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "io/gguf.hpp"
#include "io/safetensors.hpp"
#include "model/model_files.hpp"
#include "model/tensor_source.hpp"

namespace ponder {
namespace {

// An unaligned f32 array of a file as owned memory.
Buffer<float> copy_floats(const TensorView& view) {
  Buffer<float> floats(view.bytes.size() / sizeof(float));
  std::memcpy(floats.data(), view.bytes.data(), view.bytes.size());
  return floats;
}

Buffer<float> decode_all(const SourceTensor& tensor) {
  const Shape& shape = tensor.view.shape;
  Buffer<float> values(static_cast<size_t>(shape.elements()));
  decode_rows(tensor, 0, shape.elements() / shape[shape.rank - 1], values.data());
  return values;
}

DType most_common_format(const TensorMap& tensors) {
  uint64_t bytes[kDTypeCount] = {};
  for (const std::string& name : tensors.names()) {
    const TensorView* view = tensors.find(name);
    bytes[static_cast<size_t>(view->dtype)] += view->bytes.size();
  }
  return static_cast<DType>(std::max_element(bytes, bytes + kDTypeCount) - bytes);
}

}  // namespace

// Walks the parameters, keeping the first error.
class ModelLoader {
 public:
  ModelLoader(const Context& context, const ModelOptions& options, ModelFiles files)
      : context_(context), options_(options) {
    model_.config_ = std::move(files.config);
    model_.tensors_ = std::move(files.tensors);
    model_.path_ = std::move(files.path);
    model_.mla_ = options.mla;
    model_.isa_ = context.isa;
    source_ = {model_.tensors_, files.naming};
  }

  Result<Model> load() {
    const Config& config = model_.config_;
    model_.params_.layers.resize(static_cast<size_t>(config.layers));
    const ParamInfo mtp{ParamKind::kMtpProjection, config.layers, {}};
    if (options_.load_mtp && (config.mtp_layers == 0 || !source_.has(mtp))) {
      return Failure{{.what = "has no multi-token-prediction block",
                      .where = model_.path_.string(),
                      .mend = "use the original of a DeepSeek V3 or R1 model, or a GGUF made of it "
                              "with: ponder convert --mtp"}};
    }
    model_.params_.mtp.resize(options_.load_mtp ? 1 : 0);
    Result<void> status;
    for_each_param(config, model_.params_, [&](const ParamInfo& info, auto& member) {
      if (status.ok()) status = load_param(info, member);
    });
    PONDER_TRY(std::move(status));
    if (config.tied) {
      model_.params_.output =
          Weight::pack(context_, model_.params_.embedding, nullptr, MappedFile::release);
      model_.owned_bytes_ += static_cast<uint64_t>(model_.params_.output.bytes());
    }
    model_.main_dtype_ = most_common_format(model_.tensors_);
    return std::move(model_);
  }

 private:
  Result<void> load_param(const ParamInfo& info, Weight& weight) {
    if (info.kind == ParamKind::kMtpOutput && !PONDER_TRY(differs(info, ParamKind::kOutput)))
      return {};
    const SourceParam param = PONDER_TRY(source_.find(info));
    weight = pack(param);
    return loaded(param, weight.bytes(), weight.owns());
  }

  Result<void> load_param(const ParamInfo& info, Buffer<float>& vector) {
    const SourceParam param = PONDER_TRY(source_.find(info));
    vector = decode_all(param.tensors[0]);
    return loaded(param, static_cast<int64_t>(vector.size() * sizeof(float)), true);
  }

  // Rows are read from the file when they are looked up.
  Result<void> load_param(const ParamInfo& info, TensorView& table) {
    if (info.kind == ParamKind::kMtpEmbedding && !PONDER_TRY(differs(info, ParamKind::kEmbedding)))
      return {};
    const SourceParam param = PONDER_TRY(source_.find(info));
    if (!param.tensors[0].block_scale.empty()) {
      return Failure{{.what = "is FP8, which an embedding cannot be",
                      .where = model_.tensors_.where(param.tensors[0].name),
                      .mend = "get the model again from its source"}};
    }
    table = param.tensors[0].view;
    return loaded(param, 0, false);
  }

  Result<void> load_param(const ParamInfo& info, KvB<Linear>& kv_b) {
    const bool plain = model_.mla_ == MlaForm::kPlain;
    SourceParam param;
    if (source_.naming() == TensorSource::Naming::kGguf && !source_.has(info)) {
      param = PONDER_TRY(find_halves(info.layer));
      if (plain) {
        const KvBFloats halves{decode_all(param.tensors[0]), decode_all(param.tensors[1])};
        kv_b.whole = from_floats(join_kv_b(model_.config_.attention, halves), 1, info.shape);
      } else {
        kv_b.keys = Weight::pack(context_, param.tensors[0].view);
        kv_b.values = Weight::pack(context_, param.tensors[1].view);
      }
    } else {
      param = PONDER_TRY(source_.find(info));
      if (plain) {
        kv_b.whole = pack(param);
      } else {
        const KvBFloats halves = split_kv_b(model_.config_.attention, decode_all(param.tensors[0]));
        const auto [keys, values] = half_shapes();
        kv_b.keys = from_floats(halves.keys, keys[0], keys);
        kv_b.values = from_floats(halves.values, values[0], values);
      }
    }
    const int64_t bytes = kv_b.whole.bytes() + kv_b.keys.bytes() + kv_b.values.bytes();
    return loaded(param, bytes, kv_b.whole.owns() || kv_b.keys.owns());
  }

  std::pair<Shape, Shape> half_shapes() const {
    const MlaConfig& m = *model_.config_.attention.mla;
    const int64_t heads = model_.config_.attention.heads;
    return {Shape::of({heads, m.kv_rank, m.nope_dim}), Shape::of({heads, m.value_dim, m.kv_rank})};
  }

  // attn_k_b and attn_v_b of GGUF.
  Result<SourceParam> find_halves(int64_t layer) const {
    const auto [keys, values] = half_shapes();
    SourceParam param;
    param.tensors.push_back(PONDER_TRY(source_.find(gguf_k_b_name(layer), keys)));
    param.tensors.push_back(PONDER_TRY(source_.find(gguf_v_b_name(layer), values)));
    return param;
  }

  // Exact, at the price of 4 bytes a value: the file's format does not survive a transposition.
  Weight from_floats(const Buffer<float>& values, int64_t stack, const Shape& shape) const {
    return Weight::from_floats(context_, values.data(), stack, shape[shape.rank - 2],
                               shape[shape.rank - 1]);
  }

  Weight pack(const SourceParam& param) const {
    std::vector<TensorView> views;
    std::vector<Buffer<float>> scales;
    std::vector<const float*> scale_pointers;
    for (const SourceTensor& tensor : param.tensors) {
      views.push_back(tensor.view);
      if (tensor.block_scale.empty()) continue;
      scales.push_back(copy_floats(tensor.block_scale));
      scale_pointers.push_back(scales.back().data());
    }
    if (views.size() > 1) return Weight::pack(context_, views, scale_pointers, MappedFile::release);
    return Weight::pack(context_, views[0], scale_pointers.empty() ? nullptr : scale_pointers[0],
                        MappedFile::release);
  }

  // Whether the MTP block has its own embedding or output, not the usual copy of the model's.
  Result<bool> differs(const ParamInfo& info, ParamKind main_kind) const {
    if (!source_.has(info)) return false;
    ParamInfo main{main_kind, -1, info.shape};
    if (!source_.has(main)) return true;
    const SourceParam own = PONDER_TRY(source_.find(info)), other = PONDER_TRY(source_.find(main));
    const auto a = own.tensors[0].view.bytes, b = other.tensors[0].view.bytes;
    const bool same = a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
    source_.release(own);
    source_.release(other);
    return !same;
  }

  // Books a loaded parameter; what was copied need not stay in memory a second time.
  Result<void> loaded(const SourceParam& param, int64_t bytes, bool owns) {
    model_.owned_bytes_ += static_cast<uint64_t>(bytes);
    if (owns) source_.release(param);
    done_ += source_.bytes(param);
    if (options_.progress &&
        !options_.progress({"loading", done_, model_.tensors_.total_bytes(), "B"}))
      return Failure{{.what = "stopped"}};
    return {};
  }

  const Context& context_;
  const ModelOptions& options_;
  Model model_;
  TensorSource source_{model_.tensors_, TensorSource::Naming::kGguf};
  uint64_t done_ = 0;
};

Result<Model> Model::open(const std::filesystem::path& path, const Context& context,
                          const ModelOptions& options) {
  try {
    return ModelLoader(context, options, PONDER_TRY(open_model_files(path))).load();
  } catch (const std::bad_alloc&) {
    return Failure{{.what = "not enough memory for the weights",
                    .where = path.string(),
                    .mend = "use a smaller model or a smaller format"}};
  }
}

}  // namespace ponder
