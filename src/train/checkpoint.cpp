#include "train/checkpoint.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>

#include "base/file.hpp"
#include "base/log.hpp"
#include "io/json.hpp"
#include "io/safetensors.hpp"
#include "io/safetensors_writer.hpp"
#include "io/sha256.hpp"

namespace ponder {
namespace {

constexpr char kTensors[] = "tensors.safetensors";
constexpr char kStage[] = "stage.bin";
constexpr char kState[] = "checkpoint.json";
constexpr std::string_view kAside = ".aside";
constexpr uint64_t kLargestState = 64 << 20;
constexpr int64_t kMostSteps = int64_t{1} << 50;

Failure cannot(const std::string& what, const std::filesystem::path& path, int code) {
  return Failure{{.what = "cannot " + what + ": " + std::strerror(code),
                  .where = path.string(),
                  .mend = code == ENOSPC ? "free some space" : ""}};
}

// Makes a new or renamed entry of a folder last through a loss of power.
Result<void> sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return cannot("open", folder, errno);
  const int code = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (code != 0) return cannot("flush", folder, code);
  return {};
}

Result<std::string> hash_of(const std::filesystem::path& path) {
  const MappedFile file = PONDER_TRY(MappedFile::open(path));
  constexpr size_t kPiece = 16 << 20;
  Sha256 sha;
  for (std::span<const std::byte> rest = file.bytes(); !rest.empty();) {
    const auto piece = rest.first(std::min(kPiece, rest.size()));
    sha.update(piece);
    MappedFile::release(piece);
    rest = rest.subspan(piece.size());
  }
  return sha.hex();
}

Result<void> write_tensors(const std::filesystem::path& path,
                           std::span<const NamedFloats> tensors) {
  SafetensorsWriter writer = PONDER_TRY(SafetensorsWriter::create(path));
  for (const NamedFloats& tensor : tensors)
    writer.declare(tensor.name, DType::kF32,
                   Shape::of({static_cast<int64_t>(tensor.values.size())}));
  PONDER_TRY(writer.begin());
  for (const NamedFloats& tensor : tensors) PONDER_TRY(writer.write(std::as_bytes(tensor.values)));
  return writer.commit();
}

Result<void> write_all(const std::filesystem::path& folder, const CheckpointState& state,
                       std::span<const NamedFloats> tensors) {
  PONDER_TRY(write_tensors(folder / kTensors, tensors));
  PONDER_TRY(write_file(folder / kStage, state.stage_state));
  const OrderedJson json = {{"step", state.step},
                            {"updates", state.updates},
                            {"isa", state.isa},
                            {"run", state.run},
                            {"tensors_sha256", PONDER_TRY(hash_of(folder / kTensors))},
                            {"stage_sha256", PONDER_TRY(hash_of(folder / kStage))}};
  PONDER_TRY(write_file(folder / kState,
                        json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n"));
  return sync_folder(folder);
}

// The state, if everything is as it was written.
Result<CheckpointState> read_whole(const std::filesystem::path& folder) {
  const std::string where = (folder / kState).string();
  const std::string text = PONDER_TRY(read_file(folder / kState, kLargestState));
  const Json json = PONDER_TRY(parse_json(text, where));
  CheckpointState state;
  const IntegerRange count{.least = 0, .most = kMostSteps};
  state.step = PONDER_TRY(integer_field(json, "step", where, count));
  state.updates = PONDER_TRY(integer_field(json, "updates", where, count));
  state.isa = PONDER_TRY(text_field(json, "isa", where));
  state.run = PONDER_TRY(text_field(json, "run", where));
  const std::pair<const char*, const char*> files[] = {{kTensors, "tensors_sha256"},
                                                       {kStage, "stage_sha256"}};
  for (const auto& [name, key] : files) {
    const std::string expected = PONDER_TRY(text_field(json, key, where));
    if (PONDER_TRY(hash_of(folder / name)) != expected)
      return Failure{
          {.what = "is damaged: its SHA-256 is another", .where = (folder / name).string()}};
  }
  state.stage_state = PONDER_TRY(read_file(folder / kStage, UINT64_MAX));
  return state;
}

Result<void> read_tensors(const std::filesystem::path& path, std::span<const NamedFloats> tensors) {
  const SafetensorsFile file = PONDER_TRY(SafetensorsFile::open(path));
  const Failure other{{.what = "holds other tensors than this run has",
                       .where = path.string(),
                       .mend = "resume with the recipe and model that the run began with"}};
  if (file.tensors().names().size() != tensors.size()) return other;
  for (const NamedFloats& tensor : tensors) {
    const TensorView* view = file.tensors().find(tensor.name);
    if (view == nullptr || view->dtype != DType::kF32 ||
        view->bytes.size() != tensor.values.size_bytes())
      return other;
  }
  for (const NamedFloats& tensor : tensors) {
    const TensorView* view = file.tensors().find(tensor.name);
    if (!view->bytes.empty())
      std::memcpy(tensor.values.data(), view->bytes.data(), view->bytes.size());
    file.tensors().release(tensor.name);
  }
  return {};
}

}  // namespace

std::vector<std::filesystem::path> CheckpointFolder::list() const {
  std::vector<std::filesystem::path> found;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, code)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && !name.ends_with(kAside)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<CheckpointFolder> CheckpointFolder::open(const std::filesystem::path& folder, int64_t keep) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return cannot("create", folder, code.value());
  std::vector<std::filesystem::path> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code))
    if (entry.path().filename().string().ends_with(kAside)) left.push_back(entry.path());
  if (code) return cannot("read", folder, code.value());
  for (const auto& path : left) std::filesystem::remove_all(path, code);
  return CheckpointFolder(folder, std::max<int64_t>(1, keep));
}

Result<void> CheckpointFolder::save(const CheckpointState& state,
                                    std::span<const NamedFloats> tensors) {
  const auto name_of = [&](int64_t number) {
    char name[64];
    std::snprintf(name, sizeof name, "step-%09lld.%04lld", static_cast<long long>(state.step),
                  static_cast<long long>(number));
    return folder_ / name;
  };
  std::error_code code;
  int64_t number = 0;
  while (std::filesystem::exists(name_of(number), code)) ++number;
  const auto path = name_of(number);
  auto aside = path;
  aside += kAside;
  std::filesystem::remove_all(aside, code);
  if (!std::filesystem::create_directory(aside, code)) return cannot("create", aside, code.value());
  auto written = write_all(aside, state, tensors);
  if (written.ok()) {
    std::filesystem::rename(aside, path, code);
    if (code) written = cannot("rename", aside, code.value());
  }
  if (written.ok()) written = sync_folder(folder_);
  if (!written.ok()) {
    std::filesystem::remove_all(aside, code);
    return written;
  }
  const auto all = list();
  for (size_t i = 0; i + static_cast<size_t>(keep_) < all.size(); ++i)
    std::filesystem::remove_all(all[i], code);
  return {};
}

Result<std::optional<CheckpointState>> CheckpointFolder::load_newest(
    std::span<const NamedFloats> tensors, const Accept& accept) {
  auto all = list();
  for (; !all.empty(); all.pop_back()) {
    auto state = read_whole(all.back());
    if (!state.ok()) {
      log(LogLevel::kWarning, "a checkpoint is passed over: " + state.error().message());
      continue;
    }
    PONDER_TRY(accept(state.value()));
    PONDER_TRY(read_tensors(all.back() / kTensors, tensors));
    return std::optional(std::move(state).take_value());
  }
  return std::optional<CheckpointState>();
}

}  // namespace ponder
