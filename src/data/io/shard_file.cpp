#include "data/io/shard_file.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "io/printable.hpp"

namespace ponder {
namespace {

constexpr size_t kUnit = 4 << 20;  // bytes of text that are packed together
constexpr int kZstdLevel = 3;
constexpr int kGzipLevel = 6;

Failure failed(const std::filesystem::path& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  return Failure{
      {.what = std::strerror(errno),
       .where = path.string(),
       .mend = full ? "make room and give the same command again: it goes on where it was" : ""}};
}

}  // namespace

Result<Packing> parse_packing(std::string_view name) {
  if (name == "none") return Packing::kNone;
  if (name == "gz") return Packing::kGzip;
  if (name == "zst") return Packing::kZstd;
  return Failure{{.what = printable(name) + " is no packing", .mend = "take none, gz or zst"}};
}

std::string_view packing_suffix(Packing packing) {
  return packing == Packing::kGzip ? ".gz" : packing == Packing::kZstd ? ".zst" : "";
}

Result<ShardFile> ShardFile::open(const std::filesystem::path& path, Packing packing,
                                  uint64_t size) {
  ShardFile file;
  file.path_ = path;
  file.packing_ = packing;
  if (path == "-") {
    file.descriptor_ = ::dup(1);
    return file.descriptor_ < 0 ? Result<ShardFile>(failed(path))
                                : Result<ShardFile>(std::move(file));
  }
  file.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file.descriptor_ < 0) return failed(path);
  const off_t end = ::lseek(file.descriptor_, 0, SEEK_END);
  if (end < 0 || static_cast<uint64_t>(end) < size)
    return Failure{{.what = "the file is shorter than its manifest says",
                    .where = path.string(),
                    .mend = "start again in an empty folder"}};
  if (::ftruncate(file.descriptor_, static_cast<off_t>(size)) != 0 ||
      ::lseek(file.descriptor_, static_cast<off_t>(size), SEEK_SET) < 0)
    return failed(path);
  file.size_ = size;
  return file;
}

ShardFile::ShardFile(ShardFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      packing_(other.packing_),
      buffer_(std::move(other.buffer_)),
      packed_(std::move(other.packed_)),
      size_(other.size_) {}

ShardFile::~ShardFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> ShardFile::pack() {
  if (buffer_.empty()) return {};
  if (packing_ == Packing::kNone) {
    packed_.swap(buffer_);
  } else if (packing_ == Packing::kZstd) {
    packed_.resize(ZSTD_compressBound(buffer_.size()));
    const size_t size =
        ZSTD_compress(packed_.data(), packed_.size(), buffer_.data(), buffer_.size(), kZstdLevel);
    if (ZSTD_isError(size)) return Failure{{.what = ZSTD_getErrorName(size), .where = path_}};
    packed_.resize(size);
  } else {
    z_stream stream = {};
    if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      return Failure{{.what = "no memory for packing", .where = path_}};
    packed_.resize(deflateBound(&stream, buffer_.size()) + 32);
    stream.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    stream.avail_in = static_cast<uInt>(buffer_.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed_.data());
    stream.avail_out = static_cast<uInt>(packed_.size());
    const int status = deflate(&stream, Z_FINISH);
    packed_.resize(packed_.size() - stream.avail_out);
    deflateEnd(&stream);
    if (status != Z_STREAM_END) return Failure{{.what = "packing failed", .where = path_}};
  }
  buffer_.clear();
  PONDER_TRY(put(packed_));
  packed_.clear();
  return {};
}

Result<void> ShardFile::put(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failed(path_);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Result<void> ShardFile::write(std::string_view text) {
  if (packing_ == Packing::kNone && text.size() >= kUnit) {  // a copy would only take memory
    PONDER_TRY(pack());
    return put(text);
  }
  buffer_ += text;
  return buffer_.size() < kUnit ? Result<void>{} : pack();
}

Result<uint64_t> ShardFile::checkpoint() {
  PONDER_TRY(pack());
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) return failed(path_);
  return size_;
}

}  // namespace ponder
