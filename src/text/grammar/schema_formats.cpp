#include "text/grammar/schema_formats.hpp"

#include <array>
#include <utility>

namespace ponder {
namespace {

// 28 days in February, so that no year is wrong; no leap seconds.
constexpr std::string_view kDate =
    "[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|"
    "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))";
constexpr std::string_view kTime =
    "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?"
    "(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])";
constexpr std::string_view kLabel = "[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?";
constexpr std::string_view kByte = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
constexpr std::string_view kGroup = "[0-9a-f]{1,4}";

std::string host() {
  const std::string label(kLabel);
  return label + "(?:\\." + label + "){0,3}\\.[a-z]{2,10}";
}
std::string uri() {
  return "https?://" + host() +
         "(?::[1-9][0-9]{1,3})?(?:/[A-Za-z0-9._~-]{1,60}){0,8}/?"
         "(?:\\?[A-Za-z0-9._~=&-]{1,120})?(?:#[A-Za-z0-9._~-]{1,60})?";
}
std::string ipv4() {
  const std::string byte(kByte);
  return byte + "(?:\\." + byte + "){3}";
}
// All eight groups, or some of them and then :: for the rest.
std::string ipv6() {
  const std::string group(kGroup);
  return "(?:" + group + "(?::" + group + "){7}|" + group + "(?::" + group +
         "){0,5}::|::(?:" + group + "(?::" + group + "){0,5})?|" + group + "(?::" + group +
         "){0,2}::" + group + "(?::" + group + "){0,2})";
}
std::string duration() {
  return "P(?:[0-9]{1,4}W|[0-9]{1,4}Y(?:[0-9]{1,2}M(?:[0-9]{1,2}D)?)?|[0-9]{1,4}M(?:[0-9]{1,2}D)?|"
         "[0-9]{1,4}D(?:T[0-9]{1,2}H)?|T(?:[0-9]{1,3}H(?:[0-9]{1,2}M(?:[0-9]{1,2}S)?)?|"
         "[0-9]{1,3}M(?:[0-9]{1,2}S)?|[0-9]{1,3}S))";
}

using Format = std::pair<std::string_view, std::string (*)()>;
constexpr std::array kFormats = {
    Format{"date", [] { return std::string(kDate); }},
    Format{"time", [] { return std::string(kTime); }},
    Format{"date-time", [] { return std::string(kDate) + "T" + std::string(kTime); }},
    Format{"duration", duration},
    Format{"email",
           [] { return "[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,16}){0,2}@" + host(); }},
    Format{"hostname", host},
    Format{"ipv4", ipv4},
    Format{"ipv6", ipv6},
    Format{"uri", uri},
    Format{
        "uuid",
        [] { return std::string("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"); }},
};

}  // namespace

std::optional<std::string> format_pattern(std::string_view format) {
  for (const auto& [name, pattern] : kFormats)
    if (name == format) return pattern();
  return {};
}

std::string format_names() {
  std::string names;
  for (const auto& [name, pattern] : kFormats) {
    if (!names.empty()) names += ", ";
    names += name;
  }
  return names;
}

}  // namespace ponder
