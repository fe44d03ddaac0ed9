#include "engine/prefix_file.hpp"

#include <array>
#include <cstring>
#include <string>

#include "base/checked_math.hpp"
#include "base/file.hpp"
#include "device/cpu.hpp"
#include "io/sha256.hpp"

namespace ponder {
namespace {

constexpr std::string_view kMagic = "PONDERKV";
constexpr uint32_t kVersion = 1;
constexpr size_t kIdBytes = 64;
constexpr size_t kAlign = 64;

struct Header {
  std::array<char, 8> magic;
  uint32_t version, tokens;
  std::array<char, kIdBytes> model;
  uint64_t page_bytes;
};
static_assert(sizeof(Header) == 88);

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// What decides the bits of a cache: the weights (a sample of them), the kernels, the layout.
std::string model_id(const Model& model, const KvPool& pool) {
  Sha256 hash;
  const Config& c = model.config();
  for (const int64_t number :
       {c.layers, c.hidden, c.vocab, static_cast<int64_t>(model.file_bytes()),
        static_cast<int64_t>(pool.dtype()), static_cast<int64_t>(model.isa()),
        static_cast<int64_t>(model.mla_form())})
    hash.update(std::as_bytes(std::span(&number, 1)));
  const auto table = model.params().embedding.bytes;
  hash.update(table.first(std::min<size_t>(table.size(), size_t{1} << 20)));
  hash.update(std::as_bytes(model.params().final_norm.span()));
  return hash.hex();
}

size_t pages_offset(size_t tokens) {
  const size_t end = sizeof(Header) + tokens * sizeof(int32_t);
  return ceil_div(end, kAlign) * kAlign;
}

Failure damaged(const std::filesystem::path& path, std::string what) {
  return Failure{{.what = std::move(what),
                  .where = path.string(),
                  .mend = "delete it and save the prefix again"}};
}

// The header, if the file has just the bytes that it tells, and they are those that were written.
Result<Header> check_file(std::span<const std::byte> bytes, const std::filesystem::path& path) {
  Header header;
  if (bytes.size() < sizeof(header)) return damaged(path, "is no saved prefix: too short");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::string_view(header.magic.data(), header.magic.size()) != kMagic)
    return damaged(path, "is no saved prefix");
  if (header.version != kVersion)
    return damaged(path, "has version " + std::to_string(header.version) + ", not " +
                             std::to_string(kVersion));
  const auto pages = checked_mul(header.page_bytes, ceil_div<uint64_t>(header.tokens, kKvPage));
  const auto size = pages ? checked_add(*pages, pages_offset(header.tokens) + kIdBytes) : pages;
  if (header.tokens == 0 || !size || *size != bytes.size())
    return damaged(
        path, "has " + std::to_string(bytes.size()) + " bytes, which is not what its header tells");
  Sha256 hash;
  hash.update(bytes.first(bytes.size() - kIdBytes));
  if (std::memcmp(hash.hex().data(), bytes.data() + bytes.size() - kIdBytes, kIdBytes) != 0)
    return damaged(path, "is damaged: its SHA-256 is another");
  return header;
}

// Pages of the pool that are given back unless somebody else shares them by then.
struct Borrowed {
  KvPool& pool;
  std::vector<int32_t> pages = {};
  ~Borrowed() {
    for (const int32_t page : pages) pool.give_back(page);
  }
};

}  // namespace

Result<int64_t> write_prefix(const Model& model, KvPool& pool, const StoredPrefix& prefix,
                             const std::filesystem::path& path) {
  if (prefix.tokens.empty()) {
    return Failure{{.what = "nothing of this text is in the cache",
                    .where = path.string(),
                    .mend = "send it to the model once before it is saved"}};
  }
  Header header = {.magic = {},
                   .version = kVersion,
                   .tokens = static_cast<uint32_t>(prefix.tokens.size()),
                   .model = {},
                   .page_bytes = pool.page_bytes()};
  std::memcpy(header.magic.data(), kMagic.data(), kMagic.size());
  std::memcpy(header.model.data(), model_id(model, pool).data(), kIdBytes);
  AtomicFile file = PONDER_TRY(AtomicFile::create(path));
  Sha256 hash;
  const auto write = [&](std::span<const std::byte> bytes) {
    hash.update(bytes);
    return file.write(bytes);
  };
  PONDER_TRY(write(std::as_bytes(std::span(&header, 1))));
  PONDER_TRY(write(std::as_bytes(prefix.tokens)));
  const std::array<std::byte, kAlign> zeros = {};
  PONDER_TRY(write(std::span(zeros).first(pages_offset(prefix.tokens.size()) - file.offset())));
  for (const int32_t page : prefix.pages)
    PONDER_TRY(write({pool.data(page), static_cast<size_t>(pool.page_bytes())}));
  PONDER_TRY(file.write(bytes_of(hash.hex())));
  PONDER_TRY(file.commit());
  return std::ssize(prefix.tokens);
}

Result<int64_t> read_prefix(const Model& model, KvPool& pool, PrefixTree& tree,
                            const std::filesystem::path& path) {
  const MappedFile file = PONDER_TRY(MappedFile::open(path));
  const Header header = PONDER_TRY(check_file(file.bytes(), path));
  if (std::string_view(header.model.data(), kIdBytes) != model_id(model, pool) ||
      header.page_bytes != pool.page_bytes()) {
    return Failure{{.what = "was saved by another model, instruction set or type of cache",
                    .where = path.string(),
                    .mend = "save the prefix again with this one"}};
  }
  std::vector<int32_t> tokens(header.tokens);
  std::memcpy(tokens.data(), file.bytes().data() + sizeof(header), tokens.size() * sizeof(int32_t));
  Borrowed borrowed{pool};
  const std::byte* data = file.bytes().data() + pages_offset(tokens.size());
  for (size_t i = 0; i < tokens.size(); i += kKvPage, data += pool.page_bytes()) {
    int32_t page = pool.take();
    if (page < 0 && tree.evict(1) > 0) page = pool.take();
    if (page < 0) {
      return Failure{{.what = "has more tokens than the cache has room for now",
                      .where = path.string(),
                      .mend = "give the cache more memory"}};
    }
    borrowed.pages.push_back(page);
    std::memcpy(pool.data(page), data, static_cast<size_t>(pool.page_bytes()));
  }
  tree.insert(tokens, borrowed.pages);
  return std::ssize(tokens);
}

}  // namespace ponder
