#include "train/step_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.hpp"
#include "base/log.hpp"

namespace ponder {
namespace {

constexpr size_t kMostWaiting = 64 << 20;  // a disk that stays full must not fill the memory

Failure cannot(const std::string& what, const std::filesystem::path& path) {
  return Failure{{.what = "cannot " + what + ": " + std::strerror(errno), .where = path.string()}};
}

// The next line, taken from `rest`; nothing if there is no whole one.
bool take_line(std::string_view& rest, std::string_view& line) {
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) return false;
  line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

// Bytes of the lines whose step is at most `last_step`, up to the first that is not.
uint64_t whole_until(std::string_view text, int64_t last_step) {
  std::string_view rest = text, line;
  while (take_line(rest, line)) {
    const auto json = parse_json(line, "");
    const auto step = json.ok() ? integer_field(json.value(), "step", "") : Result<int64_t>(-1);
    if (!json.ok() || !step.ok() || step.value() > last_step)
      return static_cast<uint64_t>(line.data() - text.data());
  }
  return text.size() - rest.size();
}

}  // namespace

Result<StepLog> StepLog::open(const std::filesystem::path& path, int64_t last_step) {
  StepLog log;
  log.path_ = path;
  log.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log.descriptor_ < 0) return cannot("open", path);
  {
    const MappedFile file = PONDER_TRY(MappedFile::open(path));
    const auto bytes = file.bytes();
    log.size_ = whole_until({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, last_step);
  }
  if (::ftruncate(log.descriptor_, static_cast<off_t>(log.size_)) != 0)
    return cannot("shorten", path);
  return log;
}

StepLog::StepLog(StepLog&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      waiting_(std::move(other.waiting_)),
      path_(std::move(other.path_)) {}

StepLog& StepLog::operator=(StepLog&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  std::swap(waiting_, other.waiting_);
  std::swap(path_, other.path_);
  return *this;
}

StepLog::~StepLog() {
  if (descriptor_ < 0) return;
  (void)write_waiting();
  ::close(descriptor_);
}

void StepLog::append(const OrderedJson& object) {
  waiting_ += object.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
  const auto written = write_waiting();
  if (written.ok() || waiting_.size() < kMostWaiting) return;
  log(LogLevel::kWarning, "lines are lost: " + written.error().message());
  waiting_.clear();
}

Result<void> StepLog::write_waiting() {
  while (!waiting_.empty()) {
    const ssize_t count = ::write(descriptor_, waiting_.data(), waiting_.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const Failure failure = cannot("write", path_);
      // A part of a line may be there; it goes, and the whole waits.
      (void)!::ftruncate(descriptor_, static_cast<off_t>(size_));
      return failure;
    }
    if (static_cast<size_t>(count) < waiting_.size()) {
      // Lines that are whole stay, the rest is tried again and tells why it fails.
      const size_t whole = waiting_.rfind('\n', static_cast<size_t>(count) - 1);
      const size_t kept = whole == std::string::npos ? 0 : whole + 1;
      size_ += kept;
      waiting_.erase(0, kept);
      (void)!::ftruncate(descriptor_, static_cast<off_t>(size_));
      if (kept > 0) continue;
      errno = ENOSPC;  // what a short write means here
      return cannot("write", path_);
    }
    size_ += static_cast<uint64_t>(count);
    waiting_.clear();
  }
  return {};
}

Result<void> StepLog::flush() {
  PONDER_TRY(write_waiting());
  if (::fdatasync(descriptor_) != 0) return cannot("flush", path_);
  return {};
}

Result<void> read_step_log(const std::filesystem::path& path,
                           const std::function<bool(const OrderedJson&)>& visit) {
  const MappedFile file = PONDER_TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size()), line;
  for (int64_t number = 1; take_line(rest, line); ++number) {
    const std::string where = path.string() + ": line " + std::to_string(number);
    const OrderedJson object = PONDER_TRY(parse_ordered_json(line, where));
    if (!object.is_object()) return Failure{{.what = "is no JSON object", .where = where}};
    if (!visit(object)) return {};
  }
  return {};
}

}  // namespace ponder
