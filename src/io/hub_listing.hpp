// What a hub says a repository holds, and which of its files make up a model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ponder {

struct PullName {
  std::string owner;
  std::string repository;
  std::string choice;  // a file, a quantisation, or empty

  // Checks that every part is safe as a file name.
  static Result<PullName> parse(std::string_view text);
  std::string text() const { return owner + "/" + repository; }
};

struct HubFile {
  std::string name;  // path inside the repository
  std::optional<uint64_t> size;
  std::string sha256;  // empty if the hub gives none
};

// The answers of /api/models/NAME and /api/models/NAME/tree/main (empty if the hub has none). Fails
// on names that would leave the folder.
Result<std::vector<HubFile>> parse_listing(std::string_view model, std::string_view tree,
                                           std::string_view where);

struct HubChoice {
  std::vector<HubFile> files;
  std::string load;  // the file to load; empty: the folder
};

// The files to download for a name; fails, listing the possibilities, if there is no or no clear
// answer.
Result<HubChoice> choose_files(const PullName& name, const std::vector<HubFile>& files);

// 64 hexadecimal digits in lower case, from a text that may quote them; nothing otherwise.
std::optional<std::string> sha256_from(std::string_view text);

}  // namespace ponder
