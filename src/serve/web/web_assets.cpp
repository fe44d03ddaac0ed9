#include "serve/web/web_assets.hpp"

#include <algorithm>
#include <string>

namespace ponder {

namespace {

std::string_view trim(std::string_view text) {
  size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Calls `matches` with each trimmed part between commas until one is true.
template <typename Predicate>
bool any_part(std::string_view list, Predicate matches) {
  while (true) {
    size_t comma = list.find(',');
    if (matches(trim(list.substr(0, comma)))) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

std::string_view header(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

// "gzip" or "*", unless with a quality of zero.
bool accepts_gzip(std::string_view accept_encoding) {
  return any_part(accept_encoding, [](std::string_view part) {
    size_t semicolon = part.find(';');
    std::string_view coding = trim(part.substr(0, semicolon));
    if (coding != "gzip" && coding != "*") return false;
    if (semicolon == std::string_view::npos) return true;
    std::string_view quality = trim(part.substr(semicolon + 1));
    return quality.find_first_of("123456789") != std::string_view::npos;
  });
}

// Weak comparison, as If-None-Match asks for.
bool names_etag(std::string_view if_none_match, std::string_view etag) {
  constexpr std::string_view kWeak = "W/";
  return any_part(if_none_match, [&](std::string_view part) {
    if (part == "*") return true;
    if (part.starts_with(kWeak)) part.remove_prefix(kWeak.size());
    return part == etag.substr(kWeak.size());
  });
}

}  // namespace

const EmbeddedAsset* find_asset(std::string_view path) {
  std::span<const EmbeddedAsset> assets = embedded_assets();
  auto found =
      std::lower_bound(assets.begin(), assets.end(), path,
                       [](const EmbeddedAsset& a, std::string_view p) { return a.path < p; });
  return found != assets.end() && found->path == path ? &*found : nullptr;
}

std::optional<HttpResponse> asset_response(const HttpRequest& request) {
  const EmbeddedAsset* asset = find_asset(request.path);
  if (asset == nullptr) return std::nullopt;
  HttpResponse response;
  response.content_type = asset->content_type;
  if (request.method != "GET" && request.method != "HEAD") {
    response.status = 405;
    response.content_type = "text/plain; charset=utf-8";
    response.body = "This page is read with GET.\n";
    response.headers = {{"Allow", "GET, HEAD"}};
    return response;
  }
  for (const AssetHeader& h : asset_headers()) response.headers.emplace_back(h.name, h.value);
  response.headers.emplace_back("ETag", asset->etag);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (names_etag(header(request, "if-none-match"), asset->etag)) {
    response.status = 304;
  } else if (!asset->gzip.empty() && accepts_gzip(header(request, "accept-encoding"))) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = asset->gzip;
  } else {
    response.body = asset->bytes;
  }
  return response;
}

}  // namespace ponder
