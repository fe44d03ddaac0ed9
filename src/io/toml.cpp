#include "io/toml.hpp"

#include <utility>

namespace ponder {
namespace {

std::string place(const toml::source_region& source, const std::string& where) {
  return where + ": line " + std::to_string(source.begin.line);
}

}  // namespace

Result<toml::table> parse_toml(std::string_view text, const std::string& where) {
  toml::parse_result parsed = toml::parse(text);
  if (!parsed)
    return Failure{{.what = std::string(parsed.error().description()),
                    .where = place(parsed.error().source(), where)}};
  return std::move(parsed).table();
}

std::string toml_place(const toml::node& node, const std::string& where) {
  return place(node.source(), where);
}

}  // namespace ponder
