// Who may ask, from which pages, and how often: API keys with limits, Host and Origin, CORS. It
// judges the head of a request, before its body is read.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "serve/http/errors.hpp"

namespace ponder {

// SHA-256 of a key as a key file holds it: 64 lower-case digits.
std::string hash_api_key(std::string_view key);

struct ApiKey {
  std::string name;       // in logs, metrics and HttpRequest::client
  std::string hash;       // see hash_api_key()
  double per_minute = 0;  // requests; 0: no limit
  int parallel = 0;       // requests at a time; 0: no limit
};

// A key file: one key a line, either NAME:SHA256 or a key in the clear (then it is named after its
// hash), each followed by limits if wanted; '#' begins a comment.
//   alice:5e88…1d8 rpm=60 parallel=4
// Fails on a line that is neither, on names or keys that come twice, and if there is no key.
Result<std::vector<ApiKey>> parse_api_keys(std::string_view text, std::string_view where);

struct GuardOptions {
  std::filesystem::path key_file = {};  // asked for a key if given …
  std::vector<ApiKey> keys = {};        // … or if there are any here
  std::vector<std::string> open_paths = {"/health", "/ready",
                                         "/openapi.json"};  // without a key; "/x/*": all below
  std::vector<std::string> origins = {};   // CORS: "https://a.example", "http://localhost:*", "*"
  std::string host = "127.0.0.1";          // what the server is bound to; HttpServer sets it
  RefusalForm refusal = refusal_response;  // of the guard and of the server
};

class Guard {
 public:
  using Clock = std::chrono::steady_clock;

  static Result<std::unique_ptr<Guard>> create(GuardOptions options);
  ~Guard();

  // Reads the key file again. On an error the old keys stay. Requests under way keep their places;
  // a key that stays keeps what it has used of its limits.
  Result<void> reload();

  // Held while a request is under way; gives the key's place free.
  class Place {
   public:
    Place() = default;
    Place(Place&&) = default;
    Place& operator=(Place&&) = default;

   private:
    friend class Guard;
    std::shared_ptr<void> held_;
  };
  struct Admitted {
    std::string client = {};   // name of the key, or the remote address
    HttpHeaders headers = {};  // to be added to the answer (CORS)
    Place place = {};
  };

  // Either lets the request in, or says what to answer (401, 403, 429, or a preflight's 204).
  std::variant<Admitted, HttpResponse> judge(const HttpRequest& request, Clock::time_point now);

 private:
  struct Key;

  explicit Guard(GuardOptions options);

  std::shared_ptr<Key> find_key(std::string_view presented) const;
  std::variant<Admitted, HttpResponse> judge_key(const HttpRequest& request, Clock::time_point now);

  GuardOptions options_;
  bool loopback_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Key>> keys_;  // guarded by mutex_
};

}  // namespace ponder
