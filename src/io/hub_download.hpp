// One file of a hub: downloaded beside its place, verified, then put there.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "io/http_client.hpp"
#include "io/hub_listing.hpp"

namespace ponder {

struct DownloadRequest {
  HubFile file;
  Url url;
  std::string token;
  std::filesystem::path target;
  std::chrono::seconds patience{60};
  std::function<bool(uint64_t)> progress;  // bytes of the file that are here; false stops
};

// Returns at once if the target is there with the right size and SHA-256. What arrived before an
// interruption stays in TARGET.partial; the next call goes on there if the hub gave a SHA-256.
Result<void> download(const DownloadRequest& request);

// The error of an HTTP status that is not the one hoped for.
Failure status_failure(const HttpHead& response, const Url& url);

}  // namespace ponder
