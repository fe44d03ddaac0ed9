// What comes over a connection: requests, and who may ask. The same however the bytes are cut;
// no path leads out; nobody passes without a key; no answer's head holds a line of the client's.
#include <functional>
#include <memory>

#include "io/printable.hpp"
#include "serve/http/guard.hpp"
#include "serve/http/request_reader.hpp"
#include "serve/http/response_text.hpp"

namespace {

using namespace ponder;

constexpr ReaderLimits kLimits{.head_bytes = 2000, .headers = 20, .body_bytes = 3000};

void require(bool holds) {
  if (!holds) __builtin_trap();
}

// What the whole requests of a connection come to, as one text. How soon a broken one is refused
// depends on how its bytes come.
std::string read_all(std::string_view bytes, size_t step,
                     const std::function<void(const HttpRequest&)>& on_head) {
  std::string out, pending;
  auto reader = std::make_unique<RequestReader>(kLimits);
  while (true) {
    const auto state = reader->take(pending);
    require(pending.size() <= kLimits.head_bytes + step || state != RequestReader::State::kHead);
    if (state == RequestReader::State::kHeadDone) {
      on_head(reader->request());
      continue;
    }
    if (state == RequestReader::State::kDone) {
      const HttpRequest& request = reader->request();
      require(request.body.size() <= kLimits.body_bytes);
      require(request.headers.size() <= kLimits.headers);
      out += request.method + ' ' + request.path + '?' + request.query + '\n' + request.body;
      for (const auto& [name, value] : request.headers) out += name + ':' + value + '\n';
      out += reader->keep_alive() ? "stays\n" : "ends\n";
      reader = std::make_unique<RequestReader>(kLimits);
      continue;
    }
    if (state == RequestReader::State::kFailed) {
      const int status = reader->error().status;
      require(status >= 400 && status < 500);
      return out;
    }
    if (bytes.empty()) return out;
    pending += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
}

void check_path(std::string_view path) {
  require(path == "*" || path.starts_with('/'));
  const std::string ended = std::string(path) + "/";
  require(ended.find("/../") == ended.npos && ended.find("/./") == ended.npos);
  for (size_t i = 0; i < path.size();) {
    const size_t length = utf8_length(path.substr(i));
    require(length > 0 && static_cast<unsigned char>(path[i]) >= 0x20 && path[i] != 0x7F);
    i += length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const auto keyed = std::move(Guard::create({.keys = {{"a", hash_api_key("k3y")}},
                                                     .origins = {"https://a.example"}}))
                                .take_value();
  static const auto open = std::move(Guard::create({})).take_value();
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto now = Guard::Clock::now();
  const auto on_head = [&](const HttpRequest& request) {
    check_path(request.path);
    const bool passed = std::holds_alternative<Guard::Admitted>(keyed->judge(request, now));
    const bool free =
        request.path == "/health" || request.path == "/ready" || request.path == "/openapi.json";
    require(!passed || free || bytes.find("k3y") != bytes.npos);
    (void)open->judge(request, now);
    const std::string id = request_id(request.header("x-request-id").value_or(""));
    const std::string head = response_head(
        {.content_type = request.path, .request_id = id, .headers = &request.headers});
    require(head.find("\r\n\r\n") == head.size() - 4);
  };
  // Very long steps could take a line that is too long whole, and read it: pieces as of a socket.
  const size_t step = 1 + data[0] % 64;
  require(read_all(bytes, step, on_head) == read_all(bytes, 1, [](const HttpRequest&) {}));
  (void)parse_api_keys(bytes, "keys");
  return 0;
}
