#include "data/io/byte_source.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace ponder {
namespace {

constexpr size_t kBlock = 1 << 18;

Failure damaged(const std::string& where, const std::string& what) {
  return Failure{{.what = what, .where = where, .mend = "get the file anew"}};
}

// The file itself, with the first bytes looked at.
class PlainSource : public ByteSource {
 public:
  PlainSource(int descriptor, std::string where) : descriptor_(descriptor), where_(where) {}
  ~PlainSource() override {
    if (descriptor_ > 0) ::close(descriptor_);
  }

  Result<size_t> read(std::span<char> bytes) override {
    if (ahead_ < head_.size()) {
      const size_t count = std::min(bytes.size(), head_.size() - ahead_);
      std::memcpy(bytes.data(), head_.data() + ahead_, count);
      ahead_ += count;
      return count;
    }
    while (true) {
      const ssize_t count = ::read(descriptor_, bytes.data(), bytes.size());
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EINTR) return Failure{{.what = std::strerror(errno), .where = where_}};
    }
  }

  Result<void> skip(uint64_t count) override {
    const uint64_t known = std::min<uint64_t>(count, head_.size() - ahead_);
    ahead_ += known;
    count -= known;
    if (count == 0) return {};
    if (::lseek(descriptor_, static_cast<off_t>(count), SEEK_CUR) >= 0) return {};
    return ByteSource::skip(count);
  }

  bool packed() const override { return false; }

  Result<std::string_view> look(size_t count) {
    head_.resize(count);
    size_t have = 0;
    while (have < count) {
      const ssize_t got = ::read(descriptor_, head_.data() + have, count - have);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Failure{{.what = std::strerror(errno), .where = where_}};
      if (got == 0) break;
      have += static_cast<size_t>(got);
    }
    head_.resize(have);
    return std::string_view(head_);
  }

 private:
  int descriptor_;
  std::string where_, head_;
  size_t ahead_ = 0;
};

// Packed bytes, a block at a time.
class Unpacker : public ByteSource {
 public:
  Unpacker(std::unique_ptr<ByteSource> inner, std::string where)
      : inner_(std::move(inner)), block_(kBlock), where_(std::move(where)) {}

 protected:
  // Whether there are bytes to unpack.
  Result<bool> fill() {
    if (at_ < end_) return true;
    at_ = 0;
    end_ = PONDER_TRY(inner_->read(block_));
    return end_ > 0;
  }

  std::unique_ptr<ByteSource> inner_;
  std::vector<char> block_;
  size_t at_ = 0, end_ = 0;
  std::string where_;
};

class GzipSource : public Unpacker {
 public:
  using Unpacker::Unpacker;
  ~GzipSource() override { inflateEnd(&stream_); }

  bool start() { return inflateInit2(&stream_, 15 + 16) == Z_OK; }

  Result<size_t> read(std::span<char> bytes) override {
    stream_.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream_.avail_out = static_cast<uInt>(std::min(bytes.size(), kBlock));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room) {
      if (!PONDER_TRY(fill())) {
        if (!between_) return damaged(where_, "the gzip file is truncated");
        return size_t{0};
      }
      if (between_) {
        inflateReset(&stream_);
        between_ = false;
      }
      stream_.next_in = reinterpret_cast<Bytef*>(block_.data() + at_);
      stream_.avail_in = static_cast<uInt>(end_ - at_);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      at_ = end_ - stream_.avail_in;
      if (status == Z_STREAM_END)
        between_ = true;
      else if (status != Z_OK && status != Z_BUF_ERROR)
        return damaged(where_, "the gzip file is damaged");
    }
    return static_cast<size_t>(room - stream_.avail_out);
  }

 private:
  z_stream stream_ = {};
  bool between_ = false;  // of two members of the file
};

class ZstdSource : public Unpacker {
 public:
  using Unpacker::Unpacker;
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }

  bool start() {
    stream_ = ZSTD_createDStream();
    return stream_ != nullptr && !ZSTD_isError(ZSTD_initDStream(stream_));
  }

  Result<size_t> read(std::span<char> bytes) override {
    ZSTD_outBuffer out{bytes.data(), bytes.size(), 0};
    while (out.pos == 0) {
      const bool more = PONDER_TRY(fill());
      if (!more && left_ == 0) return size_t{0};
      ZSTD_inBuffer in{block_.data(), end_, at_};
      left_ = ZSTD_decompressStream(stream_, &out, &in);
      at_ = in.pos;
      if (ZSTD_isError(left_)) return damaged(where_, "the zstd file is damaged");
      if (!more && out.pos == 0 && left_ != 0) return damaged(where_, "the zstd file is truncated");
    }
    return out.pos;
  }

 private:
  ZSTD_DStream* stream_ = nullptr;
  size_t left_ = 0;  // 0: a frame has ended
};

template <typename Source>
Result<std::unique_ptr<ByteSource>> unpacked(std::unique_ptr<ByteSource> inner,
                                             const std::string& where) {
  auto source = std::make_unique<Source>(std::move(inner), where);
  if (!source->start()) return Failure{{.what = "no memory for unpacking", .where = where}};
  return std::unique_ptr<ByteSource>(std::move(source));
}

}  // namespace

Result<void> ByteSource::skip(uint64_t count) {
  std::vector<char> block(kBlock);
  while (count > 0) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(count, block.size()));
    const size_t got = PONDER_TRY(read({block.data(), wanted}));
    if (got == 0)
      return Failure{{.what = "a file that was read before has become shorter",
                      .mend = "start again in an empty folder"}};
    count -= got;
  }
  return {};
}

Result<std::unique_ptr<ByteSource>> ByteSource::open(const std::filesystem::path& path) {
  const bool standard = path == "-";
  const std::string where = standard ? "standard input" : path.string();
  const int descriptor = standard ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return Failure{
        {.what = std::string("cannot be opened: ") + std::strerror(errno), .where = where}};
  auto plain = std::make_unique<PlainSource>(descriptor, where);
  const std::string_view head = PONDER_TRY(plain->look(4));
  if (head.starts_with("\x1f\x8b")) return unpacked<GzipSource>(std::move(plain), where);
  if (head.starts_with("\x28\xb5\x2f\xfd")) return unpacked<ZstdSource>(std::move(plain), where);
  if (head.starts_with("PAR1"))
    return Failure{{.what = "the file holds Parquet",
                    .where = where,
                    .mend = "give its name, ending in .parquet, or --format parquet"}};
  return std::unique_ptr<ByteSource>(std::move(plain));
}

}  // namespace ponder
