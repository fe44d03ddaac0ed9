#include "model/params.hpp"

namespace ponder {
namespace {

struct Nothing {};
struct NoTypes {
  using Matrix = Nothing;
  using Vector = Nothing;
  using Table = Nothing;
};

}  // namespace

std::vector<ParamInfo> list_params(const Config& config, bool with_mtp) {
  ParamsOf<NoTypes> params;
  params.layers.resize(static_cast<size_t>(config.layers));
  if (with_mtp) params.mtp.resize(static_cast<size_t>(config.mtp_layers));
  std::vector<ParamInfo> list;
  for_each_param(config, params, [&](const ParamInfo& info, auto&) { list.push_back(info); });
  return list;
}

}  // namespace ponder
