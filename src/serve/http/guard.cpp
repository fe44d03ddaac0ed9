#include "serve/http/guard.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/file.hpp"
#include "serve/http/errors.hpp"

namespace ponder {
namespace {

constexpr uint64_t kLargestKeyFile = 16 << 20;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// The host of "host:port" and "[::1]:port", in lower case, without brackets. Nothing if what
// follows the host is no port.
std::optional<std::string> host_of(std::string_view authority) {
  const bool bracketed = authority.starts_with('[');
  const size_t end =
      std::min(bracketed ? authority.find(']') : authority.find(':'), authority.size());
  if (bracketed && end == authority.size()) return std::nullopt;
  const auto host = bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
  auto rest = authority.substr(bracketed ? end + 1 : end);
  if (rest.starts_with(':')) {
    rest.remove_prefix(1);
  } else if (!rest.empty()) {
    return std::nullopt;
  }
  const bool digits =
      std::all_of(rest.begin(), rest.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || host.empty()) return std::nullopt;
  return lower(host);
}

// Not "127.evil.example", which is a name.
bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

// "https://a.example" as it is, "http://localhost:*" with any port or none.
bool origin_matches(const std::string& allowed, const std::string& origin) {
  if (allowed == "*" || allowed == origin) return true;
  if (!allowed.ends_with(":*")) return false;
  const std::string_view base = std::string_view(allowed).substr(0, allowed.size() - 2);
  if (!origin.starts_with(base)) return false;
  const std::string_view port = std::string_view(origin).substr(base.size());
  return port.empty() ||
         (port.size() > 1 && port[0] == ':' &&
          std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; }));
}

bool same_origin(std::string_view origin, std::string_view host) {
  const size_t scheme = origin.find("://");
  return scheme != origin.npos && lower(origin.substr(scheme + 3)) == lower(host);
}

bool is_open(const std::vector<std::string>& open, std::string_view path) {
  return std::any_of(open.begin(), open.end(), [&](std::string_view entry) {
    return entry.ends_with("/*") ? path.starts_with(entry.substr(0, entry.size() - 1))
                                 : path == entry;
  });
}

HttpError refusal(int status, std::string message, std::string code, HttpHeaders headers = {}) {
  return {.status = status,
          .message = std::move(message),
          .code = std::move(code),
          .headers = std::move(headers)};
}

HttpError too_many(const std::string& message, double seconds) {
  const auto wait = static_cast<int64_t>(std::ceil(std::max(seconds, 1.0)));
  return refusal(429, message, "rate_limit_exceeded", {{"retry-after", std::to_string(wait)}});
}

std::string_view presented_key(const HttpRequest& request) {
  if (const auto value = request.header("authorization")) {
    static constexpr std::string_view kScheme = "bearer ";
    if (lower(value->substr(0, kScheme.size())) == kScheme) {
      const auto key = value->substr(kScheme.size());
      return key.substr(std::min(key.find_first_not_of(' '), key.size()));
    }
  }
  return request.header("x-api-key").value_or("");
}

HttpHeaders cors_headers(const std::string& origin) {
  return {{"access-control-allow-origin", origin},
          {"access-control-expose-headers", "x-request-id, retry-after"},
          {"vary", "Origin"}};
}

HttpResponse preflight(const HttpRequest& request, HttpHeaders headers) {
  headers.emplace_back("access-control-allow-methods", "GET, POST, DELETE, OPTIONS");
  headers.emplace_back(
      "access-control-allow-headers",
      std::string(request.header("access-control-request-headers")
                      .value_or("authorization, content-type, x-api-key, x-request-id")));
  headers.emplace_back("access-control-max-age", "600");
  return {.status = 204, .headers = std::move(headers)};
}

}  // namespace

// A key and what is used of its limits. What changes is guarded by the Guard's mutex, but
// `under_way`, which a Place counts down from wherever it is given up.
struct Guard::Key {
  ApiKey key;
  double tokens = 0;  // requests that may come at once
  Clock::time_point counted = {};
  std::shared_ptr<std::atomic<int>> under_way = std::make_shared<std::atomic<int>>(0);

  // Seconds until a request may come; 0: now, and it is counted.
  double take(Clock::time_point now) {
    if (key.per_minute <= 0) return 0;
    if (now > counted) {
      const double seconds = std::chrono::duration<double>(now - counted).count();
      tokens = std::min(key.per_minute, tokens + seconds * key.per_minute / 60);
      counted = now;
    }
    if (tokens < 1) return (1 - tokens) * 60 / key.per_minute;
    tokens -= 1;
    return 0;
  }
};

Guard::Guard(GuardOptions options)
    : options_(std::move(options)),
      loopback_(is_loopback(host_of(options_.host).value_or(options_.host))) {}

Guard::~Guard() = default;

Result<std::unique_ptr<Guard>> Guard::create(GuardOptions options) {
  std::unique_ptr<Guard> guard(new Guard(std::move(options)));
  PONDER_TRY(guard->reload());
  return guard;
}

Result<void> Guard::reload() {
  std::vector<ApiKey> wanted = options_.keys;
  if (!options_.key_file.empty()) {
    const std::string text = PONDER_TRY(read_file(options_.key_file, kLargestKeyFile));
    auto keys = PONDER_TRY(parse_api_keys(text, options_.key_file.string()));
    wanted.insert(wanted.end(), keys.begin(), keys.end());
  }
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::shared_ptr<Key>> old;
  for (const auto& key : keys_) old.emplace(key->key.hash, key);
  keys_.clear();
  for (ApiKey& key : wanted) {
    auto& known = old[key.hash];
    if (!known) {
      known = std::make_shared<Key>();
      known->tokens = key.per_minute;
    }
    known->tokens = std::min(known->tokens, key.per_minute);
    known->key = std::move(key);
    keys_.push_back(known);
  }
  return {};
}

// Compares with every key, each in constant time, so that the time tells nothing of them.
std::shared_ptr<Guard::Key> Guard::find_key(std::string_view presented) const {
  const std::string hash = hash_api_key(presented);
  std::shared_ptr<Key> found;
  for (const auto& key : keys_) {
    const bool same = key->key.hash.size() == hash.size() &&
                      CRYPTO_memcmp(key->key.hash.data(), hash.data(), hash.size()) == 0;
    if (same) found = key;
  }
  return found;
}

std::variant<Guard::Admitted, HttpResponse> Guard::judge(const HttpRequest& request,
                                                         Clock::time_point now) {
  const auto host = request.header("host");
  const auto origin = request.header("origin");
  const bool with_keys = [&] {
    const std::lock_guard lock(mutex_);
    return !keys_.empty();
  }();
  // A page of somebody else may lead its host name here (DNS rebinding), or post to us blindly.
  if (!with_keys && loopback_ && host) {
    const auto name = host_of(*host);
    if (!name || (!is_loopback(*name) && *name != lower(options_.host))) {
      return options_.refusal(
          request.path,
          refusal(403, "this server answers only to localhost; the header Host names another",
                  "foreign_host"));
    }
  }
  HttpHeaders cors;
  if (origin && !same_origin(*origin, host.value_or(""))) {
    const std::string text(*origin);
    const bool listed = std::any_of(options_.origins.begin(), options_.origins.end(),
                                    [&](const auto& entry) { return origin_matches(entry, text); });
    if (listed) cors = cors_headers(text);
    const bool asks =
        request.method == "OPTIONS" && request.header("access-control-request-method");
    if (listed && asks) return preflight(request, std::move(cors));
    if (!listed && (asks || !with_keys)) {
      return options_.refusal(
          request.path, refusal(403, "pages of this origin may not ask here", "foreign_origin"));
    }
  }
  if (!with_keys || is_open(options_.open_paths, request.path)) {
    return Admitted{.client = request.remote, .headers = std::move(cors)};
  }
  auto verdict = judge_key(request, now);
  auto& headers = std::visit([](auto& either) -> HttpHeaders& { return either.headers; }, verdict);
  headers.insert(headers.end(), cors.begin(), cors.end());
  return verdict;
}

std::variant<Guard::Admitted, HttpResponse> Guard::judge_key(const HttpRequest& request,
                                                             Clock::time_point now) {
  const auto presented = presented_key(request);
  const std::lock_guard lock(mutex_);
  const auto key = presented.empty() ? nullptr : find_key(presented);
  if (!key) {
    const char* message = presented.empty()
                              ? "no API key given; send 'Authorization: Bearer KEY' or 'X-Api-Key'"
                              : "this API key is not known here";
    return options_.refusal(
        request.path, refusal(401, message, "invalid_api_key", {{"www-authenticate", "Bearer"}}));
  }
  const auto& under_way = key->under_way;
  if (key->key.parallel > 0 && under_way->load() >= key->key.parallel) {
    return options_.refusal(request.path,
                            too_many("this API key may have " + std::to_string(key->key.parallel) +
                                         " requests at a time",
                                     1));
  }
  if (const double seconds = key->take(now); seconds > 0) {
    return options_.refusal(request.path,
                            too_many("this API key has used its requests of a minute", seconds));
  }
  Admitted admitted{.client = key->key.name};
  under_way->fetch_add(1);
  admitted.place.held_ =
      std::shared_ptr<void>(nullptr, [under_way](void*) { under_way->fetch_sub(1); });
  return admitted;
}

}  // namespace ponder
