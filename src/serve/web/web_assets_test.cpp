#include "serve/web/web_assets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace ponder {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string gunzip(std::string_view packed, size_t size) {
  std::string bytes(size, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_out, 0u);
  inflateEnd(&stream);
  return bytes;
}

HttpResponse get(std::string path, HttpHeaders headers = {}, std::string method = "GET") {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.headers = std::move(headers);
  HttpResponse not_found;
  not_found.status = 404;
  return asset_response(request).value_or(not_found);
}

std::string header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(WebAssets, HoldTheFilesByteForByte) {
  EXPECT_EQ(find_asset("/")->bytes, file_text("web/index.html"));
  EXPECT_EQ(find_asset("/status")->bytes, file_text("web/status.html"));
  EXPECT_EQ(find_asset("/assets/js/main.js")->bytes, file_text("web/js/main.js"));
  EXPECT_EQ(find_asset("/assets/vendor/katex/fonts/KaTeX_Main-Regular.woff2")->bytes,
            file_text("/usr/share/fonts/truetype/katex/KaTeX_Main-Regular.woff2"));
}

TEST(WebAssets, CompressedFormsHoldTheSame) {
  size_t compressed = 0;
  for (const EmbeddedAsset& asset : embedded_assets()) {
    if (asset.gzip.empty()) continue;
    ++compressed;
    EXPECT_LT(asset.gzip.size(), asset.bytes.size()) << asset.path;
    EXPECT_TRUE(gunzip(asset.gzip, asset.bytes.size()) == asset.bytes) << asset.path;
  }
  EXPECT_GT(compressed, 10u);
}

TEST(WebAssets, AreSortedAndTheirTagsDiffer) {
  std::set<std::string_view> tags;
  std::string_view last;
  for (const EmbeddedAsset& asset : embedded_assets()) {
    EXPECT_LT(last, asset.path);
    EXPECT_TRUE(tags.insert(asset.etag).second) << asset.path;
    last = asset.path;
  }
}

TEST(WebAssets, OnlyWholePathsAreFound) {
  for (const char* path : {"", "/index.html", "/assets", "/assets/", "/assets/js/main", "/status/",
                           "/assets/../index.html", "//", "/zzz"}) {
    EXPECT_EQ(find_asset(path), nullptr) << path;
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

// A page that loads what is not there would only fail in a browser.
TEST(WebAssets, PagesLoadOnlyWhatIsEmbedded) {
  const std::regex reference("(?:src|href)=\"([^\"#]+)\"");
  size_t found = 0;
  for (const char* page : {"/", "/status"}) {
    std::string html(find_asset(page)->bytes);
    for (std::sregex_iterator i(html.begin(), html.end(), reference), end; i != end; ++i) {
      std::string target = (*i)[1];
      EXPECT_NE(find_asset(target == "./" ? "/" : "/" + target), nullptr) << page << " " << target;
      ++found;
    }
    EXPECT_THAT(html, Not(HasSubstr("style=\""))) << "the policy forbids inline styles";
    EXPECT_THAT(html, Not(HasSubstr(" onclick=")));
  }
  EXPECT_GT(found, 15u);
}

TEST(WebAssets, EveryImportOfAModuleIsEmbedded) {
  const std::regex import("from '\\./([a-z_]+\\.js)'");
  size_t found = 0;
  for (const EmbeddedAsset& asset : embedded_assets()) {
    if (!asset.path.starts_with("/assets/js/")) continue;
    std::string text(asset.bytes);
    for (std::sregex_iterator i(text.begin(), text.end(), import), end; i != end; ++i) {
      EXPECT_NE(find_asset("/assets/js/" + (*i)[1].str()), nullptr) << asset.path << " " << (*i)[1];
      ++found;
    }
  }
  EXPECT_GT(found, 10u);
}

TEST(WebAssets, ThePolicyAllowsNoForeignAndNoInlineScript) {
  for (const char* path : {"/", "/status", "/assets/js/main.js", "/assets/vendor/marked.min.js"}) {
    HttpResponse response = get(path);
    std::string policy = header(response, "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, HasSubstr("script-src 'self';"));
    EXPECT_THAT(policy, HasSubstr("style-src 'self';"));
    EXPECT_THAT(policy, HasSubstr("connect-src 'self';"));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header(response, "Referrer-Policy"), "no-referrer");
  }
}

TEST(WebAssets, ContentTypes) {
  EXPECT_EQ(get("/").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(get("/assets/js/main.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(get("/assets/css/base.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(get("/assets/icon.svg").content_type, "image/svg+xml");
  EXPECT_EQ(get("/assets/vendor/katex/fonts/KaTeX_Main-Regular.woff2").content_type, "font/woff2");
}

TEST(WebAssets, GzipOnlyWhenAccepted) {
  for (const char* accept : {"gzip", "br, gzip", "deflate, gzip;q=0.5 , br", "*", "gzip ; q=1.0"}) {
    HttpResponse response = get("/", {{"accept-encoding", accept}});
    EXPECT_EQ(header(response, "Content-Encoding"), "gzip") << accept;
    EXPECT_TRUE(response.body == find_asset("/")->gzip) << accept;
  }
  for (const char* accept : {"", "br", "gzip;q=0", "gzip;q=0.000", "xgzip", "gzipx", ",,;"}) {
    HttpResponse response = get("/", {{"accept-encoding", accept}});
    EXPECT_EQ(header(response, "Content-Encoding"), "") << accept;
    EXPECT_TRUE(response.body == find_asset("/")->bytes) << accept;
  }
}

TEST(WebAssets, WhatTheBrowserHasIsNotSentAgain) {
  std::string tag(find_asset("/")->etag);
  for (std::string known : {tag, "\"a\", " + tag, tag.substr(2), std::string("*")}) {
    HttpResponse response = get("/", {{"if-none-match", known}});
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(header(response, "ETag"), tag);
  }
  for (const char* other : {"", "\"a\"", "W/\"\"", "W/", ",,,"}) {
    EXPECT_EQ(get("/", {{"if-none-match", other}}).status, 200) << other;
  }
}

TEST(WebAssets, OnlyReading) {
  EXPECT_EQ(get("/", {}, "HEAD").status, 200);
  EXPECT_EQ(get("/", {}, "HEAD").body.size(), get("/").body.size());
  for (const char* method : {"POST", "PUT", "DELETE", "get", ""}) {
    HttpResponse response = get("/", {}, method);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(header(response, "Allow"), "GET, HEAD");
  }
}

}  // namespace
}  // namespace ponder
