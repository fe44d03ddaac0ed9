// The web pages, which are part of the program: the chat at "/", the status page at "/status", and
// what these load under "/assets/".
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "serve/http/exchange.hpp"

namespace ponder {

struct EmbeddedAsset {
  std::string_view path;  // "/", "/assets/js/main.js" …
  std::string_view content_type;
  std::string_view bytes;
  std::string_view gzip;  // the same compressed; empty if that saves nothing
  std::string_view etag;  // as it stands in the header; one for both forms, therefore weak
};

struct AssetHeader {
  std::string_view name, value;
};

// Sorted by path. Made by tools/embed_assets.cpp, as is the next.
std::span<const EmbeddedAsset> embedded_assets();

// What every asset is sent with: the content security policy and its like.
std::span<const AssetHeader> asset_headers();

// Null if there is none.
const EmbeddedAsset* find_asset(std::string_view path);

// The answer to a request for an asset; nothing if the path is not one's. The body of an answer to
// HEAD is that of GET: the server leaves it out after counting it.
std::optional<HttpResponse> asset_response(const HttpRequest& request);

}  // namespace ponder
