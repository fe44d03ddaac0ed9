// What a hub answers: listings, and the files chosen from them, must stay inside the cache.
#include <filesystem>

#include "io/http_client.hpp"
#include "io/hub_listing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ponder;
  // Three parts, split at zero bytes: a name, a listing, a tree.
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto first = std::min(all.find('\0'), all.size());
  const auto second = std::min(all.find('\0', first + 1), all.size());
  const auto model =
      all.substr(std::min(first + 1, all.size()), second - std::min(first + 1, second));
  const auto tree = all.substr(std::min(second + 1, all.size()));
  if (const auto url = Url::parse(all.substr(0, first)); url.ok()) {
    if (!Url::parse(url.value().text()).ok()) __builtin_trap();
    (void)url.value().follow(model);
  }
  const auto name = PullName::parse(all.substr(0, first));
  const auto files = parse_listing(model, tree, "hub");
  if (!name.ok() || !files.ok()) return 0;
  const auto choice = choose_files(name.value(), files.value());
  if (!choice.ok()) return 0;
  for (const auto& file : choice.value().files) {
    const auto path = ("/cache/" / std::filesystem::path(file.name)).lexically_normal().string();
    if (!path.starts_with("/cache/")) __builtin_trap();
  }
  return 0;
}
