// A prefix of the cache as a file: tokens, and the pages that hold their keys and values, exactly
// as a model computed them on an instruction set. Private to this module.
//
// Layout (little-endian): "PONDERKV", version u32, token count u32, model id (64 hex digits), page
// bytes u64, tokens i32[count], zeros to a multiple of 64, the pages, SHA-256 of all before (64 hex
// digits).
#pragma once

#include <filesystem>
#include <span>

#include "base/result.hpp"
#include "engine/prefix_tree.hpp"
#include "model/model.hpp"

namespace ponder {

struct StoredPrefix {
  std::span<const int32_t> tokens;
  std::span<const int32_t> pages;
};

// Returns the number of tokens. Error: there is nothing to write, or no room for the file.
Result<int64_t> write_prefix(const Model& model, KvPool& pool, const StoredPrefix& prefix,
                             const std::filesystem::path& path);

// Puts what `path` holds into the tree, and returns its tokens. Errors, which change nothing: the
// file is damaged, of another model, instruction set or cache type, or larger than the cache.
Result<int64_t> read_prefix(const Model& model, KvPool& pool, PrefixTree& tree,
                            const std::filesystem::path& path);

}  // namespace ponder
